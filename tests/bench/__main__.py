"""`python -m tests.bench`: see `tests.bench.command`."""

import sys

from tests.bench import command

if __name__ == "__main__":
    sys.exit(command.run(sys.argv[1:]))
