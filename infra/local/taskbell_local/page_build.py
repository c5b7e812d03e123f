"""Builds the page as a web host serves it.

In: the page's sources. Out: a folder,

    index.html, sw.js, manifest.webmanifest     whose names stay: ask for them again each time
    js/elements.js                              the same: what other pages import, it only points on
    v-<hash>/js/app.js, v-<hash>/css/…          whose names change with their content: keep them for ever

The hash is of the whole page, so that a worker, which lists the files it keeps, changes with any of them. The
sources are only made lean and told the folder's name, nothing is bundled: a browser loads what they name.
Touches: that folder. Former versions in it stay for a while, as pages that are open load from them.
"""

import gzip
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from taskbell_local.errors import StackError
from taskbell_local.page_files import COMMENTS, COMPRESSED, VERSION, lean

ROOT = ("manifest.webmanifest", "sw.js", "index.html")
"""What stays at the root, in the order of writing: whoever reads the last finds what it names."""
ENTRIES = ("js/elements.js",)
"""Modules that other pages import by their names."""
NOT_SERVED = re.compile(r"\.d\.ts$|(?:^|/)(?:tsconfig[^/]*|\.[^/]*)$")
VENDOR = "vendor/"
"""Other people's files: served as they are."""
VERSIONS_KEPT = 3

Files = Mapping[str, bytes]
"""Content by name, with slashes."""


@dataclass(frozen=True)
class Built:
    """What was written; `first_load_bytes` is what a first visit loads, compressed, without its data."""

    version: str
    files: int
    first_load_bytes: int
    first_load_files: int


def build(sources: Path, out: Path, vendored: Files | None = None) -> Built:
    """Write the page; `vendored` are files to put below vendor/. The same sources give the same bytes.

    Raises StackError as `check` does.
    """
    check(out)
    files = {**_lean(sources), **{VENDOR + name: body for name, body in (vendored or {}).items()}}
    version = f"v-{_hash(files)}"
    served = _addressed(files, version)
    _write(served, out, version)
    first = _first_load(served)
    return Built(
        version=version,
        files=len(served),
        first_load_bytes=sum(_travels(name, served[name]) for name in first),
        first_load_files=len(first),
    )


def check(out: Path) -> None:
    """Let the folder be there; raises StackError if it cannot, or if it holds anything but a built page."""
    names = (path.relative_to(out).as_posix() for path in out.rglob("*") if not path.is_dir())
    ours = (*ENTRIES, *ROOT)
    if (out.exists() and not out.is_dir()) or any(n not in ours and not VERSION.match(n) for n in names):
        raise StackError("not_a_page", f"{out} holds something else than a built page: name another folder.")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StackError(
            "cannot_write", f"{out} cannot be written ({error.strerror}): name another folder."
        ) from error


def _lean(sources: Path) -> dict[str, bytes]:
    files = {}
    for path in sorted(sources.rglob("*")):
        name = path.relative_to(sources).as_posix()
        if path.is_file() and not NOT_SERVED.search(name):
            body = path.read_bytes()
            files[name] = lean(body.decode(), path.suffix).encode() if path.suffix in COMMENTS else body
    return files


def _hash(files: Files) -> str:
    digest = hashlib.sha256()
    for name, body in sorted(files.items()):
        digest.update(f"{name}\0{len(body)}\0".encode() + body)
    return digest.hexdigest()[:12]


def _addressed(files: Files, version: str) -> dict[str, bytes]:
    """Return the files under their new names, with what they say of each other's addresses."""
    tops = {PurePosixPath(name).parts[0] for name in files if name not in ROOT} | {VENDOR.rstrip("/")}
    # An address begins a text in quotes, backquotes or url(): "/js/app.js", `/css/${name}.css`.
    address = re.compile(rb"(?<=[\"'`(])/(?=(?:%s)\b)" % b"|".join(re.escape(top.encode()) for top in tops))
    served = {}
    for name, body in files.items():
        ours = PurePosixPath(name).suffix in COMPRESSED and not name.startswith(VENDOR)
        told = address.sub(f"/{version}/".encode(), body) if ours else body
        served[name if name in ROOT else f"{version}/{name}"] = told
    pointers = {name: f'export * from "/{version}/{name}";\n'.encode() for name in ENTRIES if name in files}
    return served | pointers


def _write(served: Files, out: Path, version: str) -> None:
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as unfinished:
        for name, body in served.items():
            path = Path(unfinished, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        shutil.rmtree(out / version, ignore_errors=True)
        Path(unfinished, version).replace(out / version)
        for name in (name for name in (*ENTRIES, *ROOT) if name in served):
            (out / name).parent.mkdir(exist_ok=True)
            Path(unfinished, name).replace(out / name)
    os.utime(out / version)
    versions = (path for path in out.iterdir() if VERSION.fullmatch(path.name))
    for old in sorted(versions, key=lambda path: path.stat().st_mtime_ns, reverse=True)[VERSIONS_KEPT:]:
        shutil.rmtree(old)


def _first_load(served: Files) -> set[str]:
    """Return what the page loads before anybody clicks: itself, and what it names but for iPhones."""
    named = re.findall(r'(?:href|src)="/([^"#?]+)"', served["index.html"].decode())
    return {"index.html", *(name for name in named if name in served and "apple-touch" not in name)}


def _travels(name: str, body: bytes) -> int:
    zipped = PurePosixPath(name).suffix in COMPRESSED
    return len(gzip.compress(body, mtime=0)) if zipped else len(body)
