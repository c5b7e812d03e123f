"""Ways in which a deployment can be broken, and what `taskbell doctor` must say to each."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from taskbell_local import keys
from taskbell_local.migrate import MIGRATIONS
from tests.functions.local_stack import LocalStack

OTHER = keys.make()
SOME_MIGRATION = sorted(MIGRATIONS.glob("*.sql"))[6].name.partition("_")[0]
NOBODY = "http://127.0.0.1:1"
SCHEDULE = "select cron.schedule('taskbell', '15 seconds', 'select taskbell.wake_if_due()')"
YEARLY = "select cron.schedule('taskbell', '0 0 1 1 *', 'select taskbell.wake_if_due()')"
NEWEST_RUN = 2**62
RUN_AGAIN = f"delete from cron.job_run_details where return_message = 'ours'; {SCHEDULE}"  # noqa: S608
# What stands before pg_catalog in the search path is found first: the doctor's session signs with it.
ANOTHER_TIME = (
    "create schema another_time; create function another_time.clock_timestamp() returns timestamptz "
    "language sql as 'select pg_catalog.clock_timestamp() + interval $$10 minutes$$'"
)
MIGRATION = "update supabase_migrations.schema_migrations set version = '{}' where version = '{}'"


def last_run(status: str, ago: str) -> str:
    """Return the statement that makes pg_cron's log end with a run, whatever is under way just now."""
    return f"""{YEARLY};
        insert into cron.job_run_details (runid, jobid, status, start_time, return_message)
        select {NEWEST_RUN}, jobid, '{status}', now() - interval '{ago}', 'ours'
        from cron.job where jobname = 'taskbell'"""  # noqa: S608


def vault(name: str, **changed: str) -> str:
    """Return the statement that changes a secret of Vault: new_secret, new_name."""
    values = ", ".join(f"{what} => '{value}'" for what, value in changed.items())
    return f"select vault.update_secret(id, {values}) from vault.decrypted_secrets where name = '{name}'"  # noqa: S608


@dataclass(frozen=True)
class Broken:
    """A way of being broken: other settings (None: without), or SQL and what mends it again.

    In SQL, {webhook}, {sweep} and {secret} stand for what Vault holds. `failed` are the checks that say so.
    """

    failed: set[str]
    remedy: str
    settings: Mapping[str, str | None] = field(default_factory=dict)
    sql: str = ""
    mend: str = ""


WAYS = {
    "the VAPID subject is localhost": Broken(
        {"vapid_subject"}, "mailto:", {"VAPID_SUBJECT": "mailto:me@localhost"}
    ),
    "the VAPID key is none": Broken({"vapid_private_key"}, "taskbell keys", {"VAPID_PRIVATE_KEY": "AAAA"}),
    "the VAPID key is not what is deployed": Broken(
        {"api_key"}, "deploy them again", {"VAPID_PRIVATE_KEY": OTHER.vapid_private_key}
    ),
    "settings are missing, and each is named": Broken(
        {"vapid_private_key", "webhook_secrets"},
        "taskbell keys",
        {"VAPID_PRIVATE_KEY": None, "WEBHOOK_SECRETS": None},
    ),
    "the webhook secret is not what is deployed": Broken(
        {"vault_secret", "webhook_accepts"}, "deploy them again", {"WEBHOOK_SECRETS": OTHER.webhook_secret}
    ),
    "the page's address is public, and not https": Broken(
        {"public_url"}, "https address", {"PUBLIC_URL": "http://bell.example.com", "DEMO_TOKEN": None}
    ),
    "nobody serves the page": Broken({"api", "page"}, "web/", {"PUBLIC_URL": NOBODY}),
    "tokens come from nowhere": Broken({"key_set", "policy"}, "connect-src", {"SUPABASE_URL": NOBODY}),
    "the scheduler's account is none": Broken(
        {"sweep_caller"}, "service account", {"SWEEP_CALLER": "taskbell-scheduler"}
    ),
    "a push origin is none": Broken(
        {"extra_push_origins"}, "exact origins", {"EXTRA_PUSH_ORIGINS": "push.example"}
    ),
    "a push origin is one that no sender would use": Broken(
        {"extra_push_origins"}, "lower case", {"EXTRA_PUSH_ORIGINS": "https://xn--pple-43d.example"}
    ),
    "the secret key is the publishable one": Broken(
        {"supabase_secret_key"}, "Secret keys", {"SUPABASE_SECRET_KEY": "sb_publishable_x"}
    ),
    "the secret key opens nothing": Broken(
        {"data_api"}, "copy it again", {"SUPABASE_SECRET_KEY": "sb_secret_x"}
    ),
    "a secret key is published": Broken(
        {"supabase_publishable_key"}, "Revoke", {"SUPABASE_PUBLISHABLE_KEY": "sb_secret_x"}
    ),
    "no database is named": Broken(
        {"database", "data_api"}, "pooler", {"DATABASE_URL": None, "SUPABASE_SECRET_KEY": "sb_secret_x"}
    ),
    "the database is not there": Broken(
        {"database"}, "taskbell dev", {"DATABASE_URL": f"postgresql://x:x@{NOBODY.removeprefix('http://')}/x"}
    ),
    "a migration is missing": Broken(
        {"migrations"},
        "taskbell migrate",
        sql=MIGRATION.format("1", SOME_MIGRATION),
        mend=MIGRATION.format(SOME_MIGRATION, "1"),
    ),
    "the database is ahead": Broken(
        {"migrations"},
        "newest commit",
        sql="insert into supabase_migrations.schema_migrations (version) values ('29990101000000')",
        mend="delete from supabase_migrations.schema_migrations where version = '29990101000000'",
    ),
    "a trigger is disabled": Broken(
        {"triggers"},
        "enable trigger taskbell_capture",
        sql="alter table public.agent_tasks disable trigger taskbell_capture",
        mend="alter table public.agent_tasks enable trigger taskbell_capture",
    ),
    "a trigger is gone": Broken(
        {"triggers"},
        "select taskbell.watch('public', 'agent_tasks', ignored_columns)",
        sql="drop trigger taskbell_wake_up on public.agent_tasks",
        mend="select taskbell.watch('public', 'agent_tasks', ignored_columns) from taskbell.sources",
    ),
    "a table is open to strangers": Broken(
        {"row_security"},
        "alter table public.contacts enable row level security",
        sql="alter table public.contacts disable row level security",
        mend="alter table public.contacts enable row level security",
    ),
    "the database's clock is ten minutes fast": Broken(
        {"clocks"},
        "Restart the project",
        sql=f"{ANOTHER_TIME}; alter role postgres set search_path = another_time, pg_catalog, public",
        mend='alter role postgres set search_path = "$user", public, extensions;'
        " drop schema another_time cascade",
    ),
    "open pages are not told of changed drafts": Broken(
        {"triggers"},
        "alter table agent_outreach_drafts enable trigger taskbell_touch_update",
        sql="alter table public.agent_outreach_drafts disable trigger taskbell_touch_update",
        mend="alter table public.agent_outreach_drafts enable trigger taskbell_touch_update",
    ),
    "a table is not published": Broken(
        {"publication"},
        "add table public.agent_tasks",
        sql="alter publication supabase_realtime drop table public.agent_tasks",
        mend="alter publication supabase_realtime add table public.agent_tasks",
    ),
    "Vault has no secret": Broken(
        {"vault_secret"},
        "taskbell vault",
        sql=vault("taskbell_webhook_secret", new_name="put away"),
        mend=vault("put away", new_name="taskbell_webhook_secret"),
    ),
    "Vault has another secret": Broken(
        {"vault_secret"},
        "taskbell vault",
        sql=vault("taskbell_webhook_secret", new_secret=OTHER.webhook_secret),
        mend=vault("taskbell_webhook_secret", new_secret="{secret}"),
    ),
    "Vault's address was never filled in": Broken(
        {"vault_address", "webhook_refuses"},
        "taskbell vault",
        sql=vault("taskbell_webhook_url", new_secret="https://…/webhook"),
        mend=vault("taskbell_webhook_url", new_secret="{webhook}"),
    ),
    "nobody is at Vault's address": Broken(
        {"webhook_refuses", "wake_up"},
        "taskbell vault",
        sql=vault("taskbell_webhook_url", new_secret=f"{NOBODY}/webhook"),
        mend=vault("taskbell_webhook_url", new_secret="{webhook}"),
    ),
    "nobody is at the sweep's address": Broken(
        {"sweep_refuses", "clock_wake_up"},
        "taskbell vault",
        sql=vault("taskbell_sweep_url", new_secret=f"{NOBODY}/sweep"),
        mend=vault("taskbell_sweep_url", new_secret="{sweep}"),
    ),
    "there is no clock": Broken(
        {"clock"}, "cron.schedule", sql="select cron.unschedule('taskbell')", mend=SCHEDULE
    ),
    "the clock has stopped": Broken(
        {"clock_runs"},
        "Restart",
        sql=last_run("succeeded", "1 hour"),
        mend=RUN_AGAIN,
    ),
    "the clock's work fails": Broken(
        {"clock_runs"},
        "return_message",
        sql=last_run("failed", "1 second"),
        mend=RUN_AGAIN,
    ),
    "a push service refuses us": Broken(
        {"push_services"},
        "VAPID_SUBJECT",
        sql="insert into taskbell.push_services"
        " values ('https://p.example', now() + interval '1 hour', 'http_403', now())",
        mend="delete from taskbell.push_services where true",
    ),
    "events wait": Broken(
        {"backlog"},
        "taskbell sweep",
        sql="insert into taskbell.task_events (task_id, operation, record, occurred_at, due_at)"
        " values ('x', 'INSERT', '{{}}', now() - interval '1 hour', now() + interval '1 hour')",
        mend="delete from taskbell.task_events where task_id = 'x'",
    ),
    "an event is dead": Broken(
        {"dead_letters"},
        "taskbell sweep --again",
        sql="insert into taskbell.task_events (task_id, operation, record, state, reason, finished_at)"
        " values ('x', 'INSERT', '{{}}', 'dead', 'describe_failed:42703', now())",
        mend="delete from taskbell.task_events where task_id = 'x'",
    ),
    "a browser subscribed with another key": Broken(
        {"subscriptions"},
        "former key",
        sql="insert into taskbell.subscriptions"  # noqa: S608
        " (user_id, endpoint, endpoint_hash, origin, p256dh, auth, vapid_public_key)"
        f" select id, 'x', 'x', 'x', 'x', 'x', '{OTHER.vapid_public_key}' from auth.users limit 1",
        mend="delete from taskbell.subscriptions where endpoint = 'x'",
    ),
}


@contextmanager
def broken(stack: LocalStack, way: Broken) -> Iterator[dict[str, str]]:
    """Break the stack; gives the settings that the doctor is shown."""
    kept = dict(stack.sql("select name, decrypted_secret from vault.decrypted_secrets"))
    fill = {
        "webhook": kept["taskbell_webhook_url"],
        "sweep": kept["taskbell_sweep_url"],
        "secret": kept["taskbell_webhook_secret"],
    }
    changed = {**stack.settings, **way.settings}
    if way.sql:
        stack.sql(way.sql.format(**fill))
    try:
        yield {name: value for name, value in changed.items() if value is not None}
    finally:
        if way.mend:
            stack.sql(way.mend.format(**fill))
