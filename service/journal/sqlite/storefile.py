"""One side, writing or reading, of the SQLite file: how it is opened, begun, committed and given up.

1.  WAL, synchronous=FULL: a commit is fsynced before it returns, and readers never wait for it.
2.  A file that was moved, deleted or replaced under us is noticed before the next transaction, and
    opened anew: a write to an unlinked file would be acknowledged and lost.
3.  A file that went back (a copy was restored) gets new incarnations, see tide.py.
4.  A file of an older layout is carried over when it is opened for writing, in one transaction.
5.  Whatever SQLite says goes up as StoreUnavailable with a sentence for a person. Nothing is retried
    here but the wait for another process's write, and that has an end.
"""

import sqlite3
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from threading import Event
from typing import Final

from service.errors import StoreUnavailable
from service.journal.sqlite.connection import Connection
from service.journal.sqlite.tide import OwnGroups, TideMark

LAYOUT = 3  # of the tables, in the file's user_version
LAYOUT_FIRST = 1  # the oldest that is carried over
BUSY_MS = 8  # SQLite's own wait, of 1, 2 and 5 ms: short, because its longer steps are unfair
BUSY_TRIES = 250  # so that another process's write is waited for about 2 s in all
WAL_BYTES_MAX = 16_777_216  # what is left of the log on disk after a checkpoint
CACHE_KIB = 4_096  # pages held in memory by each side

_SETTINGS: Final = (
    f"PRAGMA busy_timeout = {BUSY_MS}",
    f"PRAGMA cache_size = -{CACHE_KIB}",
    f"PRAGMA journal_size_limit = {WAL_BYTES_MAX}",
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = ON",  # on macOS a plain fsync stops short of the disk
    "PRAGMA secure_delete = ON",  # what is erased is overwritten, not only unlinked
)

_ADVICE: Final = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "the file or its folder is read-only",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; move it away or restore a copy",
    sqlite3.SQLITE_NOTADB: "this is not a SQLite file; move it away",
    sqlite3.SQLITE_BUSY: "another process holds the file's write lock",
    sqlite3.SQLITE_LOCKED: "the file is locked",
    sqlite3.SQLITE_CANTOPEN: "the file or its folder can't be opened",
    sqlite3.SQLITE_IOERR: "the disk reports an error",
}


def named_statements(name: str) -> dict[str, str]:
    """Return the SQL of a file in this package, by the names in its `-- name:` lines."""
    blocks = files(__package__).joinpath(name).read_text(encoding="utf-8").split("-- name: ")[1:]
    pairs = (block.split("\n", 1) for block in blocks)
    return {title.strip(): text.strip() for title, text in pairs}


SQL: Final = named_statements("statements.sql")


def is_busy(error: BaseException) -> bool:
    """Say whether another process was writing, so that trying again makes sense."""
    return _code(error) == sqlite3.SQLITE_BUSY


def _code(error: BaseException) -> int:
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return code & 0xFF  # the extended codes keep the plain one in their low byte


class StoreFile:
    """A connection to the SQLite file at `path`; None is a store in memory, gone at `close`.

    Lives in one thread: opened, used and closed there.
    """

    def __init__(self, path: Path | None, *, writes: bool) -> None:
        self._path = path
        self._writes = writes
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._tide = None if path is None else TideMark(path)
        self._pause = Event()  # never set: a sleep that reads no clock
        self.own_groups = OwnGroups()  # of those written since the file was opened

    def begin(self) -> sqlite3.Connection:
        """Start a transaction, opening the file when need be. Raises StoreUnavailable."""
        try:
            if self._is_moved():
                self.close()
            if self._connection is None:
                self._connection = self._open()
            self._start(self._connection)
        except (sqlite3.Error, OSError) as error:
            raise self.give_up(error) from error
        return self._connection

    def commit(self, connection: sqlite3.Connection) -> None:
        """Make the transaction's writes durable. Raises sqlite3.Error."""
        if not self._writes:
            connection.execute("COMMIT")
            return
        (height,) = connection.execute(SQL["raise_tide"]).fetchone()
        self.own_groups.note(height)  # Before: whoever reads of it must know whose it is.
        try:
            connection.execute("COMMIT")
        except sqlite3.Error:
            self.own_groups.forget()
            raise
        if self._tide is not None:
            self._tide.rise(height)

    def roll_back(self) -> None:
        """Leave the transaction, if one is left."""
        connection = self._connection
        if connection is not None and connection.in_transaction:
            connection.execute("ROLLBACK")

    def scrub(self) -> bool:
        """Fold the log into the file and empty it, so that erased bytes are gone. False when busy."""
        if self._connection is None:
            return True
        (is_blocked, _, _) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not is_blocked

    def give_up(self, error: BaseException) -> StoreUnavailable:
        """Return what to say of `error`. A connection that may be broken is let go."""
        with suppress(sqlite3.Error):
            self.roll_back()
        if self._path is not None and not is_busy(error):
            self.close()
        advice = _ADVICE.get(_code(error)) or str(error)
        return StoreUnavailable(f"The journal's file {self._path} can't be used: {advice}.")

    def close(self) -> None:
        """Let go of the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()
        if self._tide is not None:
            self._tide.close()

    def _open(self) -> sqlite3.Connection:
        if self._path is None:
            connection = sqlite3.connect(":memory:", isolation_level=None, factory=Connection)
        else:
            if self._writes:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            mode = "rwc" if self._writes else "rw"
            connection = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode={mode}",
                uri=True,
                isolation_level=None,
                factory=Connection,
            )
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        self._identity = self._present_identity()
        self.own_groups = OwnGroups()  # It may be another file, and its tide lower.
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        for setting in _SETTINGS:
            # The first of several processes may just be turning a fresh file's log on.
            self._patiently(connection, setting)
        if not self._writes:
            connection.execute("PRAGMA query_only = ON")
            return
        self._patiently(connection, "PRAGMA journal_mode = WAL")
        self._patiently(connection, "BEGIN IMMEDIATE")
        self._lay_tables(connection)
        (height,) = connection.execute(SQL["tide"]).fetchone()
        if self._tide is not None and self._tide.is_above(height):
            connection.execute(SQL["renew_incarnations"])
            self._tide.reset(height)
        connection.execute("COMMIT")

    def _lay_tables(self, connection: sqlite3.Connection) -> None:
        (layout,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if layout == LAYOUT:
            return
        statements: list[str] = []
        if layout in range(LAYOUT_FIRST, LAYOUT):
            for younger in range(layout + 1, LAYOUT + 1):
                statements += SQL[f"columns_of_layout_{younger}"].split(";\n")
        elif layout or tables:
            raise sqlite3.DatabaseError("it belongs to another program or a newer version")
        for statement in (*statements, *SQL["tables"].split(";\n")):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {LAYOUT}")

    def _start(self, connection: sqlite3.Connection) -> None:
        if self._writes:
            self._patiently(connection, "BEGIN IMMEDIATE")
        else:
            connection.execute("BEGIN")

    def _patiently(self, connection: sqlite3.Connection, statement: str) -> None:
        """Run a statement that needs the write lock, waiting for it at most BUSY_TRIES times."""
        for _ in range(BUSY_TRIES - 1):
            try:
                connection.execute(statement)
            except sqlite3.OperationalError as error:
                if not is_busy(error):
                    raise
                self._pause.wait(0.001)
            else:
                return
        connection.execute(statement)

    def _is_moved(self) -> bool:
        return self._present_identity() != self._identity

    def _present_identity(self) -> tuple[int, int] | None:
        if self._path is None:
            return None
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return None
        return stat.st_dev, stat.st_ino
