"""node's web-push as a peer: `sendNotification` for all at once, in one process from call to call.

In: subscriptions. Out: nothing, or an AssertionError if a push was not accepted. Touches: npm once, for the
package by its name, in a temporary folder; a process; the network.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from tests.bench.section import Missing
from tests.bench.sending_clients import PAYLOAD, Subscriptions, Surroundings
from tests.stand_ins.push_messages import SUBJECT, TOPIC, new_vapid

INSTALL_SECONDS = 120
PROGRAM = """
import webpush from "web-push";
import { createInterface } from "node:readline";
const { vapidDetails, payload, topic } = JSON.parse(process.env.PEER);
const options = { vapidDetails, TTL: 60, topic, urgency: "normal", timeout: 60000 };
for await (const line of createInterface({ input: process.stdin })) {
  const answers = await Promise.all(
    JSON.parse(line).map((subscription) => webpush.sendNotification(subscription, payload, options)),
  );
  process.stdout.write(JSON.stringify([...new Set(answers.map((answer) => answer.statusCode))]) + "\\n");
}
"""


def install(folder: Path) -> str:
    """Install web-push there and return its version; raises Missing where that cannot be done."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise Missing("npm is not installed: node web-push was not measured")
    command = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--silent", "web-push"]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=INSTALL_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        raise Missing(
            f"npm did not install web-push ({type(error).__name__}): it was not measured"
        ) from error
    (folder / "peer.mjs").write_text(PROGRAM)
    package = json.loads((folder / "node_modules" / "web-push" / "package.json").read_text())
    return str(package["version"])


class NodeWebPush:
    """`Promise.all` over `sendNotification`."""

    name = "node web-push, Promise.all"
    most = 1000

    def __init__(self, surroundings: Surroundings, folder: Path) -> None:
        details = {
            "subject": SUBJECT,
            "publicKey": new_vapid(surroundings.private_key).public_key,
            "privateKey": surroundings.private_key,
        }
        peer = {"vapidDetails": details, "payload": PAYLOAD.decode(), "topic": TOPIC}
        self._process = subprocess.Popen(
            ["node", str(folder / "peer.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "NODE_EXTRA_CA_CERTS": surroundings.ca_file, "PEER": json.dumps(peer)},
        )

    def send(self, subscriptions: Subscriptions) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(_list(subscriptions)) + "\n")
        self._process.stdin.flush()
        assert [201] == json.loads(self._process.stdout.readline())

    def cpu_seconds(self) -> float:
        times = psutil.Process(self._process.pid).cpu_times()
        return times.user + times.system

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


def _list(subscriptions: Sequence[Any]) -> list[dict[str, Any]]:
    return [dict(subscription) for subscription in subscriptions]
