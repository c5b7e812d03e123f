"""When a notification has to wait: quiet hours and bursts.

In: preferences, counts and the time. Out: the instant until which to hold, or None. Pure.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from taskbell.model import Preferences

BURST = 3
"""How many notifications a user gets within a minute before the rest wait for a digest."""


def quiet_until(preferences: Preferences, now: datetime) -> datetime | None:
    """Return when the user's quiet hours end (UTC) if `now` lies within them, else None.

    The hours are wall-clock times, the first included and the last not. Where a clock change skips the end,
    it is the instant at which the skipped hour would have ended; where the end comes twice, the first of the
    two. Equal times mean no quiet hours. A time zone that nobody knows counts as UTC.
    """
    hours = preferences.quiet_hours
    if hours is None or hours.start == hours.end:
        return None
    zone = _zone(preferences.time_zone)
    local = now.astimezone(zone)
    clock = local.time()
    if hours.start < hours.end:
        quiet, days = hours.start <= clock < hours.end, 0
    else:
        quiet, days = clock >= hours.start or clock < hours.end, int(clock >= hours.start)
    if not quiet:
        return None
    end = datetime.combine(local.date() + timedelta(days=days), hours.end, tzinfo=zone).astimezone(UTC)
    if end <= now:
        # The clock was set back within the quiet hours: the end comes again an hour later.
        end = datetime.combine(local.date(), hours.end.replace(fold=1), tzinfo=zone).astimezone(UTC)
    return end if end > now else None


def minute_end(now: datetime) -> datetime:
    """Return the next full minute after `now`.

    Everything that a burst holds falls due at one instant, and a user hears of it once a minute at most.
    """
    return now.replace(second=0, microsecond=0) + timedelta(minutes=1)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; malformed; the name of a folder
        return ZoneInfo("UTC")
