"""The client: both doors of a Turunç system behind a few calls."""

from __future__ import annotations

import os
import select
import threading
import time
import uuid
from concurrent.futures import Future
from typing import Any, Callable, Iterable, List, Optional, Sequence, Union

from turunc import errors
from turunc.folder import Keys
from turunc.publishing import Publishing, Result
from turunc.requests import Commands, Done, Snapshot, Snapshots
from turunc.session import DOWN, NEVER, Session, Timing
from turunc.store import MemoryStore, SqliteStore
from turunc.subscription import Following, Subscription, subscribe_message
from turunc.text import check_text
from turunc.v1 import bus_pb2, inbound_pb2

IDLE_WAIT = 60.0


class Client:
    """Publishes events, follows the log, acts on tickets.

    `keys` is a key folder (or a Keys).  A door is connected when first needed.  `store` names an
    SQLite file in which events survive this process until answered; without it they live in memory.

    Thread-safe: every method may be called from any thread.  With `background` (the default) one
    thread of the client's own keeps the sessions alive and sends what was posted; callbacks
    (on_result, on_state, on_trouble) come from it and must neither block nor call the client.
    Without it nothing happens but inside calls: watch fileno() for reading, call step() when it is
    readable or timeout() seconds have passed, and callbacks come from step().
    Not to be used across fork().
    """

    def __init__(
        self,
        keys: Union[str, "os.PathLike[str]", Keys],
        *,
        store: Union[str, "os.PathLike[str]", None] = None,
        background: bool = True,
        instance: Optional[str] = None,
        software: str = "turunc-client-python/1",
        events_max: Optional[int] = None,
        store_bytes_max: int = 64 * 1024 * 1024,
        memory_bytes_max: int = 16 * 1024 * 1024,
        commands_max: int = 256,
        tickets_max: int = 200_000,
        timing: Optional[Timing] = None,
        on_result: Optional[Callable[[Result], None]] = None,
        on_state: Optional[Callable[[str, str, str], None]] = None,
        on_trouble: Optional[Callable[[str, Exception], None]] = None,
    ) -> None:
        self._keys = keys if isinstance(keys, Keys) else Keys.load(keys)
        self._instance = str(uuid.UUID(instance)) if instance else str(uuid.uuid4())
        self._software = software
        self._timing = timing or Timing()
        self._on_state = on_state
        self._on_trouble = on_trouble
        held: Union[MemoryStore, SqliteStore]
        if store is None:
            held = MemoryStore(events_max or 10_000, memory_bytes_max)
        else:
            held = SqliteStore(store, events_max or 1_000_000, store_bytes_max)
        self.publishing = Publishing(held, on_result)
        self.following = Following()
        self._commands = Commands(commands_max)
        self._snapshots = Snapshots(tickets_max)
        self._publisher: Optional[Session] = None
        self._stream: Optional[Session] = None

        self.lock = threading.RLock()
        self._changed = threading.Condition(self.lock)
        self._poller = select.epoll()
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poller.register(self._wake_fd, select.EPOLLIN)
        self._awake = False
        self._closed: Optional[Exception] = None
        self._thread: Optional[threading.Thread] = None
        if self.publishing.recovered:
            self._open_publisher()
        if background:
            self._thread = threading.Thread(target=self._run, name="turunc", daemon=True)
            self._thread.start()

    # --- publishing ------------------------------------------------------------------------------

    def post(self, event: inbound_pb2.InboundEvent) -> "Future[Result]":
        """Takes an event; returns when it is stored (on disk, if the client has a store).

        Raises Invalid, TooLarge, Full or StoreError, and then it is not taken.
        """
        return self.post_many([event])[0]

    def post_many(
        self, events: Iterable[inbound_pb2.InboundEvent]
    ) -> List["Future[Result]"]:
        """The same for several, all or none, with one write to the disk."""
        with self.lock:
            self._check_open()
            self._open_publisher()
            futures = self.publishing.post(list(events))
            self.wake()
            return futures

    def publish(
        self, event: inbound_pb2.InboundEvent, timeout: Optional[float] = 30.0
    ) -> Result:
        """Takes an event and waits for its result; raises Rejected, or Timeout (it is still
        taken and will be sent)."""
        result = self.publish_many([event], timeout)[0]
        if result.rejected:
            raise errors.Rejected(result, result.error)
        return result

    def publish_many(
        self, events: Iterable[inbound_pb2.InboundEvent], timeout: Optional[float] = 30.0
    ) -> List[Result]:
        """The same for several; look at each result's `rejected`."""
        futures = self.post_many(events)
        if not self.wait(lambda: all(f.done() for f in futures), timeout):
            raise errors.Timeout("no result in time; the events are kept and will be sent")
        return [future.result() for future in futures]

    def pending(self) -> int:
        """Events without a result."""
        with self.lock:
            return self.publishing.pending()

    # --- following and acting --------------------------------------------------------------------

    def subscribe(
        self,
        name: str,
        *,
        types: Sequence[str] = (),
        departments: Sequence[str] = (),
        start: Union[str, int] = "resume",
        from_time_us: int = 0,
        log_id: str = "",
        view: bool = True,
        replace: bool = False,
        take_over: bool = False,
        window: int = 1024,
    ) -> Subscription:
        """Follows the log under a durable name; one subscription per client at a time.

        start: "resume" (from the last acknowledgement; a new name: "latest"), "earliest",
        "latest", "time" (with from_time_us), or a seq: the record after it is the first.
        """
        wanted = subscribe_message(
            name, types, departments, start, from_time_us, log_id, view, replace, take_over
        )
        with self.lock:
            self._check_open()
            check_text(wanted)
            sub = Subscription(self, wanted, window)
            self.following.want(sub)
            self._open_stream()
            self.wake()
            return sub

    def snapshot(
        self, departments: Sequence[str] = (), timeout: Optional[float] = 60.0
    ) -> Snapshot:
        """The open tickets of some departments (none named: all allowed ones)."""
        with self.lock:
            self._check_open()
            future = self._snapshots.ask(departments)
            self._open_stream()
            self.wake()
        if not self.wait(future.done, timeout):
            with self.lock:
                self._snapshots.forget()
            raise errors.Timeout("no snapshot in time")
        return future.result()

    def command(
        self,
        ticket: str,
        verb: str,
        expected_version: int,
        *,
        timeout: Optional[float] = 30.0,
        **fields: Any,
    ) -> Done:
        """One step of a ticket's life; fields are those of turunc.v1.Command (reason_code, text,
        department, ...).  Raises Refused, or Timeout: then say it again with id=error.id."""
        command = self._command(ticket, verb, expected_version, fields)
        future = self._say(command)
        if not self.wait(future.done, timeout):
            with self.lock:
                self._commands.forget(command.id)
            raise errors.Timeout(f"no answer to {verb} in time", command.id)
        return future.result()

    def send_command(
        self, ticket: str, verb: str, expected_version: int, **fields: Any
    ) -> "Future[Done]":
        """The same without waiting; it is said until answered."""
        return self._say(self._command(ticket, verb, expected_version, fields))

    def _command(
        self, ticket: str, verb: str, expected_version: int, fields: Any
    ) -> bus_pb2.Command:
        id = str(uuid.UUID(fields.pop("id"))) if fields.get("id") else str(uuid.uuid4())
        fields.pop("id", None)
        if not ticket or not verb:
            raise errors.Invalid("ticket and verb are required")
        try:
            command = bus_pb2.Command(
                id=id, ticket=ticket, verb=verb, expected_version=expected_version, **fields
            )
        except (TypeError, ValueError) as error:
            raise errors.Invalid(str(error)) from error
        check_text(command)
        return command

    def _say(self, command: bus_pb2.Command) -> "Future[Done]":
        with self.lock:
            self._check_open()
            future = self._commands.add(command)
            self._open_stream()
            self.wake()
            return future

    # --- state -----------------------------------------------------------------------------------

    def state(self, door: str) -> str:
        """"down", "connecting", "greeting" or "ready"; door is "publish" or "stream"."""
        with self.lock:
            session = self._publisher if door == "publish" else self._stream
            return session.state if session is not None else DOWN

    @property
    def log_id(self) -> str:
        """The history the system last named, "" before the first connection."""
        with self.lock:
            return next((s.log_id for s in self._sessions() if s.log_id), "")

    def stats(self) -> "dict[str, int]":
        with self.lock:
            sessions = self._sessions()
            return {
                "sessions": sum(s.sessions for s in sessions),
                "drops": sum(s.drops for s in sessions),
                "bad_frames": sum(s.bad_frames for s in sessions),
                "events_recovered": self.publishing.recovered,
                "events_resent": self.publishing.resent,
                "pending": self.publishing.pending(),
            }

    def idle(self) -> bool:
        """Nothing waits for an answer."""
        with self.lock:
            return not (
                self.publishing.pending()
                or self._commands.pending()
                or self._snapshots.pending()
                or self.following.busy()
            )

    # --- driving ---------------------------------------------------------------------------------

    def fileno(self) -> int:
        """Readable when step() has something to do; the same for the client's whole life."""
        return self._poller.fileno()

    def timeout(self) -> float:
        """Seconds until step() has something to do even so."""
        with self.lock:
            if self._awake:
                return 0.0
            due = min((s.deadline() for s in self._sessions()), default=NEVER)
            return max(0.0, min(due - time.monotonic(), IDLE_WAIT))

    def step(self) -> bool:
        """Does what is due without waiting; True when there is more to do at once."""
        with self.lock:
            self._check_open()
            if self._awake:
                os.eventfd_read(self._wake_fd)
                self._awake = False
            more = [session.step() for session in self._sessions()]
            if any(more):
                self.wake()
            self._changed.notify_all()
            return self._awake

    def wake(self) -> None:
        """Makes fileno() readable; called by the package when there is work."""
        with self.lock:
            if not self._awake and self._closed is None:
                self._awake = True
                os.eventfd_write(self._wake_fd, 1)

    def wait(self, done: Callable[[], bool], timeout: Optional[float]) -> bool:
        """Waits until done() holds, driving the sessions if no thread does; False in time-out."""
        until = NEVER if timeout is None else time.monotonic() + timeout
        if threading.current_thread() is self._thread:
            raise errors.Invalid("a callback must not wait")
        with self.lock:
            while not done():
                self._check_open()
                left = until - time.monotonic()
                if left <= 0:
                    return False
                if self._thread is not None:
                    self._changed.wait(min(left, IDLE_WAIT))
                elif not self.step() and not done():
                    self._sleep(min(max(until - time.monotonic(), 0.0), self.timeout()))
            return True

    def drain(self, timeout: Optional[float] = None) -> bool:
        """Waits until nothing waits for an answer any more."""
        return self.wait(self.idle, timeout)

    def close(self) -> None:
        """Ends the sessions.  Stored events stay for the next process; futures that have no
        result get Closed."""
        with self.lock:
            if self._closed is not None:
                return
            if self.following.sub is not None:
                self.following.sub.close()
            self.wake()
            self._close(errors.Closed("the client was closed"))
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        with self.lock:
            if not self._poller.closed:
                self._poller.close()
                os.close(self._wake_fd)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- inside ----------------------------------------------------------------------------------

    def _close(self, error: Exception) -> None:
        self._closed = error
        for session in self._sessions():
            session.close(error)
        if self._publisher is None:
            self.publishing.abort(error)
        self._changed.notify_all()

    def _check_open(self) -> None:
        if self._closed is not None:
            raise errors.Closed(str(self._closed)) from self._closed

    def _sessions(self) -> List[Session]:
        return [s for s in (self._publisher, self._stream) if s is not None]

    def _session(self, door: str, conversations: List[Any]) -> Session:
        return Session(
            door,
            self._keys,
            self._instance,
            self._software,
            self._timing,
            conversations,
            self._watch,
            self._on_state or (lambda door, state, why: None),
            self._on_trouble or (lambda door, error: None),
        )

    def _open_publisher(self) -> None:
        if self._publisher is None:
            self._publisher = self._session("publish", [self.publishing])

    def _open_stream(self) -> None:
        if self._stream is None:
            self._stream = self._session(
                "stream", [self.following, self._commands, self._snapshots]
            )

    def _watch(self, fd: int, on: bool) -> None:
        if on:
            self._poller.register(fd, select.EPOLLIN)
        else:
            self._poller.unregister(fd)

    def _sleep(self, seconds: float) -> None:
        """Waits for the descriptor with the lock released, whatever its depth."""
        state = self.lock._release_save()  # type: ignore[attr-defined]
        try:
            self._poller.poll(seconds)
        finally:
            self.lock._acquire_restore(state)  # type: ignore[attr-defined]

    def _run(self) -> None:
        try:
            while self._closed is None:
                # A closed poller ends the wait with an error; then _closed says so.
                seconds = self.timeout()
                if seconds > 0:
                    self._poller.poll(seconds)
                with self.lock:
                    if self._closed is None:
                        self.step()
        except Exception as error:  # a callback's, or a bug: whoever waits must hear of it
            with self.lock:
                if self._closed is None:
                    closed = errors.Closed(str(error))
                    closed.__cause__ = error
                    self._close(closed)  # whoever waits hears the same as whoever asks later
