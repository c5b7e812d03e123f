"""`taskbell doctor`. In: settings. Out: findings, and an exit code."""

from collections.abc import Mapping
from pathlib import Path

from taskbell_local.database import settings_of
from taskbell_local.doctor import report
from taskbell_local.doctor.ask_database import ask_database
from taskbell_local.doctor.ask_push import ask_push
from taskbell_local.doctor.ask_settings import ask_settings
from taskbell_local.doctor.ask_web import ask_web
from taskbell_local.doctor.checks import CHECKS
from taskbell_local.doctor.facts import Facts, PushFacts
from taskbell_local.doctor.verdict import Finding, judge
from taskbell_local.migrate import MIGRATIONS


def run(env_file: Path, *, as_json: bool, send_test: bool) -> int:
    """Print what was found; return 1 if anything failed."""
    findings = examine(settings_of(env_file), send_test=send_test)
    print(report.as_json(findings) if as_json else report.as_text(findings))
    return 0 if report.is_well(findings) else 1


def examine(environ: Mapping[str, str], *, send_test: bool = False) -> list[Finding]:
    """Ask the settings, the database, the web and perhaps a browser, and judge."""
    return judge(CHECKS, gather(environ, send_test=send_test))


def gather(environ: Mapping[str, str], *, send_test: bool = False) -> Facts:
    """Return the facts."""
    settings = ask_settings(environ)
    database = ask_database(None if "DATABASE_URL" in settings.faults else settings.settings.database_url)
    web = ask_web(settings, database)
    rings = send_test and database.refusal is None and not settings.faults
    push = ask_push(settings.settings) if rings else PushFacts(asked=send_test)
    versions = tuple(sorted(file.name.partition("_")[0] for file in MIGRATIONS.glob("*.sql"))) or None
    return Facts(settings, database, web, push, versions)
