"""Reads the published tables, the run log and the lock from the database.

Published tables and the run log are read as the reader role, if it exists, in read-only transactions.
Statements are fixed texts; the values of a call are passed as parameters.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from weakref import WeakValueDictionary

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg_pool import AsyncNullConnectionPool, PoolTimeout

from experiment_features.runs import NAME_OF_HOLDER, STATEMENTS, lock_key, name_of_holder, name_of_workers
from experiment_features.service.places import CLIENT, PlaceLostError, Places
from experiment_features.service.settings import Settings

CONNECTIONS = 10
# The rest is left to other clients.
CONNECTIONS_OF_A_CLIENT = 8
# Exports that read the table at the same time; they take longer than other calls.
COPIES = 3
WAIT_SECONDS = 5
STATEMENT_SECONDS = 30
LOCK_SECONDS = 0.5
# For copying a table into a file; meanwhile, a run that changes its columns has to wait.
EXPORT_SECONDS = 600
CHUNK_BYTES = 64 * 1024

# The reader role, unless it was made for another database of the server. Members may not always assume a role since Postgres 16.
READER = """
from pg_roles
where
    rolname = %s
    and pg_has_role(rolname, case when current_setting('server_version_num')::integer < 160000 then 'MEMBER' else 'SET' end)
    and coalesce(has_schema_privilege(oid, to_regnamespace({features_name})::oid, 'usage'), true)
"""
RUNS = """
select
    runs.id, runs.command, runs.started_by, runs.status, runs.started, runs.finished, runs.message,
    -- Through JSON: a log created by a version without causes lacks the column until the next run.
    coalesce(to_jsonb(runs) -> 'causes', '[]') as causes,
    nodes.nodes_done, runs.nodes as nodes_total, nodes.failed_nodes,
    counts.rows_read, counts.rows_published, counts.rows_rejected, counts.files
from (select * from {audit}.runs {which}) as runs
cross join lateral (
    select
        count(*) filter (where status <> 'skipped') as nodes_done,
        coalesce(
            json_agg(json_build_object('node', node, 'status', status, 'message', message) order by node)
            filter (where status in ('error', 'fail', 'runtime error')),
            '[]'
        ) as failed_nodes
    from {audit}.run_nodes
    where run_id = runs.id and node not like 'operation.%%'
) as nodes
cross join lateral (
    select
        sum(rows_read)::bigint as rows_read,
        sum(rows_published)::bigint as rows_published,
        sum(rows_rejected)::bigint as rows_rejected,
        coalesce(json_agg(json_build_object(
            'file', file, 'rows_read', rows_read, 'rows_published', rows_published, 'rows_rejected', rows_rejected
        ) order by file), '[]') as files
    from {audit}.run_files
    where run_id = runs.id
) as counts
order by runs.started desc, runs.id desc
"""


class Export:
    """A CSV file that is sent to a client; it has no name, and disappears when it is closed.

    Attributes:
        owner: the client.
        waiting_since: when the client began to receive the last piece; None while the service works.
    """

    def __init__(self) -> None:
        self.owner: str | None = CLIENT.get()
        self.waiting_since: float | None = None
        self.file = tempfile.TemporaryFile()

    def give_up(self) -> None:
        """Frees the disk space for another export; the client receives nothing more."""
        self.file.close()


class Database:
    """The database of the service.

    The pool keeps no idle connections: a restart of the server breaks none, and the next call connects again.

    Args:
        settings: the server, the schema and the reader role.
    """

    def __init__(self, settings: Settings) -> None:
        self._schema = settings.schema
        self._reader = settings.reader
        self._names = {
            "features": sql.Identifier(settings.schema),
            "features_name": sql.Literal(f'"{settings.schema}"'),
            "audit": sql.Identifier(f"{settings.schema}_audit"),
        }
        self._exports = Places(settings.limits.exports, settings.limits.exports_per_client)
        self._copies = asyncio.Semaphore(COPIES)
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._pool = AsyncNullConnectionPool(
            kwargs={
                **settings.connection,
                "autocommit": True,
                "application_name": "experiment_features service",
                "connect_timeout": WAIT_SECONDS,
                "client_encoding": "utf8",
                # Waiting for a table that a run replaces would keep its connection from other calls; functions are only those of Postgres.
                "options": f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={LOCK_SECONDS}s -c search_path=pg_catalog "
                # psycopg reads no other dates, and with fewer digits numbers would differ from those that are published.
                "-c DateStyle=ISO -c extra_float_digits=1",
            },
            max_size=CONNECTIONS,
            timeout=WAIT_SECONDS,
            open=False,
        )

    async def open(self) -> None:
        await self._pool.open()

    async def close(self) -> None:
        await self._pool.close()

    async def has_reader(self) -> bool:
        """Whether the reader role exists and may read, and this user may assume it."""
        async with self._connection() as connection:
            return await (await connection.execute(self._text("select 1" + READER), [self._reader])).fetchone() is not None

    async def last_published(self) -> datetime | None:
        """When features were last published; None if that is not known. Raises psycopg.OperationalError if the database does not answer."""
        try:
            rows = await self._read("select max(published_at) as published from {features}.publications")
        except (psycopg.errors.UndefinedTable, psycopg.errors.LockNotAvailable):
            # A run may be replacing the table.
            return None
        published: datetime | None = rows[0]["published"]
        return published

    # Postgres writes the JSON of the features, which keeps all digits of a sum.

    async def features(self, after: int, limit: int) -> list[tuple[int, str]]:
        """At most `limit` users after the user id `after`: user_id, and the features as JSON."""
        rows = await self._read(
            "select user_id, row_to_json(user_features)::text as features from {features}.user_features "
            "where user_id > %s order by user_id limit %s",
            after, limit,
        )  # fmt: skip
        return [(row["user_id"], row["features"]) for row in rows]

    async def features_of(self, user_id: int) -> str | None:
        """The features of a user as JSON; None if there is no such user."""
        rows = await self._read("select row_to_json(user_features)::text as features from {features}.user_features where user_id = %s", user_id)
        return rows[0]["features"] if rows else None

    async def features_as_csv(self) -> AsyncIterator[bytes]:
        """All features as CSV with a header, ordered by user_id, in pieces; only one piece is in memory.

        All of them are written to a file before the first piece is returned, so a client that stalls holds no connection.

        Raises:
            NoPlaceError: there are too many exports at the same time.
            OSError: there is no space for the file.
            PlaceLostError: the client stalled, and its place was given to another export.
        """
        export = Export()
        try:
            self._exports.take(export)
            async with self._copies:
                await self._copy_features(export)
            await asyncio.to_thread(export.file.seek, 0)
            while piece := await asyncio.to_thread(export.file.read, CHUNK_BYTES):
                export.waiting_since = time.monotonic()
                yield piece
                export.waiting_since = None
                if export.file.closed:
                    raise PlaceLostError
        finally:
            self._exports.leave(export)
            export.file.close()

    async def _copy_features(self, export: Export) -> None:
        """Writes the features to the file of an export, in threads because a disk may be slow."""
        async with self._reading() as connection:
            await connection.execute(f"set local statement_timeout = '{EXPORT_SECONDS}s'")
            async with connection.cursor().copy(
                self._text("copy (select * from {features}.user_features order by user_id) to stdout (format csv, header)")
            ) as rows:
                piece = bytearray()
                async for row in rows:
                    piece += row
                    if len(piece) >= CHUNK_BYTES:
                        await asyncio.to_thread(export.file.write, piece)
                        piece.clear()
                await asyncio.to_thread(export.file.write, piece)

    async def rejected(self, after: tuple[str, int, str], limit: int) -> list[dict[str, Any]]:
        """At most `limit` rejected rows after this (file, row number, column)."""
        return await self._read(
            "select file, row_number, column_name, reason, remedy, row_kept from {features}.rejected_rows "
            "where (file, row_number, column_name) > (%s, %s, %s) order by file, row_number, column_name limit %s",
            *after, limit,
        )  # fmt: skip

    async def reasons(self) -> list[dict[str, Any]]:
        """The reasons why rows were rejected, the most frequent first: file, reason, row_kept, count."""
        return await self._read(
            "select file, regexp_replace(reason, '[0-9]+(, [0-9]+)*', '…', 'g') as reason, row_kept, count(*) as count "
            "from {features}.rejected_rows group by 1, 2, 3 order by count(*) desc, 1, 2 limit 50"
        )

    async def users_per_experiments(self, bars: int) -> list[tuple[int, int, int]]:
        """A histogram of at most `bars` rows: from and to how many experiments, and the number of users in that range."""
        rows = await self._read(
            "with widths as (select greatest(1, ceil((max(total_experiments) + 1) / %s::numeric))::bigint as width "
            "from {features}.user_features) "
            "select min(total_experiments) as low, max(total_experiments) as high, count(*) as users "
            "from {features}.user_features cross join widths group by total_experiments / width order by total_experiments / width",
            bars,
        )
        return [(row["low"], row["high"], row["users"]) for row in rows]

    async def most_used_compounds(self, bars: int) -> list[tuple[int, str | None, int]]:
        """The compounds used in the most experiments: id, name, experiments; at most `bars` rows."""
        rows = await self._read(
            "select compound_id, compound_name, experiments from {features}.compound_usage order by experiments desc, compound_id limit %s",
            bars,
        )
        return [(row["compound_id"], row["compound_name"], row["experiments"]) for row in rows]

    async def runs(self, limit: int, before: tuple[datetime, str] | None = None) -> list[dict[str, Any]]:
        """At most `limit` runs of the log, newest first; if `before` is the start and id of a run, only runs before that one."""
        where = "where (started, id) < (%s, %s)" if before else ""
        return await self._runs(f"{where} order by started desc, id desc limit %s", *(before or ()), limit)

    async def run(self, run_id: str) -> dict[str, Any] | None:
        """A run of the log; None if there is no such run."""
        rows = await self._runs("where id = %s", run_id)
        return rows[0] if rows else None

    async def holder(self) -> str | None:
        """The id of the run that has the lock of the schema; None if the lock is free."""
        async with self._connection() as connection:
            holding = await (await connection.execute(STATEMENTS["lock_holder"], [lock_key(self._schema)])).fetchone()
        if holding is None:
            return None
        name, running = str(holding[1]), await self._runs("where status = 'running' order by started desc limit 1")
        run_id = str(running[0]["id"]) if running else "unknown"
        # A run that has just taken the lock is not in the log yet.
        is_new = name.startswith(NAME_OF_HOLDER) and name != name_of_holder(run_id)
        return name.removeprefix(NAME_OF_HOLDER) if is_new else run_id

    async def end_run(self, run_id: str, message: str) -> None:
        """Ends a run that does not end by itself: cuts its connections to keep it from publishing, and records that in the log.

        Raises:
            psycopg.errors.InsufficientPrivilege: the run belongs to another user.
        """
        key = lock_key(self._schema)
        async with self._connection() as connection:
            holding = await (await connection.execute(STATEMENTS["lock_holder"], [key])).fetchone()
            # Nobody holds the lock if the process was killed already.
            if holding is not None:
                if holding[1] != name_of_holder(run_id):
                    return
                await connection.execute("select pg_terminate_backend(%s, 10000)", [holding[0]])
            taken = await (await connection.execute("select pg_try_advisory_lock(%s)", [key])).fetchone()
            if taken != (True,):
                # A run that was waiting has begun, and has cut these connections itself.
                return
            try:
                await connection.execute(
                    "select pg_terminate_backend(pid, 10000) from pg_stat_activity where application_name = %s and datname = current_database()",
                    [name_of_workers(self._schema)],
                )
                await connection.execute(
                    self._text("update {audit}.runs set status = 'cancelled', finished = clock_timestamp(), message = %s where id = %s and finished is null"),
                    [message, run_id],
                )
            finally:
                await connection.execute("select pg_advisory_unlock(%s)", [key])

    async def _runs(self, which: str, *parameters: Any) -> list[dict[str, Any]]:
        try:
            return await self._read(RUNS.replace("{which}", which), *parameters)
        except psycopg.errors.UndefinedTable:
            return []

    async def _read(self, text: str, *parameters: Any) -> list[dict[str, Any]]:
        async with self._reading() as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(self._text(text), parameters)
            return await cursor.fetchall()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[psycopg.AsyncConnection]:
        """A connection; one client cannot take them all. Raises psycopg.OperationalError if none becomes free in time."""
        client = CLIENT.get()
        turn = self._turns.get(client) or asyncio.Semaphore(CONNECTIONS_OF_A_CLIENT)
        self._turns[client] = turn
        try:
            # Most calls need not wait, so they need no timeout.
            await (asyncio.wait_for(turn.acquire(), WAIT_SECONDS) if turn.locked() else turn.acquire())
        except asyncio.TimeoutError:
            raise PoolTimeout("the client has too many connections in use") from None
        try:
            async with self._pool.connection() as connection:
                yield connection
        finally:
            turn.release()

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[psycopg.AsyncConnection]:
        """A read-only transaction, as the reader role if it exists."""
        async with self._connection() as connection, connection.transaction():
            await connection.execute("set transaction read only")
            await connection.execute(self._text("select set_config('role', rolname, true)" + READER), [self._reader])
            yield connection

    def _text(self, text: str) -> sql.Composed:
        return sql.SQL(text).format(**self._names)
