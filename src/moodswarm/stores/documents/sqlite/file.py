"""A SQLite file in WAL mode: one connection per thread, transactions, and errors with remedies."""

import errno
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moodswarm.stores.errors import (
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreUnavailable,
)

_RETRY_SECONDS = 0.02


class SqliteFile:
    """A file whose acknowledged transactions survive a killed process and a power cut.

    Every commit is synced to disk (`synchronous=FULL`). In WAL mode, NORMAL would not sync commits
    at all, and would save only 10 %. Readers never wait; writers wait for each other.

    Args:
        path: The file; it and its folders are created.
        schema: Statements that create the tables in an empty file.
        application_id: Marks the file as ours, so that another program's database is left alone.
        migrations: For each schema version, the statements that migrate a file to it from the
            version before. When an older file is first opened, they run in one transaction.
        version: Schema version of this code; a newer file is refused.
        busy_timeout_seconds: How long to wait for another writer before raising `StoreLocked`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        schema: str,
        migrations: Mapping[int, str],
        application_id: int,
        version: int,
        busy_timeout_seconds: float,
    ) -> None:
        self.path = Path(path)
        self._schema = schema
        self._migrations = migrations
        self._application_id = application_id
        self._version = version
        self._timeout = busy_timeout_seconds
        # A thread's number is only reused once the thread has ended, so no two running threads
        # share a connection. The process is part of the key because SQLite connections must
        # not be carried across a fork.
        self._connections: dict[tuple[int, int], sqlite3.Connection] = {}
        with self._explained():
            self._connection()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection that sees one fixed state of the file, whatever others write."""
        with self._explained(), _transaction(self._connection(), "BEGIN") as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection; after the block its changes are on disk, or undone if it raises."""
        with self._explained(), _transaction(self._connection(), "BEGIN IMMEDIATE") as connection:
            yield connection

    def verify(self) -> None:
        """Read the whole file and check its structure.

        Raises:
            StoreCorrupt: something is wrong; the message quotes the first finding.
        """
        with self.read() as connection:
            (finding,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if finding != "ok":
            raise self._damaged(" ".join(finding.split()))

    def close(self) -> None:
        """Close this process's connections; a later read or write opens a new one."""
        for key in [key for key in self._connections if key[0] == os.getpid()]:
            self._connections.pop(key).close()

    def _connection(self) -> sqlite3.Connection:
        key = (os.getpid(), threading.get_ident())
        if key not in self._connections:
            self._connections[key] = self._open()
        return self._connections[key]

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self.path, timeout=self._timeout, isolation_level=None, check_same_thread=False
        )
        try:
            self._check(connection)
            self._check_length(connection)
            self._set_wal(connection)
            connection.execute("PRAGMA synchronous = FULL")
            # Ids are random, so a batch touches pages all over the indexes. With 32 MiB of cache,
            # inserts are a fifth faster than with the default of 2 MiB.
            connection.execute("PRAGMA cache_size = -32768")
            if _pragma(connection, "user_version") != self._version:
                self._bring_up_to_date(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check(self, connection: sqlite3.Connection) -> None:
        version = _pragma(connection, "user_version")
        if _is_empty(connection) and not version:
            return
        if _pragma(connection, "application_id") != self._application_id:
            raise StoreUnavailable(
                f"{self.path} is a SQLite database of another program; choose another path"
            )
        if version > self._version:
            raise StoreUnavailable(
                f"{self.path} was written by a newer moodswarm: its schema version is {version}, "
                f"and this one reads up to {self._version}; upgrade moodswarm"
            )

    def _check_length(self, connection: sqlite3.Connection) -> None:
        """Detect a file that was cut off within its last page, which SQLite does not notice.

        While there is a write-ahead log, the file may be shorter. The file is not opened
        here, because closing it would release the locks that SQLite holds in this process.
        """
        expected = _pragma(connection, "page_count") * _pragma(connection, "page_size")
        found = self.path.stat().st_size
        log = Path(f"{self.path}-wal")
        if found < expected and not (log.exists() and log.stat().st_size):
            raise self._damaged(f"it has {found:,} of {expected:,} bytes")

    def _set_wal(self, connection: sqlite3.Connection) -> None:
        """Switch to WAL mode.

        SQLite does not wait for other processes here, so two processes that open a new file at the
        same time would collide. The loop therefore tries again.
        """
        deadline = time.monotonic() + self._timeout
        while _pragma(connection, "journal_mode") != "wal":
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() > deadline:
                    raise
                time.sleep(_RETRY_SECONDS)

    def _bring_up_to_date(self, connection: sqlite3.Connection) -> None:
        """Create the tables, or migrate older ones; if killed midway, this changes nothing."""
        with _transaction(connection, "BEGIN IMMEDIATE"):
            self._check(connection)  # again, now that no other process can write
            version = _pragma(connection, "user_version")
            if version == self._version:
                return  # another process was faster
            for statements in self._steps(version):
                for statement in statements.split(";"):
                    connection.execute(statement.strip())
            connection.execute(f"PRAGMA application_id = {self._application_id}")
            connection.execute(f"PRAGMA user_version = {self._version}")

    def _steps(self, version: int) -> list[str]:
        if not version:
            return [self._schema]
        return [self._migrations[number] for number in range(version + 1, self._version + 1)]

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._explain(error) from error
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise (self._full() if full else self._unavailable(error)) from error

    def _explain(self, error: sqlite3.Error) -> StoreError:
        code = getattr(error, "sqlite_errorcode", None)
        # An error without a code comes from Python, which could not decode a text as UTF-8.
        if code is None or code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return self._damaged(error)
        if _is_busy(error):
            return StoreLocked(
                f"another process has been writing to {self.path} for more than "
                f"{self._timeout:g} s. Wait until it is done, or stop it"
            )
        return self._full() if code & 0xFF == sqlite3.SQLITE_FULL else self._unavailable(error)

    def _damaged(self, why: object) -> StoreCorrupt:
        return StoreCorrupt(
            f"{self.path} is damaged ({why}). Move it and its -wal and -shm files away, then "
            "import the latest export into a new store"
        )

    def _full(self) -> StoreFull:
        return StoreFull(
            f"no space left to write {self.path}, so this batch was not kept. Free some space and "
            "repeat it"
        )

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        return StoreUnavailable(
            f"{self.path} cannot be opened, read or written ({error}). Check that the path is a "
            "file in a folder where this user may write"
        )


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[sqlite3.Connection]:
    connection.execute(begin)
    try:
        yield connection
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _pragma(connection: sqlite3.Connection, name: str) -> Any:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def _is_empty(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None


def _is_busy(error: sqlite3.Error) -> bool:
    busy = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in busy
