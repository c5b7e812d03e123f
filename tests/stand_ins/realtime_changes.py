"""Postgres Changes: rows of published tables, each told to those who listen to it and may see it.

In: the write-ahead log, through a temporary slot; who listens to what. Out: payloads as Supabase Realtime
sends them. Touches the database as the superuser, and as each listener to ask their policies.

Kept from the real one: the log is looked at a few times a second, only while somebody listens; the policies
are asked for each row by its primary key, after the fact; a DELETE tells its key alone, and tells everybody
who listens to the table, whatever the policies and the filter say.
"""

import asyncio
import json
import zlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from tests.stand_ins.realtime_database import Claims, Connection, become
from tests.stand_ins.realtime_pgoutput import Change, Decoder, Table

PUBLICATION = "supabase_realtime"
LOOK_SECONDS = 0.05
OPERATORS = {"eq": "=", "neq": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}

Json = dict[str, Any]
Tell = Callable[[list[int], Json], Awaitable[None]]


@dataclass
class Listening:
    """One channel's wishes: as the client named them, each with the id it was given in the reply."""

    wishes: list[Json]
    claims: Claims
    tell: Tell

    def interested(self, change: Change) -> list[Json]:
        """Return the wishes that a change of this kind and table meets, filters aside."""
        return [
            wish
            for wish in self.wishes
            if wish.get("event") in ("*", change.kind)
            and wish.get("schema", "public") == change.table.schema
            and wish.get("table", "*") in ("*", change.table.name)
        ]


def with_ids(wishes: Iterable[Json]) -> list[Json]:
    """Return the wishes with ids, which are the same for the same wish."""
    return [wish | {"id": zlib.crc32(json.dumps(wish, sort_keys=True).encode())} for wish in wishes]


class Changes:
    """Follows the log while anybody listens."""

    def __init__(self, superuser_url: str) -> None:
        self._url = superuser_url
        self._listeners: list[Listening] = []
        self._following: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._types: dict[Table, list[dict[str, str]]] = {}

    async def add(self, listening: Listening) -> str | None:
        """Listen from now on; returns what is wrong with the wishes, or None once it is so."""
        if self._following is None:
            self._following = asyncio.create_task(self._follow())
        await self._ready.wait()
        if self._following.done():
            self._following.result()  # says what went wrong
        async with await psycopg.AsyncConnection.connect(self._url) as connection:
            for wish in listening.wishes:
                cursor = await connection.execute(
                    "select from pg_publication_tables where pubname = %s and schemaname = %s"
                    " and (tablename = %s or coalesce(%s, '*') = '*')",
                    [PUBLICATION, wish.get("schema", "public"), wish.get("table"), wish.get("table")],
                )
                if not await cursor.fetchall():
                    return (
                        "Unable to subscribe to changes with given parameters. Please check Realtime is"
                        f" enabled for the given connect parameters: {json.dumps(wish)}"
                    )
        self._listeners.append(listening)
        return None

    def remove(self, listening: Listening) -> None:
        if listening in self._listeners:
            self._listeners.remove(listening)

    async def close(self) -> None:
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)

    async def _follow(self) -> None:
        try:
            await self._follow_log(Decoder(), f"stand_in_{id(self)}")
        finally:
            self._ready.set()

    async def _follow_log(self, decoder: Decoder, slot: str) -> None:
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
            await connection.execute(
                "select pg_create_logical_replication_slot(%s, 'pgoutput', true)", [slot]
            )
            self._ready.set()
            while True:
                cursor = connection.cursor(binary=True)
                await cursor.execute(
                    "select data from pg_logical_slot_get_binary_changes("
                    "%s, null, null, 'proto_version', '1', 'publication_names', %s)",
                    [slot, PUBLICATION],
                )
                for change in decoder.changes([row[0] for row in await cursor.fetchall()]):
                    await self._tell(connection, change)
                await asyncio.sleep(LOOK_SECONDS)

    async def _tell(self, connection: Connection, change: Change) -> None:
        payload = await self._payload(connection, change)
        for listening in list(self._listeners):
            wishes = listening.interested(change)
            if change.kind != "DELETE":
                wishes = [wish for wish in wishes if await _passes(connection, wish.get("filter"), change)]
                if wishes and not await _sees(connection, listening.claims, change):
                    continue
            if wishes:
                await listening.tell([wish["id"] for wish in wishes], payload)

    async def _payload(self, connection: Connection, change: Change) -> Json:
        if change.table not in self._types:
            cursor = await connection.execute(
                "select attname, typname from pg_attribute join pg_type on pg_type.oid = atttypid"
                " where attrelid = format('%%I.%%I', %s::text, %s::text)::regclass and attnum > 0"
                " and not attisdropped order by attnum",
                [change.table.schema, change.table.name],
            )
            rows = await cursor.fetchall()
            self._types[change.table] = [{"name": name, "type": kind} for name, kind in rows]
        columns = self._types[change.table]
        record = await _typed(connection, change.table, columns, change.new)
        old = await _typed(connection, change.table, columns, change.old)
        return {
            "schema": change.table.schema,
            "table": change.table.name,
            "commit_timestamp": change.committed_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "type": change.kind,
            "columns": columns,
            "errors": None,
            **({} if change.kind == "DELETE" else {"record": record}),
            **({} if change.kind == "INSERT" else {"old_record": old}),
        }


async def _typed(
    connection: Connection, table: Table, columns: list[dict[str, str]], row: dict[str, str | None]
) -> Json:
    """Return a row of texts as JSON with the types of its columns."""
    documents = {column["name"] for column in columns if column["type"] in ("json", "jsonb")}
    said = {
        name: json.loads(text) if text is not None and name in documents else text
        for name, text in row.items()
    }
    query = sql.SQL("select to_jsonb(jsonb_populate_record(null::{}, %s::jsonb))").format(
        sql.Identifier(table.schema, table.name)
    )
    [(record,)] = await (await connection.execute(query, [json.dumps(said)])).fetchall()
    return {name: record[name] for name in said}


async def _passes(connection: Connection, wanted: str | None, change: Change) -> bool:
    """Apply filters such as `user_id=eq.1` or `status=in.(a,b)`, joined by commas outside of brackets."""
    if not wanted:
        return True
    column, _, condition = wanted.partition("=")
    operator, _, value = condition.partition(".")
    text = change.new.get(column)
    if text is None:
        return False
    if operator == "in":
        return text in value.strip("()").split(",")
    kind = sql.SQL("select format_type(atttypid, atttypmod) from pg_attribute where attrelid = {}::regclass"
                   " and attname = {}").format(
        sql.Literal(f'"{change.table.schema}"."{change.table.name}"'), sql.Literal(column)
    )  # fmt: skip
    [(name,)] = await (await connection.execute(kind)).fetchall()
    query = sql.SQL("select {}::{type} {operator} {}::{type}").format(
        sql.Literal(text), sql.Literal(value), type=sql.SQL(name), operator=sql.SQL(OPERATORS[operator])
    )
    [(passes,)] = await (await connection.execute(query)).fetchall()
    return bool(passes)


async def _sees(connection: Connection, claims: Claims, change: Change) -> bool:
    """Ask the table's policies, as the listener, for the row of that primary key as it is now."""
    table = change.table
    where = sql.SQL(" and ").join(
        sql.SQL("{} = {}").format(sql.Identifier(column), sql.Literal(change.new[column]))
        for column in table.key
    )
    query = sql.SQL("select from {} where {}").format(sql.Identifier(table.schema, table.name), where)
    try:
        async with connection.transaction(force_rollback=True):
            await become(connection, claims)
            return len(await (await connection.execute(query)).fetchall()) > 0
    except psycopg.errors.InsufficientPrivilege:
        return False
