"""A folder with the packages that are deployed, and none of those that only tests and developers use.

In: names of packages. Out: a folder for PYTHONPATH. Touches: that folder, which it fills with links.

What happens to be installed changes what is loaded: httpx, for one, loads rich and pygments where it finds
them, and a deployed function has neither.
"""

import re
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

from tests.bench.machine import ROOT

_NAME = re.compile(r"[A-Za-z0-9._-]+")


def deployed_packages(folder: Path, *more: str) -> Path:
    """Fill the folder with links to what pyproject.toml deploys and to `more`; returns it.

    `more` may have an extra, such as `psycopg[binary,pool]`.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    local_only = set(project["tool"]["taskbell"]["local-only"])
    names = [one for one in project["project"]["dependencies"] if _name(one) not in local_only]
    for found in _all_needed([*names, *more]):
        for file in found.files or ():
            top = file.parts[0]
            link = folder / top
            if top not in ("..", "__pycache__") and not top.endswith(".pth") and not link.exists():
                link.symlink_to(Path(str(found.locate_file(top))))
    return folder


def python(folder: Path) -> tuple[list[str], dict[str, str]]:
    """Return the command and the environment of a Python that sees this folder beside its own library.

    What it compiles it keeps below the folder: the platform's build, too, compiles what it installs.
    """
    compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    return [sys.executable, "-S"], {"PYTHONPATH": str(folder), **compiled}


def _all_needed(requirements: Iterable[str]) -> list[Distribution]:
    """Return these packages and whatever they need on this machine."""
    found: dict[str, Distribution] = {}
    waiting = [Requirement(one) for one in requirements]
    seen: set[str] = set()
    while waiting:
        wanted = waiting.pop()
        if str(wanted) in seen:
            continue
        seen.add(str(wanted))
        try:
            here = distribution(wanted.name)
        except PackageNotFoundError:
            continue  # of another platform
        found[wanted.name.lower()] = here
        for text in here.requires or ():
            needed = Requirement(text)
            extras = wanted.extras or {""}
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append(needed)
    return list(found.values())


def _name(requirement: str) -> str:
    match = _NAME.match(requirement)
    assert match is not None
    return match[0]
