"""One reading of database errors for both gateways.

In: a code from Postgres or PostgREST. Out: a `GatewayError` without the database's own words, which may quote
rows. Pure.
"""

from taskbell.errors import GatewayError

_TEMPORARY = (
    "08",  # connection exception
    "40",  # transaction rollback: serialisation, deadlock
    "53",  # insufficient resources
    "57",  # operator intervention: time-out, shutdown, start-up
    "58",  # system error
    "XX",  # internal error
    "55P03",  # lock not available
    "PGRST00",  # PostgREST has no connection
)
"""Codes (or their beginnings) after which asking again may help (Postgres: Appendix A; PostgREST: Errors)."""


def refused(name: str, code: str | None, *, lost: bool = False) -> GatewayError:
    """Return the error for a call of `name` that ended with `code`; `lost` if no answer came at all."""
    if (code is None and lost) or (code is not None and code.startswith(_TEMPORARY)):
        return unavailable(f"{name} got no answer", code)
    return GatewayError(
        "database_refused", f"The database refused {name} ({code or 'no code'}).", sqlstate=code
    )


def unavailable(what: str, code: str | None = None) -> GatewayError:
    """Return the error for a database that cannot be reached or does not answer in time."""
    return GatewayError("database_unavailable", f"The database cannot be reached: {what}.", sqlstate=code)
