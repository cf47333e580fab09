"""Following the log: credit as records are acknowledged, a check that nothing is missing, and
resuming after a lost session."""

from __future__ import annotations

import re
import time
from collections import deque
from typing import TYPE_CHECKING, Deque, Iterator, Optional, Sequence, Union

from turunc import errors
from turunc.session import NEVER, Conversation
from turunc.v1 import bus_pb2

if TYPE_CHECKING:
    from turunc.client import Client

CREDIT_MAX = 4096
WINDOW_MAX = 10000
FAREWELL = 2.0  # seconds an acknowledgement may still take when leaving
_NAME = re.compile(r"[a-z0-9._-]{1,64}")
_FINAL = (
    bus_pb2.ERROR_FORBIDDEN,
    bus_pb2.ERROR_SUPERSEDED,
    bus_pb2.ERROR_FILTER_DIFFERS,
    bus_pb2.ERROR_LOG_CHANGED,
)
_OURS = (bus_pb2.ERROR_NO_SUBSCRIPTION, bus_pb2.ERROR_BAD_ACK, bus_pb2.ERROR_IN_USE)


class Subscription:
    """Records in order, each handed out once by this object.

    Iterate over it, or call get().  A record that was never acknowledged comes again to the next
    process that subscribes under the name, so acknowledge after its effect is safe.  Iteration ends
    by an exception of turunc.errors (Superseded, LogChanged, Forbidden, FilterDiffers, Gap), or
    quietly after close().
    """

    def __init__(self, client: "Client", wanted: bus_pb2.Subscribe, window: int) -> None:
        if not _NAME.fullmatch(wanted.name):
            raise errors.Invalid("a subscription's name is [a-z0-9._-], 1 to 64 characters")
        if not 1 <= window <= WINDOW_MAX:
            raise errors.Invalid(f"a window is 1 to {WINDOW_MAX} records")
        if wanted.ByteSize() > 4000:
            raise errors.TooLarge("too many types or departments")
        self.wanted = wanted
        self.window = window
        self.error: Optional[Exception] = None
        self.log_id = ""
        self.position = 0
        """Everything up to here was received (not: acknowledged)."""
        self.acked = 0
        """Everything up to here was acknowledged by the caller."""
        self._client = client
        self._records: Deque[bus_pb2.Record] = deque()
        self._last_given = 0

    @property
    def name(self) -> str:
        return self.wanted.name

    def get(self, timeout: Optional[float] = None) -> Optional[bus_pb2.Record]:
        """The next record; None after `timeout` seconds without one (None: wait for ever)."""
        client = self._client
        with client.lock:
            client.wait(lambda: bool(self._records) or self.error is not None, timeout)
            if self.error is not None:
                raise self.error
            if not self._records:
                return None
            record = self._records.popleft()
            self._last_given = record.seq
            return record

    def __iter__(self) -> Iterator[bus_pb2.Record]:
        while True:
            try:
                record = self.get()
            except errors.Closed:
                return
            if record is not None:
                yield record

    def ack(self, through: Union[bus_pb2.Record, int]) -> None:
        """Everything up to this record (or seq) has had its effect.  Cumulative and cheap."""
        seq = through if isinstance(through, int) else through.seq
        with self._client.lock:
            if self.error is not None:
                raise self.error
            if seq > max(self._last_given, self.acked):
                raise errors.Invalid(f"{seq} was not handed out yet")
            self.acked = max(self.acked, seq)
            self._client.following.acknowledged()
            self._client.wake()

    def close(self) -> None:
        """Lets the subscription go; its cursor stays at what was acknowledged."""
        following = self._client.following
        with self._client.lock:
            if following.sub is not self:
                return
            try:
                self._client.wait(lambda: not following.busy(), FAREWELL)
            except errors.Closed:
                pass
            following.release(self)

    def __enter__(self) -> "Subscription":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Following(Conversation):
    """The session's side of a Subscription; there is at most one per session."""

    def __init__(self) -> None:
        self.sub: Optional[Subscription] = None
        self._held = False
        self._asked = False
        self._let_go = False
        self._established = False
        self._request = 0
        self._due = 0.0
        self._deadline = NEVER
        self._refusals = 0
        self._epoch = 0
        self._through = 0
        self._ack_sent = 0
        self._ack_request = 0
        self._ack_deadline = NEVER
        self._credit = 0
        self._unacked: Deque[int] = deque()

    # --- what is wanted --------------------------------------------------------------------------

    def want(self, sub: Subscription) -> None:
        if self.sub is not None:
            raise errors.Invalid("one subscription per client; close the other one first")
        self.sub = sub
        self._established = False
        self._held = self._asked = False
        self._due = 0.0
        self._refusals = 0

    def release(self, sub: Subscription) -> None:
        if self.sub is not sub:
            return
        # A door knows no other way to let a subscription go than the end of its session.
        self._let_go = self._held or self._asked
        self._end(errors.Closed("the subscription was closed"))
        self.work(0.0)

    def _end(self, error: Exception) -> None:
        if self.sub is not None:
            self.sub.error = error
            self.sub._records.clear()
        self.sub = None
        self._held = self._asked = False
        self._ack_deadline = NEVER

    def busy(self) -> bool:
        """An acknowledgement is not known to be durable yet."""
        return self.sub is not None and (
            self._ack_deadline != NEVER or (self._held and self.sub.acked > self._ack_sent)
        )

    # --- the session -----------------------------------------------------------------------------

    def stop(self) -> None:
        self._held = self._asked = self._let_go = False
        self._due = 0.0
        self._ack_deadline = NEVER

    def abort(self, error: Exception) -> None:
        self._end(error)

    def deadline(self) -> float:
        if self.sub is None or not self.session.ready:
            return NEVER
        if self._held:
            return self._ack_deadline
        return self._deadline if self._asked else self._due

    def work(self, now: float) -> None:
        if self._let_go:
            self.session.leave()
        if self.sub is None or not self.session.ready:
            return
        if not self._held and not self._asked and self._due <= now:
            self._ask(now)
        elif min(self._deadline if self._asked else NEVER, self._ack_deadline) <= now:
            self.session.drop("the door does not answer about the subscription")
        if self._held:
            self._say_ack(now)
            self._say_credit()

    def _ask(self, now: float) -> None:
        assert self.sub is not None
        subscribe = bus_pb2.Subscribe()
        subscribe.CopyFrom(self.sub.wanted)
        if self._established:
            subscribe.ClearField("from_seq")
            subscribe.ClearField("from_time_us")
            setattr(subscribe, "from", bus_pb2.FROM_RESUME)
            subscribe.replace = subscribe.take_over = False
            subscribe.log_id = self.sub.log_id
        self._request = self.session.next_request()
        self._asked = True
        self._deadline = now + self.session.timing.answer
        self.session.say(bus_pb2.ClientFrame(request=self._request, subscribe=subscribe))

    def _say_ack(self, now: float) -> None:
        """One at a time: what is acknowledged meanwhile goes with the next."""
        assert self.sub is not None
        through = min(self.sub.acked, self._through)
        if self._ack_deadline != NEVER or through <= self._ack_sent:
            return
        self._ack_sent = through
        self._ack_request = self.session.next_request()
        self._ack_deadline = now + self.session.timing.answer
        self.session.say(
            bus_pb2.ClientFrame(
                request=self._ack_request,
                ack=bus_pb2.Ack(epoch=self._epoch, through_seq=through),
            )
        )

    def _say_credit(self) -> None:
        assert self.sub is not None
        if not self._held:
            return
        grant = self.sub.window - len(self._unacked) - self._credit
        grant = min(grant, CREDIT_MAX - self._credit)
        if grant <= 0 or (self._credit > 0 and grant < self.sub.window // 4):
            return
        self._credit += grant
        self.session.say(
            bus_pb2.ClientFrame(
                request=self.session.next_request(),
                credit=bus_pb2.Credit(epoch=self._epoch, records=grant),
            )
        )

    # --- answers ---------------------------------------------------------------------------------

    def take(self, frame: bus_pb2.ServerFrame, kind: str) -> bool:
        if kind == "subscribed":
            return self._take_subscribed(frame.request, frame.subscribed)
        if kind == "deliver":
            self._take_deliver(frame.deliver)
            return True
        if kind == "acked":
            if self._held and frame.acked.through_seq >= self._ack_sent:
                self._ack_deadline = NEVER
            return True
        return False

    def _take_subscribed(self, request: int, subscribed: bus_pb2.Subscribed) -> bool:
        sub = self.sub
        if sub is None or not self._asked or request != self._request or not subscribed.from_seq:
            return False
        before = subscribed.from_seq - 1
        if self._established and before > sub.acked:
            self._end(
                errors.Gap("resumed behind what was acknowledged: somebody moved the cursor")
            )
            self.session.leave()
            return True
        if not self._established:
            sub.acked = sub.position = sub._last_given = before
        self._established = True
        self._held, self._asked = True, False
        self._epoch = subscribed.epoch
        self._through = self._ack_sent = before
        self._credit = self._refusals = 0
        self._unacked.clear()
        sub._records.clear()
        sub.log_id = self.session.log_id
        return True

    def _take_deliver(self, deliver: bus_pb2.Deliver) -> None:
        sub = self.sub
        if sub is None or not self._held or deliver.epoch != self._epoch:
            return
        if sub.log_id and deliver.log_id != sub.log_id:
            self._end(
                errors.door_error(
                    code=bus_pb2.ERROR_LOG_CHANGED, text="the log has another history now"
                )
            )
            self.session.leave()
            return
        sub.log_id = deliver.log_id
        fault = self._fault(deliver)
        if fault:
            self.session.drop(fault, errors.Gap(fault))
            return
        self._through = deliver.through_seq
        sub.position = max(sub.position, self._through)
        self._credit -= len(deliver.records)
        for record in deliver.records:
            self._unacked.append(record.seq)
            # What was handed out before a reconnection is the caller's already.
            if record.seq > sub._last_given:
                sub._records.append(record)
        self.acknowledged()

    def _fault(self, deliver: bus_pb2.Deliver) -> str:
        if deliver.after_seq != self._through:
            return "records are missing between two deliveries"
        if deliver.through_seq < deliver.after_seq:
            return "a delivery that ends before it begins"
        if len(deliver.records) > self._credit:
            return "more records than credit"
        seqs = [deliver.after_seq, *(r.seq for r in deliver.records), deliver.through_seq + 1]
        if any(a >= b for a, b in zip(seqs, seqs[1:])):
            return "records out of order"
        return ""

    def acknowledged(self) -> None:
        """Frees the window; when nothing is left to work on, what was filtered out counts too."""
        sub = self.sub
        if sub is None:
            return
        if self._held and not sub._records and sub.acked >= sub._last_given:
            sub.acked = max(sub.acked, self._through)
        while self._unacked and self._unacked[0] <= sub.acked:
            self._unacked.popleft()

    def refused(self, request: int, error: bus_pb2.Error) -> bool:
        if self.sub is None or not (self._asked or self._held) or not self.session.ready:
            return False
        asked = request != 0 and request == self._request
        if error.code in _FINAL or (
            asked and error.code in (bus_pb2.ERROR_PROTOCOL, bus_pb2.ERROR_MALFORMED)
        ):
            self._end(errors.door_error(error))
            return True
        if error.code not in _OURS and not asked and request != self._ack_request:
            return False
        self.session.trouble(errors.door_error(error))
        if self._held:
            self.session.drop(error.text, errors.door_error(error), error.retry_ms / 1000)
        else:
            wait = 0.5
            if error.code == bus_pb2.ERROR_IN_USE:
                wait = min(2.0**self._refusals, 5.0)
            self._refusals += 1
            self._asked = False
            self._due = time.monotonic() + (error.retry_ms / 1000 or wait)
        return True


def subscribe_message(
    name: str,
    types: Sequence[str],
    departments: Sequence[str],
    start: Union[str, int],
    from_time_us: int,
    log_id: str,
    view: bool,
    replace: bool,
    take_over: bool,
) -> bus_pb2.Subscribe:
    """start: "resume", "earliest", "latest", "time", or the seq after which to begin."""
    message = bus_pb2.Subscribe(
        name=name,
        types=types,
        departments=departments,
        log_id=log_id,
        view=bus_pb2.VIEW_FULL if view else bus_pb2.VIEW_NONE,
        replace=replace,
        take_over=take_over,
    )
    if isinstance(start, int):
        setattr(message, "from", bus_pb2.FROM_SEQ)
        message.from_seq = start
        return message
    names = {
        "resume": bus_pb2.FROM_RESUME,
        "earliest": bus_pb2.FROM_EARLIEST,
        "latest": bus_pb2.FROM_LATEST,
        "time": bus_pb2.FROM_TIME,
    }
    if start not in names:
        raise errors.Invalid(f"start is one of {', '.join(names)}, or a seq")
    setattr(message, "from", names[start])
    message.from_time_us = from_time_us
    return message
