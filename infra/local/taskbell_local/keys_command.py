"""`taskbell keys [FILE]`: makes new keys and says where each goes.

In: nothing, or the name of a file that is not there yet. Out: lines to copy, or that file (0600) with a place
for every other setting, ready for the commands that take --env.
"""

from pathlib import Path

from taskbell_local import keys
from taskbell_local.errors import StackError
from taskbell_local.private_file import write_private

KEYS = """\
# Made by `taskbell keys`. To change a key without losing subscriptions, add the new one behind the old one,
# with a space between, in quotes.
VAPID_PRIVATE_KEY={keys.vapid_private_key}
WEBHOOK_SECRETS={keys.webhook_secret}
# VAPID public key, which pages get from /v1/config by themselves: {keys.vapid_public_key}
"""
VAULT = "# The database signs its wake-ups with the newest of WEBHOOK_SECRETS: `taskbell vault` tells it."
SETTINGS = """\
# Settings of a deployment of Taskbell: yours alone. Fill in what is empty; `taskbell doctor --env {file}`
# says what is wrong with it.

# From the Supabase dashboard
# Project Settings, Data API: https://….supabase.co
SUPABASE_URL=
# Project Settings, API keys: sb_secret_…, for the functions alone
SUPABASE_SECRET_KEY=
# Project Settings, API keys: sb_publishable_…, for the page
SUPABASE_PUBLISHABLE_KEY=
# Connect, Session pooler, with the database's password; between the quotes: for `taskbell`, not for functions
DATABASE_URL=''

# Yours
# mailto: and an address that reaches you: for push services
VAPID_SUBJECT=
# Where people open the page: https://bell.example.com
PUBLIC_URL=

"""


def run(file: Path | None) -> None:
    """Print a VAPID key pair and a webhook secret, or write them into a file of settings."""
    made = keys.make()
    if file is None:
        print("# New keys. They are shown once and kept nowhere: copy them now, or name a FILE to write.\n")
        print(KEYS.format(keys=made))
        print(VAULT)
        return
    if file.exists():
        raise StackError(
            "file_exists", f"{file} is there already, and may hold keys that are in use: name another file."
        )
    try:
        write_private(file, SETTINGS.format(file=file.name) + KEYS.format(keys=made))
    except OSError as error:
        raise StackError("cannot_write", f"{file} cannot be written: {error.strerror}.") from error
    print(f"wrote {file}, which only you may read")
    print(f"  fill in what is empty, then: taskbell migrate --env {file}")
    print("  after deploying, tell the database whom to wake, and how to sign:")
    print(f"  taskbell vault --env {file} --webhook https://…/webhook")
