"""The desktop, as far as a browser's notifications are concerned: a private D-Bus with a notification daemon.

In: the browser's calls of org.freedesktop.Notifications.
Out: a record of what the desktop would show, and a person's clicks and dismissals, which browsers trust.
Touches: one `dbus-daemon` process, its settings and socket in a temporary folder.
Source: Desktop Notifications Specification 1.2.
"""

import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusDict, DBusInt32, DBusSignature, DBusStr, DBusUInt32
from dbus_fast.service import ServiceInterface, dbus_method, dbus_signal

from tests.stand_ins.background import Background
from tests.stand_ins.record import Record

NAME = "org.freedesktop.Notifications"
PATH = "/org/freedesktop/Notifications"
DISMISSED_BY_USER = 2  # reasons of NotificationClosed
CLOSED_BY_APPLICATION = 3

Texts = Annotated[list[str], DBusSignature("as")]
IdAndReason = Annotated[list[int], DBusSignature("uu")]
IdAndKey = Annotated[list[int | str], DBusSignature("us")]
FourTexts = Annotated[list[str], DBusSignature("ssss")]

# A bus that starts no services of the machine's: nothing is on it but the browser and us.
SETTINGS = """
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>{address}</listen>
  <policy context="default">
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


@dataclass(frozen=True)
class Shown:
    """One notification as the desktop got it.

    `actions` alternates keys and labels; `seen_at` is in seconds since the epoch.
    """

    id: int
    title: str
    body: str
    actions: tuple[str, ...]
    seen_at: float


class _Interface(ServiceInterface):
    """The D-Bus object itself; its method names are the specification's."""

    def __init__(self, shown: Record[Shown], closed: Record[int]) -> None:
        super().__init__(NAME)
        self.on_screen: dict[int, Shown] = {}
        self._shown = shown
        self._closed = closed
        self._last_id = 0

    @dbus_method("Notify")
    def notify(
        self,
        app_name: DBusStr,  # noqa: ARG002 (the signature is the specification's)
        replaces_id: DBusUInt32,
        icon: DBusStr,  # noqa: ARG002
        summary: DBusStr,
        body: DBusStr,
        actions: Texts,
        hints: DBusDict,  # noqa: ARG002
        expire_timeout: DBusInt32,  # noqa: ARG002
    ) -> DBusUInt32:
        if not replaces_id:
            self._last_id += 1
        shown = Shown(replaces_id or self._last_id, summary, body, tuple(actions), time.time())
        self.on_screen[shown.id] = shown
        self._shown.add(shown)
        return shown.id

    @dbus_method("CloseNotification")
    def close_notification(self, notification_id: DBusUInt32) -> None:
        self.leave_screen(notification_id, CLOSED_BY_APPLICATION)

    @dbus_method("GetCapabilities")
    def get_capabilities(self) -> Texts:
        return ["actions", "body", "persistence"]

    @dbus_method("GetServerInformation")
    def get_server_information(self) -> FourTexts:
        return ["desktop", "tests", "1", "1.2"]

    @dbus_signal("ActionInvoked")
    def action_invoked(self, notification_id: int, key: str) -> IdAndKey:
        return [notification_id, key]

    @dbus_signal("NotificationClosed")
    def notification_closed(self, notification_id: int, reason: int) -> IdAndReason:
        return [notification_id, reason]

    def leave_screen(self, notification_id: int, reason: int) -> None:
        if self.on_screen.pop(notification_id, None):
            self._closed.add(notification_id)
            self.notification_closed(notification_id, reason)


class NotificationDaemon:
    """A desktop of its own: give `address` to a browser as DBUS_SESSION_BUS_ADDRESS."""

    def __init__(self, background: Background) -> None:
        self.shown: Record[Shown] = Record("notification on the desktop")
        self.closed: Record[int] = Record("notification closed")
        self._background = background
        self._interface = _Interface(self.shown, self.closed)
        self._folder = Path(tempfile.mkdtemp(prefix="bus-"))
        self.address = f"unix:path={self._folder / 'bus'}"
        settings = self._folder / "settings.xml"
        settings.write_text(SETTINGS.format(address=self.address))
        log = self._folder / "log"
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(
                ["dbus-daemon", f"--config-file={settings}", "--nofork", "--nopidfile", "--print-address=1"],
                stdout=subprocess.PIPE,
                stderr=stderr,
            )
        assert self._process.stdout
        if not self._process.stdout.readline():  # it prints its address once it listens
            raise RuntimeError(f"dbus-daemon ended at its start: {log.read_text()}")
        self._bus = background.run(self._connect())

    async def _connect(self) -> MessageBus:
        bus = await MessageBus(bus_address=self.address).connect()
        bus.export(PATH, self._interface)
        await bus.request_name(NAME)
        return bus

    def on_screen(self) -> list[Shown]:
        """Return what the desktop shows now, oldest first."""
        return self._background.call(lambda: list(self._interface.on_screen.values()))

    def click(self, shown: Shown, action: str = "default") -> None:
        """Click a notification, or one of its action buttons, as a person does; it stays on the screen."""
        self._background.call(self._interface.action_invoked, shown.id, action)

    def dismiss(self, shown: Shown) -> None:
        """Close a notification as a person does."""
        self._background.call(self._interface.leave_screen, shown.id, DISMISSED_BY_USER)

    def clear(self) -> None:
        """Dismiss everything on the screen."""
        for shown in self.on_screen():
            self.dismiss(shown)

    def close(self) -> None:
        """End the bus and remove its folder."""
        self._background.run(self._disconnect())
        self._process.terminate()
        self._process.wait(10)
        assert self._process.stdout
        self._process.stdout.close()
        shutil.rmtree(self._folder)

    async def _disconnect(self) -> None:
        self._bus.disconnect()
        await self._bus.wait_for_disconnect()  # type: ignore[no-untyped-call]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def missing() -> str | None:
    """Return what the machine lacks for this, or None."""
    return None if shutil.which("dbus-daemon") else "dbus-daemon is not installed (Debian: dbus)"
