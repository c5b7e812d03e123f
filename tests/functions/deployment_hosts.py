"""What two web hosts serve: a Supabase project's address, and the page's as Firebase Hosting does it.

In: other servers' addresses, a folder that `firebase deploy` left. Out: who answers which path.
Touches: that folder, to read it.
"""

from __future__ import annotations

import json
import mimetypes
import re
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.stand_ins.web_host import Serve


def project(rest: str, keys: str) -> Serve:
    """Serve what a Supabase project has at its address: its Data API, and the keys of its Auth."""

    def serve(path: str) -> web.Response | str:
        if path.startswith("/rest/v1/"):
            return rest
        return keys if path.startswith("/auth/v1/") else web.Response(status=404)

    return serve


def hosting(folder: Path, addresses: dict[str, str]) -> Serve:
    """Serve what `firebase deploy` left in a folder, by its firebase.json; `addresses` are Cloud Run's."""

    def serve(path: str) -> web.Response | str:
        if not folder.exists():
            return web.Response(status=404, text="Site Not Found")
        rules = json.loads((folder / "firebase.json").read_text())["hosting"]
        for rewrite in rules["rewrites"]:
            if _matches(rewrite["source"], path):
                return addresses[rewrite["run"]["serviceId"]]
        name = path.strip("/") or "index.html"
        file = folder / "page" / name
        if not file.is_file():
            return web.Response(status=404, text="Page Not Found")
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return web.Response(body=file.read_bytes(), headers={"Content-Type": kind} | _headers(rules, path))

    return serve


def _headers(rules: dict[str, Any], path: str) -> dict[str, str]:
    """Return the headers of each rule that matches; of two values the last one's holds."""
    matching = (rule["headers"] for rule in rules["headers"] if _matches(rule["source"], path))
    return {header["key"]: header["value"] for headers in matching for header in headers}


def _matches(glob: str, path: str) -> bool:
    """Tell whether one of Firebase's globs means a path."""
    pattern = re.escape(glob.lstrip("/")).replace(r"\*\*/", "(?:.*/)?").replace(r"\*\*", ".*")
    return re.fullmatch(pattern.replace(r"\*", "[^/]*"), path.lstrip("/")) is not None
