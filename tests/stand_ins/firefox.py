"""Stock Firefox, headless, with its own push client and decryption, controlled as a person would.

In: a push service's address, a desktop, a profile folder. Out: what its tabs show.
Touches: the Firefox process and its profile; it can reach nothing but loopback.
"""

import base64
import json
import os
import shutil
import signal
import subprocess
import warnings
from ctypes.util import find_library
from pathlib import Path
from typing import Any, Self

from tests.stand_ins.marionette import ELEMENT, Marionette, MarionetteError
from tests.stand_ins.record import wait_until

NOWHERE_PORT = 9  # "discard": nothing listens there
# Why an element cannot be clicked now and perhaps can soon: it is being made, or is moving.
NOT_YET = (
    "no such element",
    "stale element reference",
    "element not interactable",
    "element click intercepted",
)
ALLOW, DENY = 1, 2  # values of permissions.default.*

PREFERENCES: dict[str, str | int | bool] = {
    # The push client talks to our push service, without TLS. Marionette turns the connection off by itself.
    "dom.push.testing.allowInsecureServerURL": True,
    "dom.push.connection.enabled": True,
    "dom.webnotifications.actions.enabled": True,
    # Of pushes whose notification is gone 3 s later Firefox takes 16, then it ends the subscription. Nobody
    # dismisses that many that fast; stories do.
    "dom.push.maxQuotaPerSubscription": 1000,
    # Marionette takes a free port and writes it to the profile.
    "marionette.port": 0,
    "remote.prefs.recommended": True,
    # Everything but loopback goes to a proxy that does not exist.
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": NOWHERE_PORT,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": NOWHERE_PORT,
    # And Firefox has no wishes of its own.
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.safebrowsing.provider.google4.updateURL": "",
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.server": "",
}


STARTS = 3  # tries: once in some hundred restarts Firefox ends by itself before it has said anything
COMMAND = ["--headless", "--marionette", "--remote-allow-system-access", "--no-remote"]


class PageLeftError(Exception):
    """The page was replaced by another while it was asked."""


class Firefox:
    """One Firefox on one profile; `quit` and `start` keep the profile, and with it the subscription."""

    def __init__(
        self,
        profile: Path,
        *,
        push_url: str,
        dbus_address: str,
        notifications_allowed: bool = True,
        preferences: dict[str, str | int | bool] | None = None,
    ) -> None:
        self._profile = profile
        self._dbus_address = dbus_address
        self._preferences = {
            **PREFERENCES,
            "dom.push.serverURL": push_url,
            "permissions.default.desktop-notification": ALLOW if notifications_allowed else DENY,
            **(preferences or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._marionette: Marionette
        self.start()

    def start(self) -> None:
        """Start the browser with one empty tab."""
        self._profile.mkdir(parents=True, exist_ok=True)
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in self._preferences.items()]
        (self._profile / "user.js").write_text("".join(lines))
        for _ in range(STARTS):
            port = self._port_of_a_new_process()
            if port is not None:
                self._marionette = Marionette(port)
                return
        output = (self._profile / "output.log").read_text(errors="replace")
        raise RuntimeError(f"Firefox ended at each of {STARTS} starts: {output[-2000:]}")

    def _port_of_a_new_process(self) -> int | None:
        """Return the port where it listens for Marionette, None where it ended by itself instead."""
        port_file = self._profile / "MarionetteActivePort"
        port_file.unlink(missing_ok=True)
        with (self._profile / "output.log").open("ab") as log:
            process = self._process = subprocess.Popen(
                [program(), *COMMAND, "--profile", str(self._profile), "about:blank"],
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={
                    **os.environ,
                    "HOME": str(self._profile),
                    "DBUS_SESSION_BUS_ADDRESS": self._dbus_address,
                    "MOZ_CRASHREPORTER_DISABLE": "1",
                },
            )

        def listening() -> bool:
            return port_file.exists() and port_file.read_text().strip() != ""

        wait_until(
            lambda: listening() or process.poll() is not None,
            "Firefox listens for Marionette",
            timeout_seconds=60,
        )
        if process.returncode is None:
            return int(port_file.read_text())
        self._process = None
        warnings.warn(f"Firefox ended at its start, with {process.returncode}", stacklevel=4)
        return None

    def quit(self) -> None:
        """Quit as a person does: Firefox writes its profile, so that `start` finds everything again."""
        assert self._process
        self._marionette.send("Marionette:Quit", {"flags": ["eAttemptQuit"]})
        self._process.wait(20)
        self._marionette.close()
        self._process = None

    def kill(self) -> None:
        """End the browser at once, if it runs."""
        if self._process:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
            self._marionette.close()
            self._process = None

    # Tabs

    def tabs(self) -> list[str]:
        """Return the address of every open tab; the last one becomes the current one."""
        addresses = []
        for handle in self._marionette.send("WebDriver:GetWindowHandles"):
            self._switch(handle)
            addresses.append(self._marionette.send("WebDriver:GetCurrentURL"))
        return addresses

    def close_all_tabs(self) -> None:
        """Leave one empty tab, so that no page is open anywhere."""
        old = self._marionette.send("WebDriver:GetWindowHandles")
        new = self._marionette.send("WebDriver:NewWindow", {"type": "tab", "focus": True})["handle"]
        for handle in old:
            self._switch(handle)
            self._marionette.send("WebDriver:CloseWindow")
        self._switch(new)

    def switch_to(self, address_part: str, *, timeout_seconds: float = 20) -> None:
        """Make the first tab whose address contains this the current one, waiting for it to open."""

        def found() -> bool:
            for handle in self._marionette.send("WebDriver:GetWindowHandles"):
                try:
                    self._switch(handle)
                    if address_part in self._marionette.send("WebDriver:GetCurrentURL"):
                        return True
                except MarionetteError:  # the tab went, or is being replaced, while we looked
                    continue
            return False

        wait_until(found, f"a tab at {address_part}", timeout_seconds=timeout_seconds)

    def _switch(self, handle: str) -> None:
        self._marionette.send("WebDriver:SwitchToWindow", {"handle": handle, "focus": False})

    # The current tab

    def open(self, address: str) -> None:
        """Go to an address and wait until it is loaded."""
        self._marionette.send("WebDriver:Navigate", {"url": address})

    def click(self, css: str, *, timeout_seconds: float = 20) -> None:
        """Click an element as a person does, once it can be clicked."""

        def clicked() -> bool:
            try:
                element = self._marionette.send(
                    "WebDriver:FindElement", {"using": "css selector", "value": css}
                )
                self._marionette.send("WebDriver:ElementClick", {"id": element[ELEMENT]})
            except MarionetteError as error:
                if error.reason in NOT_YET:
                    return False
                raise
            return True

        wait_until(clicked, f"{css} can be clicked", timeout_seconds=timeout_seconds)

    def wait_for(self, css: str, *, timeout_seconds: float = 20) -> None:
        """Wait until there is such an element."""
        wait_until(lambda: self.text(css) is not None, f"there is {css}", timeout_seconds=timeout_seconds)

    def evaluate(self, script: str, *arguments: object) -> Any:
        """Run the body of an async function in the page and return what it returns; raises PageLeftError."""
        wrapped = (
            "const done = arguments[arguments.length - 1];"
            f"(async (...args) => {{ {script} }})(...Array.from(arguments).slice(0, -1))"
            ".then(value => done({value}), error => done({error: String(error)}));"
        )
        try:
            answer = self._marionette.send(
                "WebDriver:ExecuteAsyncScript", {"script": wrapped, "args": list(arguments), "sandbox": None}
            )
        except MarionetteError as error:
            if "unloaded" in str(error):
                raise PageLeftError from error
            raise
        if answer is None:
            raise PageLeftError
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer.get("value")

    def text(self, css: str) -> str | None:
        """Return the visible text of the first such element, None if there is none, or the page is left."""
        try:
            text: str | None = self.evaluate(
                "return document.querySelector(args[0])?.innerText ?? null;", css
            )
        except PageLeftError:
            return None
        return text

    def set_offline(self, offline: bool) -> None:
        """Cut every tab and worker off from the network, this machine included, or let them back."""
        self._marionette.send("Marionette:SetContext", {"value": "chrome"})
        # Firefox offline still reaches this machine, unless by the proxy that does not exist.
        script = """Services.prefs.setBoolPref("network.proxy.allow_hijacking_localhost", arguments[0]);
                    Services.io.offline = arguments[0];"""
        self._marionette.send("WebDriver:ExecuteScript", {"script": script, "args": [offline]})
        self._marionette.send("Marionette:SetContext", {"value": "content"})

    def press(self, key: str) -> None:
        """Press one key where the focus is: a character, or a WebDriver key code."""
        keys = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
        actions = [{"type": "key", "id": "keyboard", "actions": keys}]
        self._marionette.send("WebDriver:PerformActions", {"actions": actions})

    def screenshot(self) -> bytes:
        """Return the current tab as a PNG."""
        return base64.b64decode(self._marionette.send("WebDriver:TakeScreenshot", {"full": False}))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def program() -> str:
    """Return the path of Firefox ESR, or of Firefox where that is what the system has."""
    return shutil.which("firefox-esr") or shutil.which("firefox") or "firefox-esr"


def missing() -> str | None:
    """Return what the machine lacks for this, or None."""
    if not shutil.which(program()):
        return "Firefox is not installed (Debian: firefox-esr)"
    # Firefox loads it when it first shows something on the desktop.
    return None if find_library("notify") else "libnotify is not installed (Debian: libnotify4)"
