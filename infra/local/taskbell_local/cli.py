"""The command `taskbell`. In: arguments. Out: lines for a person; exit code 0, or 1 with one sentence.

Each command's module is imported when it is called: starting must not cost what is not used.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from taskbell_local import places
from taskbell_local.errors import StackError

INTERRUPTED = 128 + signal.SIGINT


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except StackError as error:
        print(f"taskbell: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(options: argparse.Namespace) -> int:
    match options.command:
        case "dev":
            from taskbell_local import dev

            dev.run(
                dev.Options(
                    options.port, options.data.absolute(), not options.no_demo, options.page.absolute()
                )
            )
        case "simulate":
            from taskbell_local import simulate

            wanted = simulate.Wanted(
                options.contact, options.agent, options.status, options.draft, options.count, options.users
            )
            return simulate.run(options.env, wanted)
        case "status":
            from taskbell_local import status

            status.run(options.env)
        case "sweep":
            from taskbell_local import sweep

            sweep.run(options.env, options.again)
        case "migrate":
            from taskbell_local import migrate_command

            migrate_command.run(options.env)
        case "vault":
            from taskbell_local import vault_command

            vault_command.run(options.env, options.webhook, options.sweep)
        case "doctor":
            from taskbell_local.doctor import command

            return command.run(options.env, as_json=options.json, send_test=options.send_test)
        case "page":
            from taskbell_local import page_command

            page_command.run(options.out.absolute())
        case "keys":
            from taskbell_local import keys_command

            keys_command.run(options.file)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "taskbell", description="A change in agent_tasks rings its owner's phones."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    dev = commands.add_parser("dev", help="run everything on this machine, on loopback")
    dev.add_argument("--port", type=_port, default=8080, help="of the page (8080)")
    dev.add_argument("--data", type=Path, default=places.DATA, metavar="DIR", help="what is kept (.taskbell)")
    dev.add_argument("--no-demo", action="store_true", help="no demo contacts, no demo agent")
    dev.add_argument(
        "--page", type=Path, default=places.WEB, metavar="DIR", help="a built page in place of the sources"
    )

    simulate = commands.add_parser(
        "simulate", help="change tasks as an agent would, and tell what became of it"
    )
    simulate.add_argument("--contact", metavar="NAME|ID", help="(each contact in turn)")
    simulate.add_argument("--agent", choices=("outreach", "followup"), default="outreach", help="(outreach)")
    simulate.add_argument(
        "--status", choices=("pending", "in_progress", "completed", "failed"), default="completed"
    )
    simulate.add_argument("--no-draft", dest="draft", action="store_false", help="complete without a draft")
    simulate.add_argument("--count", type=_positive, default=1, help="tasks (1)")
    simulate.add_argument("--users", type=_positive, default=1, help="users who own them in turn (1)")

    status = commands.add_parser("status", help="tell what is blocked, due and dead")
    sweep = commands.add_parser("sweep", help="deliver now what is due")
    sweep.add_argument(
        "--again",
        nargs="*",
        metavar="e12|d7",
        help="first make these dead letters due again; without a name, all that `status` counts",
    )
    migrate = commands.add_parser("migrate", help="apply the migrations that a database lacks")
    vault = commands.add_parser("vault", help="tell the database whom to wake, leaving no secret in a log")
    vault.add_argument("--webhook", required=True, metavar="URL", help="the address of the function webhook")
    vault.add_argument(
        "--sweep", metavar="URL", help="an address of its own for the clock, where it is public"
    )
    doctor = commands.add_parser("doctor", help="check a deployment, and say how to mend what is wrong")
    doctor.add_argument("--json", action="store_true", help="for machines")
    doctor.add_argument("--send-test", action="store_true", help="ring the browser that was here last")
    page = commands.add_parser("page", help="build the page for a web host")
    page.add_argument("out", type=Path, metavar="OUT", help="folder to write, such as .taskbell/page")
    keys = commands.add_parser("keys", help="make VAPID keys and a webhook secret, and say where each goes")
    keys.add_argument(
        "file",
        type=Path,
        nargs="?",
        metavar="FILE",
        help="write them into a new file of settings, yours alone",
    )
    for command in (simulate, status, sweep, migrate, vault, doctor):
        command.add_argument(
            "--env",
            type=Path,
            metavar="FILE",
            default=places.DATA / places.ENV_FILE,
            help="settings (of `dev`)",
        )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text} is no port: it is a number from 1 to 65535")
    return int(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text} is no number from 1 up")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
