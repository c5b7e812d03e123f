"""The write-ahead log as Postgres' own plugin `pgoutput` tells it, version 1.

Source: postgresql.org/docs, Logical Replication Message Formats.

In: its messages, one after the other. Out: changed rows, values as text. Touches nothing.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

Row = dict[str, str | None]


@dataclass(frozen=True)
class Table:
    """A table as the log names it; `key` lists the columns of its replica identity."""

    schema: str
    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """One row's change. A column whose large value did not change is missing from `new`."""

    kind: str
    table: Table
    committed_at: datetime
    new: Row
    old: Row


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def number(self, form: str) -> int:
        [value] = struct.unpack_from(f"!{form}", self._data, self._at)
        self._at += struct.calcsize(f"!{form}")
        return int(value)

    def letter(self) -> str:
        return chr(self.number("B"))

    def take(self, length: int) -> bytes:
        self._at += length
        return self._data[self._at - length : self._at]

    def word(self) -> str:
        end = self._data.index(0, self._at)
        return self.take(end + 1 - self._at)[:-1].decode()

    def row(self, columns: tuple[str, ...]) -> Row:
        row: Row = {}
        for column in columns[: self.number("h")]:
            match self.letter():
                case "n":
                    row[column] = None
                case "t":
                    row[column] = self.take(self.number("i")).decode()
        return row


@dataclass
class Decoder:
    """Remembers the tables that the log has described."""

    tables: dict[int, Table] = field(default_factory=dict)
    committed_at: datetime = POSTGRES_EPOCH

    def changes(self, messages: Iterable[bytes]) -> Iterator[Change]:
        """Yield the changes that the messages tell of."""
        for message in messages:
            reader = _Reader(message)
            match reader.letter():
                case "B":
                    reader.number("q")
                    self.committed_at = POSTGRES_EPOCH + timedelta(microseconds=reader.number("q"))
                case "R":
                    self._describe(reader)
                case "I" | "U" | "D" as kind:
                    yield self._change(kind, reader)

    def _describe(self, reader: _Reader) -> None:
        number, schema, name = reader.number("I"), reader.word(), reader.word()
        reader.letter()  # the kind of replica identity
        columns, key = [], []
        for _ in range(reader.number("h")):
            in_key, column = reader.number("B") & 1, reader.word()
            reader.number("I"), reader.number("i")  # type and modifier
            columns.append(column)
            if in_key:
                key.append(column)
        self.tables[number] = Table(schema, name, tuple(columns), tuple(key))

    def _change(self, kind: str, reader: _Reader) -> Change:
        table = self.tables[reader.number("I")]
        rows: dict[str, Row] = {}
        part = reader.letter()
        rows[part] = reader.row(table.columns)
        if kind == "U" and part != "N":
            rows[reader.letter()] = reader.row(table.columns)
        old = rows.get("O") or rows.get("K") or {}
        if "O" not in rows:
            old = {column: old[column] for column in table.key if column in old}
        name = {"I": "INSERT", "U": "UPDATE", "D": "DELETE"}[kind]
        return Change(name, table, self.committed_at, rows.get("N", {}), old)
