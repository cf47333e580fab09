"""Publishing: events wait in a store, travel in batches within the door's credit, and leave when
their results come."""

from __future__ import annotations

import time
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Callable, Dict, Iterable, List, Optional, Sequence, Tuple, Union

from turunc import errors
from turunc.session import EVENT_BYTES_MAX, FRAME_BYTES_MAX, NEVER, Conversation
from turunc.store import MemoryStore, SqliteStore
from turunc.text import check_text
from turunc.v1 import bus_pb2, inbound_pb2

BATCH_EVENTS = 256
BATCHES = 4
ID_BYTES = 128


@dataclass(frozen=True)
class Result:
    """One event's answer.  status is a PublishStatus; error is "CODE: text" when rejected."""

    id: str
    status: int
    ticket: str
    error: str

    @property
    def rejected(self) -> bool:
        return self.status == bus_pb2.PUBLISH_REJECTED

    @property
    def duplicate(self) -> bool:
        return self.status == bus_pb2.PUBLISH_DUPLICATE

    @property
    def status_name(self) -> str:
        return bus_pb2.PublishStatus.Name(self.status)


@dataclass
class _Item:
    id: str
    future: Optional["Future[Result]"]
    sent: bool = False


@dataclass
class _Batch:
    numbers: List[int]
    deadline: float


class Publishing(Conversation):
    def __init__(
        self,
        store: Union[MemoryStore, SqliteStore],
        on_result: Optional[Callable[[Result], None]],
    ) -> None:
        self.store = store
        self.resent = 0
        self.recovered = 0
        self._on_result = on_result
        self._waiting: "OrderedDict[int, _Item]" = OrderedDict()
        self._sent: Dict[int, _Item] = {}
        self._batches: "OrderedDict[int, _Batch]" = OrderedDict()
        self._credit = 0
        self._limit = BATCH_EVENTS
        self._event_bytes = EVENT_BYTES_MAX
        self._pause_until = 0.0
        for number, event_id in store.pending():
            self._waiting[number] = _Item(event_id, None)
            self.recovered += 1

    # --- taking ----------------------------------------------------------------------------------

    def post(self, events: Sequence[inbound_pb2.InboundEvent]) -> List["Future[Result]"]:
        """Stores all or none; raises Invalid, TooLarge, Full or StoreError for none."""
        encoded = [self._encode(event) for event in events]
        numbers = self.store.add(encoded)
        futures: List["Future[Result]"] = []
        for number, (event_id, _) in zip(numbers, encoded):
            future: "Future[Result]" = Future()
            future.set_running_or_notify_cancel()
            self._waiting[number] = _Item(event_id, future)
            futures.append(future)
        return futures

    def _encode(self, event: inbound_pb2.InboundEvent) -> Tuple[str, bytes]:
        for name in ("id", "source", "type"):
            if not getattr(event, name):
                raise errors.Invalid(f"{name} is required")
        if len(event.id.encode()) > ID_BYTES:
            raise errors.Invalid(f"id is longer than {ID_BYTES} bytes")
        check_text(event)
        body = event.SerializeToString()
        if len(body) > self._event_bytes:
            raise errors.TooLarge(f"event of {len(body)} bytes, at most {self._event_bytes}")
        return event.id, body

    def pending(self) -> int:
        return len(self._waiting) + len(self._sent)

    # --- the session -----------------------------------------------------------------------------

    def start(self, welcome: bus_pb2.Welcome) -> None:
        self._credit = welcome.credit_events
        self._pause_until = 0.0
        self._event_bytes = min(welcome.max_event_bytes or EVENT_BYTES_MAX, EVENT_BYTES_MAX)

    def stop(self) -> None:
        self._credit = 0
        self._batches.clear()
        self._wait_again(self._sent)

    def _wait_again(self, numbers: Iterable[int]) -> None:
        """Back in front, in the order taken."""
        again = sorted(numbers, reverse=True)
        if not again:
            return
        in_front = not self._waiting or next(iter(self._waiting)) > again[0]
        for number in again:
            self._waiting[number] = self._sent.pop(number)
            self._waiting.move_to_end(number, last=False)
        if not in_front:
            self._waiting = OrderedDict(sorted(self._waiting.items()))

    def deadline(self) -> float:
        if not self.session.ready:
            return NEVER
        due = min((batch.deadline for batch in self._batches.values()), default=NEVER)
        return min(due, self._pause_until) if self._may_send() else due

    def _may_send(self) -> bool:
        """One batch at any time, further ones only full: what comes meanwhile is collected."""
        return (
            self.session.ready
            and self._credit > 0
            and bool(self._waiting)
            and len(self._batches) < BATCHES
            and (not self._batches or len(self._waiting) >= BATCH_EVENTS)
        )

    def work(self, now: float) -> None:
        if self._batches and next(iter(self._batches.values())).deadline <= now:
            self.session.drop("the door does not answer what was published")
        while now >= self._pause_until and self._may_send():
            if not self._send_batch(now):
                break

    def _send_batch(self, now: float) -> bool:
        numbers: List[int] = []
        publish = bus_pb2.Publish()
        size = 64
        refused: List[Tuple[int, str]] = []
        for number in self._waiting:
            if len(numbers) >= min(self._limit, self._credit):
                break
            try:
                body = self.store.body(number)
            except errors.StoreError as error:
                self.session.trouble(error)
                refused.append((number, f"DAMAGED: {error}"))
                continue
            if len(body) > self._event_bytes:
                refused.append((number, "TOO_LARGE: this door takes smaller events"))
                continue
            if size + len(body) + 6 > FRAME_BYTES_MAX:
                break
            publish.events.add().MergeFromString(body)
            size += len(body) + 6
            numbers.append(number)
        for number, why in refused:
            self._reject_here(number, why)
        if not numbers:
            return False
        request = self.session.next_request()
        for number in numbers:
            item = self._waiting.pop(number)
            self.resent += item.sent
            item.sent = True
            self._sent[number] = item
        self._credit -= len(numbers)
        self._batches[request] = _Batch(numbers, now + self.session.timing.answer)
        return self.session.say(bus_pb2.ClientFrame(request=request, publish=publish))

    # --- answers ---------------------------------------------------------------------------------

    def take(self, frame: bus_pb2.ServerFrame, kind: str) -> bool:
        if kind not in ("published", "busy"):
            return False
        batch = self._batches.pop(frame.request, None)
        if batch is None:
            return False
        self._credit += len(batch.numbers)
        if kind == "busy":
            self._wait_again(batch.numbers)
            self._pause(frame.busy.retry_ms)
            return True
        results = frame.published.results
        if [r.id for r in results] != [self._sent[n].id for n in batch.numbers] or any(
            r.status not in range(bus_pb2.PUBLISH_REJECTED + 1)
            for r in results
        ):
            self._wait_again(batch.numbers)
            self.session.bad_frames += 1
            self.session.drop("results do not match the events published")
            return True
        answered = list(zip(batch.numbers, results))
        undecided = [n for n, r in answered if r.status == bus_pb2.PUBLISH_UNSPECIFIED]
        if undecided:
            self._wait_again(undecided)
            self._pause(0)
        self._settle(
            [
                (number, Result(r.id, r.status, r.ticket, r.error))
                for number, r in answered
                if r.status != bus_pb2.PUBLISH_UNSPECIFIED
            ]
        )
        self._limit = min(self._limit * 2, BATCH_EVENTS)
        return True

    def refused(self, request: int, error: bus_pb2.Error) -> bool:
        batch = self._batches.pop(request, None)
        if batch is None:
            return False
        self._credit += len(batch.numbers)
        self._wait_again(batch.numbers)
        if error.code == bus_pb2.ERROR_MALFORMED:
            # One of these cannot be read there: halve until it stands alone.
            self._limit = max(len(batch.numbers) // 2, 1)
            if len(batch.numbers) == 1:
                self._reject_here(batch.numbers[0], f"MALFORMED: {error.text}")
            return True
        self._pause(
            error.retry_ms or (30000 if error.code == bus_pb2.ERROR_FORBIDDEN else 500)
        )
        self.session.trouble(errors.door_error(error))
        return True

    def _pause(self, retry_ms: int) -> None:
        self._pause_until = time.monotonic() + min(max(retry_ms or 500, 10), 60000) / 1000

    def _reject_here(self, number: int, why: str) -> None:
        item = self._waiting.pop(number)
        self._sent[number] = item
        self._settle([(number, Result(item.id, bus_pb2.PUBLISH_REJECTED, "", why))])

    def _settle(self, answered: List[Tuple[int, Result]]) -> None:
        try:
            self.store.settle(
                [n for n, r in answered if not r.rejected],
                [(n, r.error) for n, r in answered if r.rejected],
            )
        except errors.StoreError as error:
            self.session.trouble(error)
        for number, result in answered:
            item = self._sent.pop(number)
            if item.future is not None:
                item.future.set_result(result)
            if self._on_result is not None:
                self._on_result(result)

    def abort(self, error: Exception) -> None:
        for item in [*self._waiting.values(), *self._sent.values()]:
            if item.future is not None and not item.future.done():
                item.future.set_exception(error)
        self._waiting.clear()
        self._sent.clear()
        self.store.close()
