"""The page's files as they travel: without comments and indentation, compressed, kept in memory.

In: the page's folder, its sources or what `page_build` made of them, and a path. Out: bytes, their ETag,
Content-Encoding and Cache-Control. Touches: that folder, to read.
"""

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

CONTENT_TYPES = {
    ".webmanifest": "application/manifest+json",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
}
COMPRESSED = (".html", ".css", ".js", ".mjs", ".svg", ".webmanifest")
# Comments that have lines to themselves. Nothing else of ours starts a line like that: a test holds us to
# template literals that end where they begin.
COMMENTS = {
    ".js": re.compile(r"^[ \t]*(?://[^\n]*|/\*(?:[^*]|\*(?!/))*\*/[ \t]*)$", re.MULTILINE),
    ".css": re.compile(r"^[ \t]*/\*(?:[^*]|\*(?!/))*\*/[ \t]*$", re.MULTILINE),
    ".html": re.compile(r"^[ \t]*<!--(?:[^-]|-(?!->))*-->[ \t]*$", re.MULTILINE),
}
VERSION = re.compile(r"/?v-[0-9a-f]{12}(?:/|$)")
"""A folder of a built page, named after its content: what lies in it never changes."""
FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"  # with the ETag: a worker or a script must never be old
INDENTATION = re.compile(r"^[ \t\n]+", re.MULTILINE)


@dataclass(frozen=True)
class PageFile:
    """One answer; `encoding` is a Content-Encoding or None, `varies` whether others would get another one.

    `cache_control` is how long whom may keep it.
    """

    body: bytes
    etag: str
    content_type: str
    encoding: str | None
    varies: bool
    cache_control: str


class PageFiles:
    """Reads a file when it has changed, else has it in memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._known: dict[tuple[Path, bool], tuple[tuple[int, int], PageFile]] = {}

    def read(self, name: str, *, takes_gzip: bool) -> PageFile | None:
        """Return the page's file of that name; None for what lies outside, is hidden or is no name at all."""
        path = self._find(name)
        if path is None:
            return None
        status = path.stat()
        mark = (status.st_mtime_ns, status.st_size)
        known = self._known.get((path, takes_gzip))
        if known is None or known[0] != mark:
            built = VERSION.match(path.relative_to(self._folder).as_posix()) is not None
            known = (mark, _read(path, takes_gzip=takes_gzip, built=built))
            self._known[path, takes_gzip] = known
        return known[1]

    def _find(self, name: str) -> Path | None:
        try:
            path = (self._folder / name.lstrip("/")).resolve()
            inside = path.relative_to(self._folder)
            path = path if inside.parts else path / "index.html"
            return path if path.is_file() and not any(part.startswith(".") for part in inside.parts) else None
        except (ValueError, OSError):
            return None


def lean(text: str, suffix: str) -> str:
    """Take the comments that fill lines, and the indentation, out of a source."""
    if suffix not in COMMENTS:
        return text
    return INDENTATION.sub("", COMMENTS[suffix].sub("", text))


def _read(path: Path, *, takes_gzip: bool, built: bool) -> PageFile:
    body = path.read_bytes()
    if path.suffix in COMMENTS and not built:
        body = lean(body.decode(), path.suffix).encode()
    varies = path.suffix in COMPRESSED
    zipped = varies and takes_gzip
    kind = CONTENT_TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return PageFile(
        body=gzip.compress(body, mtime=0) if zipped else body,
        etag=f'"{hashlib.sha256(body).hexdigest()[:16]}{"-gzip" if zipped else ""}"',
        content_type=kind + ("; charset=utf-8" if kind.startswith("text/") else ""),
        encoding="gzip" if zipped else None,
        varies=varies,
        cache_control=FOREVER if built else ASK_AGAIN,
    )
