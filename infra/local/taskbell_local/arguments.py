"""What the command `taskbell` understands, and how it says so. In: words. Out: options, or one sentence."""

import argparse
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from taskbell_local import places

DEFAULT_PORT = 8080
DESCRIPTION = "A change in agent_tasks rings its owner's phones."
FIRST_STEP = "Begin with `taskbell dev`. `taskbell COMMAND --help` tells more of each."
MISUSED = 2


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, as everything else here does."""

    def error(self, message: str) -> NoReturn:
        """End with exit code 2."""
        said = message.removeprefix("argument ")
        self.exit(MISUSED, f"taskbell: {said}; `{self.prog} --help` tells what there is.\n")


def parser() -> Parser:
    """Return the parser of all commands."""
    parser = Parser("taskbell", description=DESCRIPTION, epilog=FIRST_STEP)
    # Without a command there is help: main() sees to it.
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")

    def add(name: str, summary: str, more: str = "") -> Parser:
        said = f"{summary[0].upper()}{summary[1:]}."
        added: Parser = commands.add_parser(name, help=summary, description=f"{said} {more}".strip())
        return added

    _dev(add("dev", "run everything on this machine, on loopback", "It stops with Ctrl-C."))
    _simulate(add("simulate", "let an agent finish something, and tell what became of it"))
    add("status", "tell what is blocked, due and dead")
    _sweep(add("sweep", "deliver now what is due", "By itself that happens within 15 seconds."))
    _doctor(
        add("doctor", "check a deployment, and say how to mend what is wrong", "Exit code 1: something is.")
    )
    _keys(add("keys", "make VAPID keys and a webhook secret, and say where each goes"))
    add("migrate", "apply the migrations that a database lacks")
    _vault(add("vault", "tell the database whom to wake, leaving no secret in a log"))
    _page(add("page", "build the page for a web host"))
    for name in ("simulate", "status", "sweep", "doctor", "migrate", "vault"):
        commands.choices[name].add_argument(
            "--env",
            type=Path,
            metavar="FILE",
            default=places.DATA / places.ENV_FILE,
            help="settings of a deployment (those that `taskbell dev` left)",
        )
    return parser


def _dev(dev: Parser) -> None:
    dev.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, metavar="N", help=f"where the page is ({DEFAULT_PORT})"
    )
    dev.add_argument(
        "--data", type=Path, default=places.DATA, metavar="DIR", help="where everything is kept (.taskbell)"
    )
    dev.add_argument("--no-demo", action="store_true", help="no demo contacts, no demo agent")
    dev.add_argument(
        "--public-url",
        type=_origin,
        metavar="URL",
        help="an address that leads here too, such as a tunnel's: notifications open it",
    )
    dev.add_argument(
        "--page", type=Path, default=places.WEB, metavar="DIR", help="a built page in place of the sources"
    )
    dev.add_argument(
        "--json", action="store_true", help="the functions' logs as they write them, also in a terminal"
    )


def _simulate(simulate: Parser) -> None:
    simulate.add_argument(
        "--contact", metavar="NAME|ID", help="whose task it is, the name's beginning is enough (each in turn)"
    )
    simulate.add_argument(
        "--agent", choices=("outreach", "followup"), default="outreach", help="who does it (outreach)"
    )
    simulate.add_argument(
        "--status",
        choices=("pending", "in_progress", "completed", "failed"),
        default="completed",
        help="how far it comes (completed); the last two ring",
    )
    simulate.add_argument("--no-draft", dest="draft", action="store_false", help="complete without a draft")
    simulate.add_argument("--count", type=_positive, default=1, metavar="N", help="how many tasks (1)")
    simulate.add_argument(
        "--users", type=_positive, default=1, metavar="N", help="how many users own them in turn (1)"
    )


def _sweep(sweep: Parser) -> None:
    sweep.add_argument(
        "--again",
        nargs="*",
        metavar="e12|d7",
        help="first make these dead letters due again; without a name, all that `taskbell status` counts",
    )


def _doctor(doctor: Parser) -> None:
    doctor.add_argument("--json", action="store_true", help="for machines")
    doctor.add_argument("--send-test", action="store_true", help="ring the browser that was here last")


def _keys(keys: Parser) -> None:
    keys.add_argument(
        "file",
        type=Path,
        nargs="?",
        metavar="FILE",
        help="write them into a new file of settings, yours alone (printed, and kept nowhere)",
    )


def _vault(vault: Parser) -> None:
    vault.add_argument("--webhook", required=True, metavar="URL", help="the address of the function webhook")
    vault.add_argument(
        "--sweep", metavar="URL", help="an address of its own for the clock, where it is public"
    )


def _page(page: Parser) -> None:
    page.add_argument("out", type=Path, metavar="OUT", help="folder to write, such as .taskbell/page")


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text} is no port, which is a number from 1 to 65535")
    return int(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text} is no number from 1 up")
    return int(text)


def _origin(text: str) -> str:
    from taskbell.settings import is_loopback

    try:
        parts = urlsplit(text)
        host = parts.hostname if parts.port != 0 else None
    except ValueError:
        host = None
    plain = bool(host) and f"{parts.scheme}://{parts.netloc}" == text.rstrip("/") and "@" not in parts.netloc
    if not plain or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host or ""))):
        raise argparse.ArgumentTypeError(f"{text} is no address such as https://bell.example.com")
    usual = {"https": ":443", "http": ":80"}[parts.scheme]
    return text.rstrip("/").removesuffix(usual).lower()
