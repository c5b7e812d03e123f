"""What it was measured on: the machine, the versions, the commit, how busy it was.

In: nothing. Out: what stands in the report. Touches: starts programs that print their version.
"""

import os
import platform
import re
import ssl
import subprocess
from pathlib import Path

import psutil

from tests.bench.section import Figures

ROOT = Path(__file__).parents[2]


def machine() -> Figures:
    """Return the processor, the cores, the memory and the system."""
    return {
        "processor": _processor(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
    }


def versions() -> Figures:
    """Return the versions of what does the work."""
    import pycurl

    from taskbell_local.binaries import programs

    found = dict(re.findall(r"(\S+)/(\S+)", pycurl.version))
    return {
        "python": platform.python_version(),
        "postgres": _said(str(programs(None) / "postgres"), "--version").rpartition(" ")[2] or None,
        "libcurl": found.get("libcurl"),
        "nghttp2": found.get("nghttp2"),
        "openssl_of_libcurl": found.get("OpenSSL"),
        "openssl_of_python": ssl.OPENSSL_VERSION.split()[1],
        "openssl_of_cryptography": _openssl_of_cryptography(),
        "node": _said("node", "--version").removeprefix("v") or None,
    }


def commit() -> Figures:
    """Return the commit, and whether files differ from it."""
    return {
        "commit": _said("git", "-C", str(ROOT), "rev-parse", "HEAD") or None,
        "changed_files": len(_said("git", "-C", str(ROOT), "status", "--porcelain").splitlines()),
    }


def load() -> list[float]:
    """Return the load average of the last 1, 5 and 15 minutes."""
    return [round(one, 2) for one in os.getloadavg()]


def _openssl_of_cryptography() -> str:
    from cryptography.hazmat.backends.openssl import backend

    return backend.openssl_version_text().split()[1]


def _processor() -> str:
    names = re.findall(r"^model name\s*: (.+)$", _read(Path("/proc/cpuinfo")), re.MULTILINE)
    return names[0] if names else platform.processor()


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
