"""How long it takes to send pushes to one push service, against other ways to do it, in the same run.

In: nothing. Out: a row for each client, size and distance. Touches: one loopback port, a process that serves
it; npm, for the peer of another language. Run alone: `python -m tests.bench.sending`.

The clients have one core, the push service another. Warm: each client sends once before it is measured. The
rounds of all clients are interleaved, so that a busy machine is busy for all. Python collects garbage as
rarely as in our functions; the peers that share the process gain from it as well.
"""

import contextlib
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import certifi

from taskbell.app import collect_rarely
from tests.bench import sending_node
from tests.bench.section import Figures, Missing, Progress, alone
from tests.bench.sending_clients import IN_FLIGHT, PEERS, Client, Surroundings, Taskbell
from tests.stand_ins.authority import make_identity
from tests.stand_ins.push_messages import new_private_key
from tests.stand_ins.push_service_rules import BrowserKeys

TITLE = "1, 100 and 1,000 pushes to one push service, against other ways to send"
SIZES_BY_DELAY_MS = {30: (1, 100, 1000), 0: (1000,)}
ROUNDS = 5

MakeClient = Callable[[Surroundings], Client]


def measure(progress: Progress, *, quick: bool) -> Figures:
    """Compare all clients; `thousand` says how they stand to each other for 1,000 pushes 30 ms away."""
    rounds, wanted = (1, {30: (1, 100)}) if quick else (ROUNDS, SIZES_BY_DELAY_MS)
    collect_rarely()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as node_folder:
        makers, versions = _makers(Path(node_folder), progress)
        for delay_ms, sizes in wanted.items():
            with tempfile.TemporaryDirectory() as folder, push_service(delay_ms, Path(folder)) as place:
                for size in sizes:
                    done = len(rows) / len(makers) / sum(map(len, wanted.values()))
                    progress(done, f"{size:,} pushes, answered after {delay_ms} ms")
                    rows += compare(makers, place, delay_ms, size, rounds)
    return {"rounds": rounds, "peers": versions, "rows": rows, **_against_ours(rows)}


@contextlib.contextmanager
def push_service(delay_ms: int, folder: Path) -> Iterator[Surroundings]:
    """Run the push service in a process of its own, on the second core if there is one; ours is the first."""
    identity = make_identity(folder)
    trusted = folder / "trusted.pem"  # as many authorities as in real life, whose loading is part of the cost
    trusted.write_bytes(Path(certifi.where()).read_bytes() + identity.ca_file.read_bytes())
    pinned = (os.cpu_count() or 1) > 1 and hasattr(os, "sched_setaffinity")
    program = [sys.executable, "-m", "tests.bench.push_server", str(delay_ms)]
    files = [str(identity.certificate_file), str(identity.key_file)]
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(
            subprocess.Popen([*program, *files, "1" if pinned else "-1"], stdout=subprocess.PIPE, text=True)
        )
        stack.callback(server.terminate)
        if pinned:
            stack.callback(os.sched_setaffinity, 0, os.sched_getaffinity(0))
            os.sched_setaffinity(0, {0})
        stack.enter_context(_environment("REQUESTS_CA_BUNDLE", str(trusted)))
        assert server.stdout
        port = int(server.stdout.readline())
        yield Surroundings(new_private_key(), str(trusted), f"https://localhost:{port}")


def compare(
    makers: list[MakeClient], place: Surroundings, delay_ms: int, size: int, rounds: int
) -> list[dict[str, Any]]:
    """Return one row for each client; where a client sent fewer, its figures are scaled up."""
    keys = BrowserKeys().public_keys()
    subscriptions = [
        {"endpoint": f"{place.origin}/push/{number:0100d}", "keys": keys} for number in range(size)
    ]
    floor_ms = math.ceil(size / IN_FLIGHT) * delay_ms
    with contextlib.ExitStack() as stack:
        clients = [make(place) for make in makers]
        for client in clients:
            stack.callback(client.close)
            client.send(subscriptions[: client.most])
        taken: dict[str, list[tuple[float, float]]] = {client.name: [] for client in clients}
        for _ in range(rounds):
            for client in clients:
                taken[client.name].append(_times(client, subscriptions[: client.most]))
        return [_row(client, taken[client.name], delay_ms, size, floor_ms) for client in clients]


def _makers(node_folder: Path, progress: Progress) -> tuple[list[MakeClient], dict[str, str]]:
    import pywebpush

    progress(0, "installing node's web-push")
    versions = {"pywebpush": _version(pywebpush.__name__)}
    makers: list[MakeClient] = list(PEERS)
    try:
        versions["web-push (npm)"] = sending_node.install(node_folder)
        makers.append(lambda place: sending_node.NodeWebPush(place, node_folder))
    except Missing as missing:
        versions["web-push (npm)"] = f"NOT MEASURED: {missing}"
        print(f"\n{missing}", file=sys.stderr)
    return [*makers, Taskbell], versions


def _times(client: Client, subscriptions: list[dict[str, Any]]) -> tuple[float, float]:
    """Send once and return wall and processor time in milliseconds."""
    wall, cpu = time.perf_counter(), client.cpu_seconds()
    client.send(subscriptions)
    return (time.perf_counter() - wall) * 1e3, (client.cpu_seconds() - cpu) * 1e3


def _row(
    client: Client, taken: list[tuple[float, float]], delay_ms: int, size: int, floor_ms: int
) -> dict[str, Any]:
    sent = min(size, client.most)
    scale = size / sent
    return {
        "delay_ms": delay_ms,
        "pushes": size,
        "client": client.name,
        "wall_ms": round(scale * statistics.median(wall for wall, _ in taken), 2),
        "best_ms": round(scale * min(wall for wall, _ in taken), 2),
        "floor_ms": floor_ms,
        "cpu_us_per_push": round(1e3 * statistics.median(cpu for _, cpu in taken) / sent),
        "sent": sent,
        "every_wall_ms": [round(scale * wall, 2) for wall, _ in taken],
    }


def _against_ours(rows: list[dict[str, Any]]) -> Figures:
    """Return how many times as long as ours each peer takes, and ours as a multiple of the floor.

    The name tells the size, so that no quick run is taken for a measurement.
    """
    size = max(row["pushes"] for row in rows)
    found = {row["client"]: row for row in rows if (row["pushes"], row["delay_ms"]) == (size, 30)}
    ours = found[Taskbell.name]
    ratios = {client: round(row["wall_ms"] / ours["wall_ms"], 2) for client, row in found.items()}
    names = {
        "pywebpush_loop": "pywebpush, loop",
        "pywebpush_session": "pywebpush, loop, one session",
        "pywebpush_async": "pywebpush, async, shared session",
        "node": sending_node.NodeWebPush.name,
    }
    figures = {
        "of_the_floor": round(ours["wall_ms"] / ours["floor_ms"], 2),
        "best_of_the_floor": round(ours["best_ms"] / ours["floor_ms"], 2),
        **{short: ratios[name] for short, name in names.items() if name in ratios},
    }
    return {"thousand" if size == 1000 else "hundred": figures}


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)


@contextlib.contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def main() -> int:
    """Run it alone."""
    return alone(__spec__.name)


if __name__ == "__main__":
    sys.exit(main())
