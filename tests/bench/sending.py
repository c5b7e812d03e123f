"""How long it takes to send pushes to one push service, against other ways to do it, in the same run.

Run: `python -m tests.bench.sending [--rounds N]`. Out: a table, and `sending.json` beside this file. The
client has one core, the push service another. Warm: each client sends once before it is measured. The
rounds of all clients are interleaved, so that a busy machine is busy for all.
"""

import argparse
import contextlib
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import certifi

from tests.bench.sending_clients import CLIENTS, IN_FLIGHT, Client, Surroundings
from tests.stand_ins.authority import make_identity
from tests.stand_ins.push_messages import new_private_key
from tests.stand_ins.push_service_rules import BrowserKeys

SIZES = (1, 100, 1000)
DELAYS_MS = (30, 0)


@contextlib.contextmanager
def push_service(delay_ms: int, folder: Path) -> Iterator[Surroundings]:
    """Run the push service in a process of its own, on the second core if there is one."""
    identity = make_identity(folder)
    trusted = folder / "trusted.pem"  # as many authorities as in real life, whose loading is part of the cost
    trusted.write_bytes(Path(certifi.where()).read_bytes() + identity.ca_file.read_bytes())
    core = "1" if (os.cpu_count() or 1) > 1 and hasattr(os, "sched_setaffinity") else "-1"
    program = [sys.executable, "-m", "tests.bench.push_server"]
    files = [str(identity.certificate_file), str(identity.key_file)]
    with subprocess.Popen(
        [*program, str(delay_ms), *files, core], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout
            port = int(server.stdout.readline())
            os.environ["REQUESTS_CA_BUNDLE"] = str(trusted)
            yield Surroundings(new_private_key(), str(trusted), f"https://localhost:{port}")
        finally:
            server.terminate()


def measure(client: Client, subscriptions: list[dict[str, Any]]) -> dict[str, float]:
    """Send once and return wall and processor time in milliseconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    client.send(subscriptions)
    return {"wall_ms": (time.perf_counter() - wall) * 1e3, "cpu_ms": (time.process_time() - cpu) * 1e3}


def compare(surroundings: Surroundings, size: int, rounds: int) -> list[dict[str, Any]]:
    """Return one row for each client; where a client sent fewer, its figures are scaled up."""
    keys = BrowserKeys().public_keys()
    subscriptions = [
        {"endpoint": f"{surroundings.origin}/push/{number:0100d}", "keys": keys} for number in range(size)
    ]
    clients = [make(surroundings) for make in CLIENTS]
    taken: dict[str, list[dict[str, float]]] = {client.name: [] for client in clients}
    for client in clients:
        client.send(subscriptions[: client.most])
    for _ in range(rounds):
        for client in clients:
            taken[client.name].append(measure(client, subscriptions[: client.most]))
    rows = []
    for client in clients:
        client.close()
        scale = size / min(size, client.most)
        walls = sorted(scale * one["wall_ms"] for one in taken[client.name])
        cpu_ms = scale * statistics.median(one["cpu_ms"] for one in taken[client.name])
        figures = {"wall_ms": statistics.median(walls), "best_ms": walls[0], "cpu_ms": cpu_ms}
        rows.append({"client": client.name, "sent": min(size, client.most), **figures})
    return rows


def print_table(title: str, floor_ms: float, rows: list[dict[str, Any]]) -> None:
    """Print one comparison; the last row, ours, is what the others are compared with."""
    floor = f", floor with {IN_FLIGHT} in flight {floor_ms:.0f} ms" if floor_ms else ""
    print(f"\n{title}{floor}")
    heads = ("median ms", "best ms", "ours = 1", "floor = 1", "CPU µs/push")
    print(f"{'client':34s}" + "".join(f"{head:>12s}" for head in heads))
    for row in rows:
        figures = (
            f"{row['wall_ms']:.1f}",
            f"{row['best_ms']:.1f}",
            f"{row['wall_ms'] / rows[-1]['wall_ms']:.1f}",
            f"{row['wall_ms'] / floor_ms:.2f}" if floor_ms else "",
            f"{row['cpu_ms'] * 1e3 / row['pushes']:.0f}",
        )
        scaled = "" if row["sent"] == row["pushes"] else f"  ({row['sent']} sent, scaled)"
        print(f"{row['client']:34s}" + "".join(f"{figure:>12s}" for figure in figures) + scaled)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description="Compare ways to send pushes.")
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    if (os.cpu_count() or 1) > 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {0})
    results = []
    for delay_ms in DELAYS_MS:
        with tempfile.TemporaryDirectory() as folder, push_service(delay_ms, Path(folder)) as surroundings:
            for size in SIZES:
                floor_ms = math.ceil(size / IN_FLIGHT) * delay_ms
                rows = compare(surroundings, size, rounds)
                rows = [{"delay_ms": delay_ms, "pushes": size, "floor_ms": floor_ms, **row} for row in rows]
                print_table(f"{size} pushes, answered after {delay_ms} ms", floor_ms, rows)
                results += rows
    load = os.getloadavg()[0]
    print(f"\nmedians of {rounds} interleaved rounds; load of the machine at the end {load:.1f}")
    report = {"rounds": rounds, "cores": os.cpu_count(), "load": load, "results": results}
    Path(__file__).with_suffix(".json").write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
