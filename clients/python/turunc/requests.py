"""Commands, said until answered under one id; and snapshots, begun anew when cut."""

from __future__ import annotations

import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Dict, List, Optional, Sequence

from turunc import errors
from turunc.session import NEVER, Conversation
from turunc.v1 import bus_pb2, ticket_pb2

COMMAND_BYTES = 16 * 1024


@dataclass(frozen=True)
class Done:
    """A command's step was taken; version and status are the ticket's after it."""

    id: str
    version: int
    status: int

    @property
    def status_name(self) -> str:
        return ticket_pb2.Status.Name(self.status)


@dataclass
class _Said:
    command: bus_pb2.Command
    future: "Future[Done]"
    request: int = 0
    due: float = 0.0
    deadline: float = NEVER


class Commands(Conversation):
    def __init__(self, most: int) -> None:
        self.most = most
        self._list: Dict[str, _Said] = {}

    def add(self, command: bus_pb2.Command) -> "Future[Done]":
        if len(self._list) >= self.most:
            raise errors.Full("too many commands wait for an answer")
        if command.id in self._list:
            raise errors.Invalid("this command is under way already")
        if command.ByteSize() > COMMAND_BYTES:
            raise errors.TooLarge("the command's text is too long")
        said = _Said(command, Future())
        said.future.set_running_or_notify_cancel()
        self._list[command.id] = said
        return said.future

    def forget(self, id: str) -> None:
        """Not said again; its outcome stays unknown."""
        self._list.pop(id, None)

    def pending(self) -> int:
        return len(self._list)

    def stop(self) -> None:
        for said in self._list.values():
            said.request, said.due = 0, 0.0

    def abort(self, error: Exception) -> None:
        for said in self._list.values():
            if not said.future.done():
                said.future.set_exception(error)
        self._list.clear()

    def deadline(self) -> float:
        if not self.session.ready:
            return NEVER
        return min((s.deadline if s.request else s.due for s in self._list.values()), default=NEVER)

    def work(self, now: float) -> None:
        for said in list(self._list.values()):
            if not self.session.ready:
                return
            if said.request and said.deadline <= now:
                self.session.drop("the door does not answer a command")
            elif not said.request and said.due <= now:
                said.request = self.session.next_request()
                said.deadline = now + self.session.timing.answer
                self.session.say(
                    bus_pb2.ClientFrame(request=said.request, command=said.command)
                )

    def _by_request(self, request: int) -> Optional[_Said]:
        return next((s for s in self._list.values() if request and s.request == request), None)

    def _later(self, said: _Said, retry_ms: int) -> None:
        said.request = 0
        said.due = time.monotonic() + (retry_ms or 1000) / 1000

    def take(self, frame: bus_pb2.ServerFrame, kind: str) -> bool:
        if kind not in ("done", "refused"):
            return False
        body = getattr(frame, kind)
        said = self._by_request(frame.request)
        if said is None or body.id != said.command.id:
            return False
        if kind == "done":
            self._list.pop(body.id)
            said.future.set_result(Done(body.id, body.version, body.status))
        elif body.code == bus_pb2.REFUSAL_UNAVAILABLE:
            self._later(said, 0)
        else:
            self._refuse(said, body.code, body.text, body.current_version, body.current_status)
        return True

    def _refuse(
        self, said: _Said, code: int, text: str, version: int = 0, status: int = 0
    ) -> None:
        self._list.pop(said.command.id)
        said.future.set_exception(errors.Refused(said.command.id, code, text, version, status))

    def refused(self, request: int, error: bus_pb2.Error) -> bool:
        said = self._by_request(request)
        if said is None:
            return False
        if error.code == bus_pb2.ERROR_FORBIDDEN:
            self._refuse(said, bus_pb2.REFUSAL_FORBIDDEN, error.text)
        elif error.code in (bus_pb2.ERROR_MALFORMED, bus_pb2.ERROR_PROTOCOL):
            self._refuse(said, bus_pb2.REFUSAL_BAD_FIELD, error.text)
        else:
            self._later(said, error.retry_ms)
        return True


@dataclass
class Snapshot:
    """Open tickets as of one seq.  Then: subscribe(start=as_of_seq, log_id=log_id)."""

    as_of_seq: int = 0
    log_id: str = ""
    tickets: List[ticket_pb2.TicketView] = field(default_factory=list)


class Snapshots(Conversation):
    def __init__(self, tickets_max: int) -> None:
        self.tickets_max = tickets_max
        self._departments: Sequence[str] = ()
        self._future: Optional["Future[Snapshot]"] = None
        self._result = Snapshot()
        self._request = 0
        self._due = 0.0
        self._deadline = NEVER

    def ask(self, departments: Sequence[str]) -> "Future[Snapshot]":
        if self._future is not None:
            raise errors.Full("a snapshot is under way already")
        if sum(len(d.encode()) + 6 for d in departments) > 4000:
            raise errors.TooLarge("too many departments")
        self._departments = list(departments)
        self._future = Future()
        self._future.set_running_or_notify_cancel()
        self._request = 0
        self._due = 0.0
        return self._future

    def forget(self) -> None:
        self._future = None
        self._request = 0

    def pending(self) -> int:
        return self._future is not None

    def stop(self) -> None:
        self._request = 0
        self._due = 0.0

    def abort(self, error: Exception) -> None:
        future, self._future = self._future, None
        if future is not None and not future.done():
            future.set_exception(error)

    def deadline(self) -> float:
        if self._future is None or not self.session.ready:
            return NEVER
        return self._deadline if self._request else self._due

    def work(self, now: float) -> None:
        if self._future is None or not self.session.ready:
            return
        if self._request:
            if self._deadline <= now:
                self.session.drop("the door does not finish the snapshot")
            return
        if self._due > now:
            return
        self._result = Snapshot()
        self._request = self.session.next_request()
        self._deadline = now + self.session.timing.answer
        self.session.say(
            bus_pb2.ClientFrame(
                request=self._request, snapshot=bus_pb2.Snapshot(departments=self._departments)
            )
        )

    def take(self, frame: bus_pb2.ServerFrame, kind: str) -> bool:
        if kind != "snapshot_page" or not self._request or frame.request != self._request:
            return False
        page = frame.snapshot_page
        self._deadline = time.monotonic() + self.session.timing.answer
        self._result.tickets.extend(page.tickets)
        if len(self._result.tickets) > self.tickets_max:
            self.abort(errors.Full(f"more than {self.tickets_max} open tickets"))
            self._request = 0
        elif page.last:
            self._result.as_of_seq, self._result.log_id = page.as_of_seq, page.log_id
            future, self._future = self._future, None
            self._request = 0
            if future is not None:
                future.set_result(self._result)
        return True

    def refused(self, request: int, error: bus_pb2.Error) -> bool:
        if not self._request or request != self._request:
            return False
        self._request = 0
        if error.code in (
            bus_pb2.ERROR_FORBIDDEN,
            bus_pb2.ERROR_MALFORMED,
            bus_pb2.ERROR_PROTOCOL,
        ):
            self.abort(errors.door_error(error))
        else:
            self._due = time.monotonic() + (error.retry_ms or 500) / 1000
        return True
