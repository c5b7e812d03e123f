"""One reading of database errors for both gateways.

In: a code from Postgres or PostgREST, or an HTTP status. Out: a `GatewayError` without the database's own
words, which may quote rows. Pure.
"""

from taskbell.errors import GatewayError

_TEMPORARY_STATUS = ("408", "425", "429")
"""HTTP statuses below 500 after which asking again may help: time-out, too early, too many requests."""

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

_OF_THE_DEPLOYMENT = (
    "0A",  # feature not supported
    "28",  # invalid authorisation
    "3D",  # no such database
    "3F",  # no such schema
    "42",  # no such function, column, privilege
    "PGRST",  # PostgREST knows no such function, or not us
)
"""Codes (or their beginnings) whatever was asked: a migration or a key is missing."""


def refused(name: str, code: str | None, *, lost: bool = False) -> GatewayError:
    """Return the error for a call of `name` that ended with `code`; `lost` if no answer came at all."""
    if lost if code is None else _may_pass(code):
        return unavailable(f"{name} got no answer", code)
    return GatewayError(
        "database_refused", f"The database refused {name} ({code or 'no code'}).", sqlstate=code
    )


def blames_parameters(error: GatewayError) -> bool:
    """Tell whether the database refused what it was sent, so that other parameters would have passed."""
    code = error.sqlstate or ""
    ours = code in {"401", "403", "404"} if _is_http(code) else code.startswith(_OF_THE_DEPLOYMENT)
    return not error.temporary and not ours


def unavailable(what: str, code: str | None = None) -> GatewayError:
    """Return the error for a database that cannot be reached or does not answer in time."""
    return GatewayError("database_unavailable", f"The database cannot be reached: {what}.", sqlstate=code)


def _may_pass(code: str) -> bool:
    """Tell whether the same question may get another answer later."""
    if _is_http(code):
        return code.startswith("5") or code in _TEMPORARY_STATUS
    return code.startswith(_TEMPORARY)


def _is_http(code: str) -> bool:
    """Tell an HTTP status, which stands in for a code where the answer was not PostgREST's, from a code."""
    return len(code) == 3
