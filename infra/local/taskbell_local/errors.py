"""Errors of the embedded stack and of the command."""


class StackError(Exception):
    """Something cannot be done here; the message is a sentence with a remedy, `reason` a stable slug."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class PostgresError(StackError):
    """The embedded Postgres cannot do what was asked."""
