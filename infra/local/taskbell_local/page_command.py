"""`taskbell page OUT`: builds the page for a web host, and says how it has to be served.

In: a folder. Out: lines for a person. Touches: that folder, and the npm registry for Supabase's client.
"""

import shutil
import tempfile
from pathlib import Path

from taskbell_local import page_build, places, realtime_client
from taskbell_local.errors import StackError
from taskbell_local.page_files import ASK_AGAIN, FOREVER


def run(out: Path) -> None:
    """Build the page into `out` and print what it is."""
    page_build.check(out)  # before what takes long
    vendored, lack = _realtime()
    built = page_build.build(places.WEB, out, vendored)
    print(f"built {out}: {built.files} files, {built.version}")
    print(f"  a first visit loads {built.first_load_bytes:,} bytes (gzip), {built.first_load_files} files")
    if lack:
        print(f"  NOT BUNDLED: Supabase's Realtime client ({lack}): pages will hold requests open instead")
    print(f"  serve v-*/ with Cache-Control: {FOREVER}")
    print(f"  serve all else with Cache-Control: {ASK_AGAIN}; pass /v1/* on to the function api")


def _realtime() -> tuple[dict[str, bytes], str | None]:
    """Return Supabase's Realtime client by its name below vendor/, or why it could not be had."""
    if shutil.which("npm") is None:
        return {}, "no npm here"
    with tempfile.TemporaryDirectory(prefix="taskbell-vendor-") as folder:
        try:
            client = realtime_client.bundle(Path(folder))
        except StackError as error:
            return {}, str(error)
        return {client.name: client.read_bytes()}, None
