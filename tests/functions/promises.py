"""What a promise of speed is held to on a machine that has something else to do."""

import os


def allowed(seconds: float) -> float:
    """Return the seconds promised for an idle machine, half as many again, or stretched by its load."""
    return seconds * max(1.5, 1 + os.getloadavg()[0])
