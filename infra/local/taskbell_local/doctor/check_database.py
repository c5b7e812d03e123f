"""Is the database reached, migrated, closed to strangers, and does it capture changes? Pure."""

from collections.abc import Iterator

from taskbell_local.doctor.facts import Facts
from taskbell_local.doctor.verdict import Bad, Check, Good, Skipped, Verdict

SECTION = "Database"
CONNECT = "Supabase dashboard, Connect, Session pooler"
REMEDIES = {
    "no_database_url": f"Add DATABASE_URL to the file of settings that doctor reads: {CONNECT}.",
    "bad_password": "Set a new database password (Supabase dashboard, Database, Settings) in DATABASE_URL.",
    "unknown_host": f"Copy DATABASE_URL again: {CONNECT}. The direct address has IPv6 only, the pooler both.",
    "unreachable": f"Use the pooler's address, which has IPv4: {CONNECT}.",
    "unknown_project": f"Copy DATABASE_URL again, with the project's id in the user's name: {CONNECT}.",
    "no_answer": "Start it: restore a paused project in the dashboard, or run `taskbell dev`.",
}
MIGRATE = "Run `taskbell migrate --env FILE`, or `supabase db push --remote --workdir infra`."


def _reached(facts: Facts) -> Verdict:
    refusal = facts.database.refusal
    if refusal is None:
        return Good(f"as {facts.database['role']}")
    return Bad(f"not reached ({refusal})", REMEDIES[refusal])


def _migrations(facts: Facts) -> Verdict:
    applied = facts.database["migrations"]
    if not applied:
        return Bad("no migration was ever applied", MIGRATE)
    if facts.migrations is None:
        return Skipped("no checkout here to compare with")
    missing = sorted(set(facts.migrations) - set(applied))
    if missing:
        return Bad(f"{len(missing)} missing, the first is {missing[0]}", MIGRATE)
    unknown = sorted(set(applied) - set(facts.migrations))
    newer = [version for version in unknown if version > facts.migrations[-1]]
    if newer:
        return Bad(
            f"the database is ahead of this checkout: {newer[-1]}",
            "Pull the newest commit and deploy the functions from it.",
        )
    others = f", beside {len(unknown)} of the application's own" if unknown else ""
    return Good(f"all {len(facts.migrations)} applied{others}")


def _row_security(facts: Facts) -> Verdict:
    tables = facts.database.need("open_tables")
    if not tables:
        return Good("on for every table")
    statements = " ".join(f"alter table {table} enable row level security;" for table in tables)
    return Bad(
        f"off: whoever has the publishable key may read {', '.join(tables)}",
        f"Give each a policy for its owners, then: {statements}",
    )


def _triggers(facts: Facts) -> Verdict:
    triggers = facts.database["triggers"]
    if not triggers:
        return Bad(
            "no table is watched",
            "In SQL: select taskbell.watch('public', 'agent_tasks', array['updated_at']);",
        )
    missing = [trigger for trigger in triggers if not trigger["exists"]]
    if missing:
        schema, _, table = missing[0]["table"].partition(".")
        return Bad(
            f"missing: {_names(missing)}",
            # Shown, not run.
            f"In SQL: select taskbell.watch('{schema}', '{table}', ignored_columns) "  # noqa: S608
            f"from taskbell.sources where table_name = '{table}';",
        )
    silent = [trigger for trigger in triggers if not trigger["fires"]]
    silent += facts.database["silent_triggers"] or []
    if silent:
        statements = " ".join(
            f"alter table {trigger['table']} enable trigger {trigger['trigger']};" for trigger in silent
        )
        return Bad(f"disabled: {_names(silent)}", f"In SQL: {statements}")
    return Good("there and enabled on " + ", ".join(sorted({trigger["table"] for trigger in triggers})))


def _names(triggers: list[dict[str, str]]) -> str:
    return ", ".join(f"{trigger['trigger']} on {trigger['table']}" for trigger in triggers)


def _publication(facts: Facts) -> Verdict:
    missing = facts.database.need("unpublished")
    if not missing:
        return Good("supabase_realtime has what pages may listen to")
    return Bad(
        f"supabase_realtime lacks {', '.join(missing)}",
        f"In SQL: alter publication supabase_realtime add table {', '.join(missing)};",
    )


def _live_channel(facts: Facts) -> Verdict:
    if facts.database["live_channel"]:
        return Good("private to each person")
    return Good("no policy on realtime.messages: pages poll instead, and nothing else is lost")


def checks() -> Iterator[Check]:
    """Yield this section's checks in order."""
    yield Check("database", SECTION, "database", _reached)
    yield Check("migrations", SECTION, "migrations", _migrations, ("database",))
    yield Check("row_security", SECTION, "row level security", _row_security, ("migrations",))
    yield Check("triggers", SECTION, "triggers", _triggers, ("migrations",))
    yield Check("publication", SECTION, "publication", _publication, ("migrations",))
    yield Check("live_channel", SECTION, "live channel", _live_channel, ("migrations",))
