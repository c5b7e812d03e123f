"""What a person sees on the desktop while one story is told."""

from tests.stand_ins.notification_daemon import NotificationDaemon, Shown


class Screen:
    """The notifications shown since the story began."""

    def __init__(self, desktop: NotificationDaemon) -> None:
        self._desktop = desktop
        self._mark = desktop.shown.mark()

    def wait_for(self, title: str) -> Shown:
        """Return the notification with this title, waiting for it if need be."""
        return self._desktop.shown.wait_for(lambda shown: shown.title == title, after=self._mark)

    def wait_for_any(self) -> Shown:
        """Return the first notification, waiting for it if need be."""
        return self._desktop.shown.wait_for(lambda _: True, after=self._mark)

    def titles(self) -> list[str]:
        """Return the titles of everything shown so far."""
        return [shown.title for shown in self._desktop.shown.since(self._mark)]
