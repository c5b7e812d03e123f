"""The command `taskbell`. In: arguments. Out: lines for a person; exit code 0, or 1 with one sentence.

What was asked for goes to standard output as it is. What could not be done goes to standard error, begins
with `taskbell:` and says what to do; exit code 2 is for words that were not understood. Each command's module
is imported when it is called: starting must not cost what is not used.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from taskbell_local.arguments import MISUSED, parser
from taskbell_local.errors import StackError

INTERRUPTED = 128 + signal.SIGINT


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    understood = parser()
    options = understood.parse_args(arguments)
    if options.command is None:
        understood.print_help(sys.stderr)
        return MISUSED
    try:
        code = _run(options)
        sys.stdout.flush()
    except StackError as error:
        return _fail(str(error))
    except BrokenPipeError:
        # Whoever read our lines has had enough; what is left goes nowhere, instead of failing again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _fail(f"{error.filename or 'The system'}: {error.strerror or type(error).__name__}.")
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if not _is_database_error(error):
            raise
        # Only the code: the words could repeat a row.
        why = getattr(error, "sqlstate", None) or "the connection broke off"
        return _fail(f"The database did not do its part ({why}): `taskbell doctor` tells what is wrong.")
    return code


def _fail(sentence: str) -> int:
    print(f"taskbell: {sentence}", file=sys.stderr)
    return 1


def _is_database_error(error: Exception) -> bool:
    psycopg = sys.modules.get("psycopg")  # where it was never imported, it raised nothing
    return psycopg is not None and isinstance(error, psycopg.Error)


def _run(options: argparse.Namespace) -> int:
    match options.command:
        case "dev":
            from taskbell_local import dev
            from taskbell_local.dev_conditions import Options

            dev.run(
                Options(
                    port=options.port,
                    data=options.data.absolute(),
                    demo=not options.no_demo,
                    page=options.page.absolute(),
                    public_url=options.public_url,
                    json_log=options.json,
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


if __name__ == "__main__":
    sys.exit(main())
