"""Where events wait for their answer: in memory, or in a file that outlives the process."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Dict, Iterable, List, Sequence, Tuple, Union

from turunc.errors import Full, StoreError

REJECTED_KEPT = 10_000


class MemoryStore:
    """Lost with the process; bounded by count and bytes."""

    durable = False
    location = "memory"

    def __init__(self, events_max: int, bytes_max: int) -> None:
        self.events_max = events_max
        self.bytes_max = bytes_max
        self._bodies: Dict[int, bytes] = {}
        self._bytes = 0
        self._last = 0

    def pending(self) -> List[Tuple[int, str]]:
        return []

    def add(self, events: Sequence[Tuple[str, bytes]]) -> List[int]:
        size = sum(len(body) for _, body in events)
        if (
            len(self._bodies) + len(events) > self.events_max
            or self._bytes + size > self.bytes_max
        ):
            raise Full("too many events wait for an answer")
        numbers = []
        for _, body in events:
            self._last += 1
            self._bodies[self._last] = body
            numbers.append(self._last)
        self._bytes += size
        return numbers

    def body(self, number: int) -> bytes:
        return self._bodies[number]

    def settle(self, done: Iterable[int], rejected: Iterable[Tuple[int, str]]) -> None:
        for number in [*done, *(number for number, _ in rejected)]:
            self._bytes -= len(self._bodies.pop(number, b""))

    def close(self) -> None:
        self._bodies.clear()


class SqliteStore:
    """An SQLite file with synchronous=FULL: what add() returned for is on the disk.

    One process at a time.  Events refused for good are kept with the reason in the table
    `rejected`, the newest 10,000.
    """

    durable = True

    def __init__(
        self, path: Union[str, "os.PathLike[str]"], events_max: int, bytes_max: int
    ) -> None:
        self.location = os.fspath(path)
        self.events_max = events_max
        self.bytes_max = bytes_max
        self._db = self._open()
        count, size = self._db.execute(
            "SELECT count(*), coalesce(sum(length(body)), 0) FROM event"
        ).fetchone()
        self._count: int = count
        self._bytes: int = size

    def _open(self) -> sqlite3.Connection:
        path = Path(self.location)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
            db = sqlite3.connect(
                path, timeout=0.5, isolation_level=None, check_same_thread=False
            )
            try:
                db.execute("PRAGMA locking_mode=EXCLUSIVE")
                db.execute("PRAGMA journal_mode=WAL")
                db.execute("PRAGMA synchronous=FULL")
                db.executescript(
                    """BEGIN EXCLUSIVE;
                    CREATE TABLE IF NOT EXISTS event (
                        n INTEGER PRIMARY KEY AUTOINCREMENT,
                        event_id TEXT NOT NULL, body BLOB NOT NULL);
                    CREATE TABLE IF NOT EXISTS rejected (
                        n INTEGER PRIMARY KEY, event_id TEXT NOT NULL,
                        body BLOB NOT NULL, reason TEXT NOT NULL);
                    COMMIT;"""
                )
            except sqlite3.Error:
                db.close()
                raise
        except (OSError, sqlite3.Error) as error:
            in_use = "locked" in str(error)
            text = "in use by another process" if in_use else str(error)
            raise StoreError(f"{path}: {text}") from error
        return db

    def pending(self) -> List[Tuple[int, str]]:
        """Number and id of what waits, in the order stored."""
        return self._db.execute("SELECT n, event_id FROM event ORDER BY n").fetchall()

    def add(self, events: Sequence[Tuple[str, bytes]]) -> List[int]:
        size = sum(len(body) for _, body in events)
        if self._count + len(events) > self.events_max or self._bytes + size > self.bytes_max:
            raise Full("the store is full")
        numbers = []
        try:
            with self._transaction():
                for event_id, body in events:
                    cursor = self._db.execute(
                        "INSERT INTO event (event_id, body) VALUES (?, ?)", (event_id, body)
                    )
                    numbers.append(cursor.lastrowid or 0)
        except sqlite3.Error as error:
            raise StoreError(f"{self.location}: {error}") from error
        self._count += len(events)
        self._bytes += size
        return numbers

    def body(self, number: int) -> bytes:
        try:
            row = self._db.execute("SELECT body FROM event WHERE n = ?", (number,)).fetchone()
        except sqlite3.Error as error:
            raise StoreError(f"{self.location}: {error}") from error
        if row is None:
            raise StoreError(f"{self.location}: event {number} is gone")
        return bytes(row[0])

    def settle(self, done: Iterable[int], rejected: Iterable[Tuple[int, str]]) -> None:
        """One transaction per answered batch.  If it fails the events are sent again after the
        next start, and the door knows them."""
        refused = list(rejected)
        gone = [(number,) for number in [*done, *(number for number, _ in refused)]]
        try:
            with self._transaction():
                for number, reason in refused:
                    self._db.execute(
                        "INSERT OR REPLACE INTO rejected "
                        "SELECT n, event_id, body, ? FROM event WHERE n = ?",
                        (reason, number),
                    )
                if refused:
                    self._db.execute(
                        "DELETE FROM rejected WHERE n <= "
                        "(SELECT n FROM rejected ORDER BY n DESC LIMIT 1 OFFSET ?)",
                        (REJECTED_KEPT,),
                    )
                freed = 0
                for number in gone:
                    row = self._db.execute(
                        "DELETE FROM event WHERE n = ? RETURNING length(body)", number
                    ).fetchone()
                    freed += row[0] if row else 0
        except sqlite3.Error as error:
            raise StoreError(f"{self.location}: {error}") from error
        self._count -= len(gone)
        self._bytes -= freed

    def rejected(self) -> List[Tuple[str, str, bytes]]:
        """(event id, reason, encoded InboundEvent), oldest first."""
        return self._db.execute(
            "SELECT event_id, reason, body FROM rejected ORDER BY n"
        ).fetchall()

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._db)

    def close(self) -> None:
        self._db.close()


class _Transaction:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, value: object, trace: object) -> None:
        if kind is None:
            try:
                self._db.execute("COMMIT")
                return
            except sqlite3.Error:
                self._rollback()
                raise
        self._rollback()

    def _rollback(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
