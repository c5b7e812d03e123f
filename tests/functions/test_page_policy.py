"""What a browser may do with the page and its answers, as the front serves them: as little as works."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from taskbell.api.security import HEADERS
from taskbell_local import places
from tests.functions.served_page import asked

PAGE = places.WEB
FILES = ["/", "/?contact=1", "/sw.js", "/js/app.js", "/app.css", "/manifest.webmanifest"]
NEVER = ["unsafe-inline", "unsafe-eval", "unsafe-hashes", "data:", "blob:", "http:", " * ", " *;"]


def policy(header: str) -> dict[str, list[str]]:
    """Return a Content-Security-Policy by its directives."""
    parts = [part.split() for part in header.split(";") if part.strip()]
    assert len({name for name, *_ in parts}) == len(parts)
    return {name: sources for name, *sources in parts}


class Inline(HTMLParser):
    """Collects what a policy without `unsafe-inline` would refuse, and the policies that the page names."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.policies: list[str] = []
        self._open = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._open = tag if tag in ("script", "style") else ""
        self.found += [f"{tag} {name}" for name in given if name.startswith("on") or name == "style"]
        self.found += [
            f"{tag} {name}"
            for name in ("src", "href")
            if re.match(r"(?i)\s*(javascript|data):", given.get(name) or "")
        ]
        if given.get("http-equiv", "") == "Content-Security-Policy":
            self.policies.append(given["content"] or "")

    def handle_data(self, data: str) -> None:
        if self._open and data.strip():
            self.found.append(f"{self._open}: {data.strip()[:40]}")


@pytest.mark.parametrize("path", FILES)
def test_every_file_of_the_page_comes_with_a_strict_policy(path: str) -> None:
    [(status, headers)] = asked(PAGE, path)
    assert status == 200
    rules = policy(headers["Content-Security-Policy"])
    assert rules["default-src"] == ["'self'"]
    for name in ("object-src", "base-uri", "frame-ancestors"):
        assert rules[name] == ["'none'"]
    assert set(rules) <= {"default-src", "object-src", "base-uri", "form-action", "frame-ancestors"}
    assert not [word for word in NEVER if word in headers["Content-Security-Policy"] + ";"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in headers


def test_the_page_needs_nothing_that_the_policy_refuses() -> None:
    for file in PAGE.rglob("*.html"):
        page = Inline()
        page.feed(file.read_text())
        assert page.found == [], file.name
        for named in page.policies:
            assert policy(named)["default-src"] == ["'self'"]
            assert not [word for word in NEVER if word in named + ";"]
    scripts = list(PAGE.rglob("*.js"))
    assert len(scripts) > 20
    for file in scripts:
        code = file.read_text()
        assert not re.search(
            r"\beval\(|new Function\(|\.innerHTML\s*=|insertAdjacentHTML|document\.write", code
        ), file


def test_the_apis_answers_may_be_neither_run_nor_framed() -> None:
    rules = policy(HEADERS["Content-Security-Policy"])
    assert rules == {name: ["'none'"] for name in ("default-src", "base-uri", "frame-ancestors")}
    assert (HEADERS["X-Content-Type-Options"], HEADERS["Referrer-Policy"]) == ("nosniff", "no-referrer")
