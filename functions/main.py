"""What is deployed: three functions, each served by the Functions Framework at every path."""

import gc
import os

from flask import Request, Response

# Importing makes objects that stay: looking for garbage among them took a seventh of the start. Frozen, they
# are left alone for good, and stay shared with the process that serves.
gc.disable()

from taskbell.app import start  # noqa: E402

application = start(os.environ)
gc.freeze()
gc.enable()


def webhook(request: Request) -> Response:
    """POST /webhook: the database says that a task changed."""
    return application.webhook(request)


def api(request: Request) -> Response:
    """Answer /v1/… and /healthz: the page and the service worker ask."""
    return application.api(request)


def sweep(request: Request) -> Response:
    """POST /sweep: the clock says that something is due."""
    return application.sweep(request)
