"""What is deployed: three functions, each served by the Functions Framework at every path."""

import os

from flask import Request, Response

from taskbell.app import start

application = start(os.environ)


def webhook(request: Request) -> Response:
    """POST /webhook: the database says that a task changed."""
    return application.webhook(request)


def api(request: Request) -> Response:
    """Answer /v1/… and /healthz: the page and the service worker ask."""
    return application.api(request)


def sweep(request: Request) -> Response:
    """POST /sweep: the clock says that something is due."""
    return application.sweep(request)
