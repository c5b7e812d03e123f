"""`taskbell page`: what a web host is given, and how it may be kept."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from taskbell_local import places
from taskbell_local.errors import StackError
from taskbell_local.page_build import ENTRIES, ROOT, VERSIONS_KEPT, build
from tests.functions.local_stack import COMMAND_SECONDS, TASKBELL
from tests.functions.served_page import asked

NAMED = re.compile(r"/v-[0-9a-f]{12}/[\w./${}-]+")
CLIENT = b'// not lean, and not ours\nexport const address = "/js/app.js";\n'


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of the page's sources, to be changed."""
    return Path(shutil.copytree(places.WEB, tmp_path / "web"))


def test_the_root_has_what_must_keep_its_name_and_all_else_lies_in_one_folder(tmp_path: Path) -> None:
    built = build(places.WEB, tmp_path / "page")
    served = contents(tmp_path / "page")
    assert {*ROOT, *ENTRIES} == {name for name in served if not name.startswith(f"{built.version}/")}
    assert built.files == len(served)
    assert f"{built.version}/js/app.js" in served
    assert [name for name in served if name.endswith(".d.ts") or "tsconfig" in name] == []


def test_the_same_sources_give_the_same_bytes(tmp_path: Path, sources: Path) -> None:
    for path in sources.rglob("*"):
        os.utime(path, (0, 0))
    ours, theirs = build(places.WEB, tmp_path / "ours"), build(sources, tmp_path / "theirs")
    assert ours == theirs
    assert contents(tmp_path / "ours") == contents(tmp_path / "theirs")


@pytest.mark.parametrize("name", ["js/texts.js", "css/view.css", "index.html", "icons/badge-96.png"])
def test_any_change_gives_another_folder_and_another_worker(tmp_path: Path, sources: Path, name: str) -> None:
    before = build(sources, tmp_path / "before")
    changed = sources / name
    changed.write_bytes(changed.read_bytes() + b"\n/* changed */ x")
    after = build(sources, tmp_path / "after")
    assert before.version != after.version
    assert (tmp_path / "before/sw.js").read_bytes() != (tmp_path / "after/sw.js").read_bytes()


def test_a_comment_in_a_source_changes_nothing(tmp_path: Path, sources: Path) -> None:
    before = build(sources, tmp_path / "before")
    script = sources / "js/app.js"
    script.write_text("// One more remark.\n" + script.read_text())
    assert before == build(sources, tmp_path / "after")


def test_every_address_that_a_file_names_is_there(tmp_path: Path) -> None:
    built = build(places.WEB, tmp_path, {"realtime.js": CLIENT})
    served = contents(tmp_path)
    text = {name: body.decode() for name, body in served.items() if not name.endswith(".png")}
    named = {
        address for name, body in text.items() if "vendor/" not in name for address in NAMED.findall(body)
    }
    assert len(named) > 30
    plain = {address for address in named if "$" not in address}
    assert {address for address in plain if address[1:] not in served} == set()
    assert f"/{built.version}/js/${{name}}.js" in named - plain
    # No address was forgotten: nothing of ours is named at the root but what lies there.
    tops = "|".join(path.name for path in places.WEB.iterdir() if path.name not in ROOT)
    forgotten = re.compile(rf"[\"'`(]/(?:{tops})\b")
    assert [name for name, body in text.items() if "vendor/" not in name and forgotten.search(body)] == []


def test_what_other_pages_import_keeps_its_name(tmp_path: Path) -> None:
    built = build(places.WEB, tmp_path)
    for name in ENTRIES:
        assert (tmp_path / name).read_text() == f'export * from "/{built.version}/{name}";\n'
        assert (tmp_path / built.version / name).is_file()


def test_what_is_not_ours_is_served_as_it_is(tmp_path: Path) -> None:
    built = build(places.WEB, tmp_path, {"realtime.js": CLIENT})
    assert (tmp_path / built.version / "vendor/realtime.js").read_bytes() == CLIENT


def test_former_versions_stay_for_open_pages_until_there_are_too_many(tmp_path: Path, sources: Path) -> None:
    versions = []
    for number in range(VERSIONS_KEPT + 2):
        (sources / "app.css").write_text(f"a {{ order: {number} }}")
        versions.append(build(sources, tmp_path / "page").version)
    kept = {path.name for path in (tmp_path / "page").glob("v-*")}
    assert kept == set(versions[-VERSIONS_KEPT:])
    assert versions[-1] in (tmp_path / "page/index.html").read_text()
    again = build(sources, tmp_path / "page")
    assert again.version == versions[-1]


@pytest.mark.parametrize("strange", ["notes.txt", "v-1", "js/app.js"])
def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path, strange: str) -> None:
    (tmp_path / strange).parent.mkdir(exist_ok=True)
    (tmp_path / strange).write_text("mine")
    with pytest.raises(StackError, match="name another folder"):
        build(places.WEB, tmp_path)
    assert contents(tmp_path) == {strange: b"mine"}


def test_what_lies_in_the_folder_is_kept_for_ever_and_the_rest_asked_for_again(tmp_path: Path) -> None:
    version = build(places.WEB, tmp_path).version
    *root, script, missing = asked(
        tmp_path, "/", "/sw.js", "/manifest.webmanifest", f"/{version}/js/app.js", f"/{version}/js/none.js"
    )
    assert [(200, "no-cache")] * 3 == [(status, headers["Cache-Control"]) for status, headers in root]
    assert script[0] == 200
    assert script[1]["Cache-Control"] == "public, max-age=31536000, immutable"
    assert script[1]["Content-Encoding"] == "gzip"
    assert missing[0] == 404


def test_the_command_says_how_large_the_page_is_and_how_to_serve_it(tmp_path: Path) -> None:
    without_npm = {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run(
        [TASKBELL, "page", tmp_path / "page"],
        capture_output=True,
        text=True,
        env=without_npm,
        timeout=COMMAND_SECONDS,
    )
    assert (done.returncode, done.stderr) == (0, "")
    first, size, lack, forever, rest = done.stdout.splitlines()
    assert re.fullmatch(r"built .*/page: \d+ files, v-[0-9a-f]{12}", first)
    assert re.fullmatch(r"  a first visit loads [\d,]+ bytes \(gzip\), \d+ files", size)
    assert lack.startswith("  NOT BUNDLED: Supabase's Realtime client (no npm here)")
    assert "max-age=31536000, immutable" in forever
    assert "no-cache" in rest


def test_the_command_refuses_a_folder_of_something_else_in_one_sentence() -> None:
    done = subprocess.run(
        [TASKBELL, "page", places.ROOT], capture_output=True, text=True, timeout=COMMAND_SECONDS
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("holds something else than a built page: name another folder.\n")
