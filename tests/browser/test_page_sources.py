"""The page's sources hold together: what is named exists, what exists is kept for offline."""

import re
from pathlib import Path

import pytest

from taskbell_local import places
from taskbell_local.page_files import lean

WEB = places.WEB
SCRIPTS = sorted(WEB.rglob("*.js"))


def read(name: str) -> str:
    return (WEB / name).read_text()


def kept_offline() -> set[str]:
    """Return what worker/shell.js lists."""
    listed = re.search(r"const FILES = \[(.*?)\];", read("worker/shell.js"), re.DOTALL)
    assert listed
    files, modules = listed[1].split("...[")
    names = set(re.findall(r'"(/[^"]*)"', files))
    return names | {f"/js/{name}.js" for name in re.findall(r'"([\w.-]+)"', modules)}


def imported_by(module: Path) -> set[Path]:
    """Return the modules that one imports at once, and what those import."""
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        this = waiting.pop()
        for name in re.findall(r'^(?:import|export)[^"(]*"(\./[^"]+)"', this.read_text(), re.MULTILINE):
            imported = (this.parent / name).resolve()
            if imported not in found:
                found.add(imported)
                waiting.append(imported)
    return found


def test_every_module_and_stylesheet_is_kept_for_offline() -> None:
    files = {f"/{path.relative_to(WEB)}" for path in [*WEB.glob("js/*.js"), *WEB.rglob("*.css")]}
    assert files == {name for name in kept_offline() if name.endswith((".js", ".css"))}
    missing = {name for name in kept_offline() - {"/"} if not (WEB / name[1:]).is_file()}
    assert set() == missing


def test_exactly_what_the_first_view_imports_is_preloaded() -> None:
    preloaded = set(re.findall(r'rel="modulepreload" href="(/js/[^"]+)"', read("index.html")))
    assert {f"/js/{path.name}" for path in imported_by(WEB / "js" / "app.js")} == preloaded


def test_every_file_that_the_page_and_the_worker_name_exists() -> None:
    named = set(re.findall(r'(?:href|src)="(/[^"#?]+)"', read("index.html")))
    named |= set(re.findall(r'"src": "(/[^"]+)"', read("manifest.webmanifest")))
    named |= set(re.findall(r'"(/(?:js|worker)/[^"]+)"', read("sw.js")))
    assert set() == {name for name in named if not (WEB / name[1:]).is_file()}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_taking_comments_away_takes_nothing_else(path: Path) -> None:
    text = path.read_text()
    # Only a template literal, or a regular expression, could make a line of code look like a comment.
    assert [] == [line for line in text.splitlines() if line.count("`") % 2]
    dropped = [
        line.strip() for line in text.splitlines() if line.strip() not in lean(text, ".js").splitlines()
    ]
    assert [] == [line for line in dropped if line and not line.startswith(("//", "/*", "*"))]


def test_no_source_names_another_site() -> None:
    addresses = {
        address
        for path in [*SCRIPTS, *WEB.rglob("*.css"), WEB / "index.html"]
        for address in re.findall(r"\b(?:https?|wss?)://[^\s\"'`;)]+", lean(path.read_text(), path.suffix))
    }
    # Where Supabase signs people in, as far as the page's own policy allows; and a name that no one fetches.
    assert {"https://*.supabase.co", "wss://*.supabase.co", "http://www.w3.org/2000/svg"} == addresses
