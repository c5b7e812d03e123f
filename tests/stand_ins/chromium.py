"""Stock Chromium, headless, on a profile of its own, driven by Playwright.

In: a push service, a desktop, a profile folder. Out: a Playwright browser context.
Touches: the Chromium process and its profile; it can reach nothing but loopback.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, Playwright

from tests.stand_ins.gcm import Gcm

# Chromium makes endpoints at a Google host that is compiled into it. Pages see the stand-in's address, as if
# that had been compiled in: senders then need no way around DNS and TLS.
RELOCATE = """
for (const name of ["endpoint", "toJSON"]) {
  const { get, value } = Object.getOwnPropertyDescriptor(PushSubscription.prototype, name);
  const there = (endpoint) => ORIGIN + new URL(endpoint).pathname;
  Object.defineProperty(PushSubscription.prototype, name, get
    ? { get() { return there(get.call(this)); } }
    : { value() { const json = value.call(this); return { ...json, endpoint: there(json.endpoint) }; } });
}
"""

ARGUMENTS = [
    "--no-sandbox",  # it refuses to start as root with it
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]


@contextmanager
def chromium(
    playwright: Playwright, profile: Path, *, push_service: Gcm, dbus_address: str
) -> Iterator[BrowserContext]:
    """Run Chromium until the block ends.

    The context is a persistent one: in others, which are incognito, subscribing fails.
    """
    context = playwright.chromium.launch_persistent_context(
        profile,
        executable_path=program(),
        args=[*ARGUMENTS, *push_service.arguments],
        permissions=["notifications"],
        env={**os.environ, "HOME": str(profile), "DBUS_SESSION_BUS_ADDRESS": dbus_address},
    )
    context.add_init_script(RELOCATE.replace("ORIGIN", json.dumps(push_service.origin)))
    try:
        yield context
    finally:
        context.close()


def program() -> str:
    """Return the path of the system's Chromium."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or "chromium"


def missing() -> str | None:
    """Return what the machine lacks for this, or None."""
    return None if shutil.which(program()) else "Chromium is not installed (Debian: chromium)"
