"""A dispatcher in a process of its own, without a function around it.

In: the settings of a function in the environment, and a line on standard input for each run. Out: a line on
standard output when it is ready, and one of JSON after each run. Touches the database and the push service.
Run: `python -m tests.bench.pipeline_dispatcher`.
"""

import json
import os
import sys
import time

from taskbell.app import Application, collect_rarely
from taskbell.settings import read_settings

BUDGET_SECONDS = 60.0


def main() -> None:
    """Dispatch whatever is due at each line; the end of the input is the end."""
    collect_rarely()
    application = Application(read_settings(os.environ), push_ca_file=os.environ["SSL_CERT_FILE"])
    print("ready", flush=True)
    for _ in sys.stdin:
        cpu, started = time.process_time(), time.time()
        summary = application.dispatcher.run(BUDGET_SECONDS)
        took = {"started": started, "ended": time.time(), "cpu_seconds": time.process_time() - cpu}
        print(json.dumps({**summary.as_json(), **took}), flush=True)
    application.close()


if __name__ == "__main__":
    main()
