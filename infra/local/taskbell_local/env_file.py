"""Settings in a file of `NAME=value` lines, which a shell can read too."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from taskbell_local.private_file import write_private


def write_env(path: Path, settings: Mapping[str, str]) -> None:
    """Write the settings, quoted for a shell, into a file of mode 0600."""
    write_private(path, "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items()))


def read_env(path: Path) -> dict[str, str]:
    """Read the settings; `export`, quotes, comments and empty lines are understood. Raises OSError."""
    settings = {}
    for line in path.read_text().splitlines():
        for word in shlex.split(line, comments=True):
            name, equals, value = word.partition("=")
            if equals:
                settings[name] = value
    return settings
