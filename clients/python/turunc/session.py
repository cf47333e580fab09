"""One session with one door: a fresh encrypted socket per attempt, Hello, signs of life, backoff."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import Any, Callable, List, Optional

import zmq

from turunc import errors
from turunc.folder import Keys
from turunc.v1 import bus_pb2

PROTOCOL = 1
FRAME_BYTES_MAX = 240 * 1024
EVENT_BYTES_MAX = 64 * 1024
SOCKET_FRAME_BYTES = 256 * 1024
NEVER = float("inf")
LASTED = 1.0  # seconds after which a session clears the count of failures
CONNECT_WAIT = 1.0  # seconds at most after an attempt that never stood

DOWN, CONNECTING, GREETING, READY = "down", "connecting", "greeting", "ready"


@dataclass
class Timing:
    """Seconds."""

    ping: float = 2.0
    silence: float = 6.0
    answer: float = 30.0
    backoff: float = 0.1
    backoff_max: float = 10.0


class Conversation:
    """What one kind of exchange does with a session; the base does nothing."""

    session: "Session"

    def start(self, welcome: bus_pb2.Welcome) -> None:
        """The session is ready: say again what has no answer."""

    def stop(self) -> None:
        """The session is gone."""

    def work(self, now: float) -> None:
        """Send what may be sent now."""

    def deadline(self) -> float:
        """When something is due by time alone."""
        return NEVER

    def take(self, frame: bus_pb2.ServerFrame, kind: str) -> bool:
        """True when the frame was for this conversation."""
        return False

    def refused(self, request: int, error: bus_pb2.Error) -> bool:
        """True when the Error answers one of its requests."""
        return False

    def abort(self, error: Exception) -> None:
        """The client is closed: whoever waits must not wait for ever."""


class Session:
    """Driven by step(); nothing here blocks and nothing here is thread-safe by itself."""

    def __init__(
        self,
        door: str,
        keys: Keys,
        instance: str,
        software: str,
        timing: Timing,
        conversations: List[Conversation],
        watch: Callable[[int, bool], None],
        on_state: Callable[[str, str, str], None],
        on_trouble: Callable[[str, Exception], None],
    ) -> None:
        self.door = door
        self.keys = keys
        self.endpoints = keys.doors(door)
        self._server_key = keys.server_key(door)
        self.instance = instance
        self.software = software
        self.timing = timing
        self.conversations = conversations
        self.state = DOWN
        self.log_id = ""
        self.head_seq = 0
        self.name = ""
        self.sessions = 0
        self.drops = 0
        self.bad_frames = 0
        self._watch = watch
        self._on_state = on_state
        self._on_trouble = on_trouble
        self._socket: Optional[Any] = None
        self._fd = -1
        self._writable = False
        self._last_request = 0
        self._hello_request = 0
        self._since = self._heard = self._said = self._pinged = 0.0
        self._retry_at = 0.0
        self._failures = 0
        self._turn = 0
        for conversation in conversations:
            conversation.session = self

    # --- driving ---------------------------------------------------------------------------------

    def step(self) -> bool:
        """Moves as far as possible; True when more can be done at once."""
        if self._socket is None:
            if time.monotonic() < self._retry_at:
                return False
            self._open()
        more = self._read()
        if self._socket is not None:
            self._look(time.monotonic())
        now = time.monotonic()
        for conversation in self.conversations:
            conversation.work(now)
        if self._socket is None:
            return False
        events = self._socket.getsockopt(zmq.EVENTS)
        return more or bool(events & zmq.POLLIN) or bool(events & zmq.POLLOUT) != self._writable

    def deadline(self) -> float:
        due = min(conversation.deadline() for conversation in self.conversations)
        if self.state == DOWN:
            return min(due, self._retry_at)
        if self.state == CONNECTING:
            return min(due, self._connect_due())
        due = min(due, self._heard + self.timing.silence)
        return min(due, self._ping_due()) if self.state == READY else due

    def close(self, error: Exception) -> None:
        self._close_socket()
        self.state = DOWN
        for conversation in self.conversations:
            conversation.abort(error)

    # --- speaking --------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        return self.state == READY

    def next_request(self) -> int:
        self._last_request += 1
        return self._last_request

    def say(self, frame: bus_pb2.ClientFrame) -> bool:
        """False when the connection was lost; the session is then over."""
        return self.say_bytes(frame.SerializeToString())

    def say_bytes(self, data: bytes) -> bool:
        if self._socket is None:
            return False
        try:
            self._socket.send(data, zmq.DONTWAIT)
        except zmq.ZMQError as error:
            self.drop("disconnected" if isinstance(error, zmq.Again) else str(error))
            return False
        self._said = time.monotonic()
        return True

    def drop(
        self, why: str, error: Optional[Exception] = None, least: float = 0.0
    ) -> None:
        """Ends the session; it comes back after a growing pause."""
        if self._socket is None:
            return
        now = time.monotonic()
        if self.state == READY and now - self._since >= LASTED:
            self._failures = 0
        pause = min(self.timing.backoff * 2 ** min(self._failures, 20), self.timing.backoff_max)
        if self.state == CONNECTING:
            pause = min(pause, CONNECT_WAIT)
        self._retry_at = now + max(pause * random.uniform(0.75, 1.0), least)
        self._failures += 1
        self._turn += 1
        self._end(why)
        self._on_trouble(self.door, error or errors.TuruncError(why))

    def leave(self) -> None:
        """The same by our own wish, which is no trouble."""
        if self._socket is not None:
            self._retry_at = time.monotonic() + self.timing.backoff
            self._end("left, to begin anew")

    def _end(self, why: str) -> None:
        self.drops += 1
        self._close_socket()
        for conversation in self.conversations:
            conversation.stop()
        self._enter(DOWN, why)

    def trouble(self, error: Exception) -> None:
        self._on_trouble(self.door, error)

    # --- the socket ------------------------------------------------------------------------------

    def _enter(self, state: str, why: str) -> None:
        self.state = state
        self._since = time.monotonic()
        self._on_state(self.door, state, why)

    def _open(self) -> None:
        endpoint = self.endpoints[self._turn % len(self.endpoints)]
        socket = zmq.Context.instance().socket(zmq.DEALER)
        self._socket = socket
        for option, value in (
            (zmq.LINGER, 0),
            # Writable exactly while an encrypted connection stands.
            (zmq.IMMEDIATE, 1),
            (zmq.SNDHWM, 4096),
            (zmq.RCVHWM, 4096),
            (zmq.MAXMSGSIZE, SOCKET_FRAME_BYTES),
            (zmq.RECONNECT_IVL, 100),
            (zmq.RECONNECT_IVL_MAX, 1000),
            (zmq.HANDSHAKE_IVL, 3000),
            (zmq.TCP_KEEPALIVE, 1),
            (zmq.TCP_KEEPALIVE_IDLE, 30),
            (zmq.TCP_KEEPALIVE_INTVL, 5),
            (zmq.TCP_KEEPALIVE_CNT, 3),
            (zmq.TCP_MAXRT, 15000),
            (zmq.CURVE_SERVERKEY, self._server_key),
            (zmq.CURVE_PUBLICKEY, self.keys.client_public),
            (zmq.CURVE_SECRETKEY, self.keys.client_secret),
        ):
            # ZMTP heartbeats stay off: with a full queue they abort the process (libzmq 4.3.4).
            socket.setsockopt(option, value)
        socket.connect(endpoint)
        self._fd = socket.getsockopt(zmq.FD)
        self._watch(self._fd, True)
        self._enter(CONNECTING, endpoint)

    def _close_socket(self) -> None:
        if self._socket is None:
            return
        self._watch(self._fd, False)
        self._socket.close(0)
        self._socket = None
        self._fd = -1
        self._writable = False

    def _read(self) -> bool:
        """A bounded portion; the descriptor tells changes only, so True means look again."""
        for _ in range(64):
            if self._socket is None:
                return False
            try:
                data = self._socket.recv(zmq.DONTWAIT)
            except zmq.Again:
                return False
            self._heard = time.monotonic()
            if self._socket.getsockopt(zmq.RCVMORE):
                self.bad_frames += 1
                self.drop("a frame of more than one part")
                return False
            self._dispatch(data)
        return True

    def _connect_due(self) -> float:
        """A door that has just started turns away keys it has not read yet, and a socket once
        turned away may not try again: attempts are shorter than a session's silence."""
        return self._since + self.timing.silence / 3

    def _ping_due(self) -> float:
        return min(self._said, max(self._heard, self._pinged)) + self.timing.ping

    def _look(self, now: float) -> None:
        assert self._socket is not None
        self._writable = bool(self._socket.getsockopt(zmq.EVENTS) & zmq.POLLOUT)
        if self.state == CONNECTING:
            if self._writable:
                self._heard = now
                self._hello()
            elif now >= self._connect_due():
                self.drop(
                    "no encrypted connection: door away, its key another one, or this key "
                    "not admitted"
                )
        elif not self._writable:
            self.drop("disconnected")
        elif now >= self._heard + self.timing.silence:
            self.drop("the door is silent")
        elif self.state == READY and now >= self._ping_due():
            self._pinged = now
            self.say(bus_pb2.ClientFrame(request=self.next_request(), ping=bus_pb2.Ping()))

    def _hello(self) -> None:
        self._hello_request = self.next_request()
        self._enter(GREETING, "")
        self.say(
            bus_pb2.ClientFrame(
                request=self._hello_request,
                hello=bus_pb2.Hello(
                    protocol=PROTOCOL, instance=self.instance, software=self.software
                ),
            )
        )

    # --- hearing ---------------------------------------------------------------------------------

    def _dispatch(self, data: bytes) -> None:
        try:
            frame = bus_pb2.ServerFrame.FromString(data)
        except Exception:  # DecodeError, or what an odd protobuf version raises instead
            self.bad_frames += 1
            self.drop("a frame that cannot be decoded")
            return
        kind = frame.WhichOneof("body")
        if kind == "welcome":
            self._take_welcome(frame)
        elif kind == "ping":
            self.say(bus_pb2.ClientFrame(request=frame.request, pong=bus_pb2.Pong()))
        elif kind == "pong":
            self._log_is(frame.pong.log_id, frame.pong.head_seq)
        elif kind == "error":
            self._take_error(frame)
        elif kind is None or self.state != READY or not any(
            c.take(frame, kind) for c in self.conversations
        ):
            self.bad_frames += 1

    def _log_is(self, log_id: str, head_seq: int) -> None:
        if log_id:
            self.log_id = log_id
        self.head_seq = head_seq

    def _take_welcome(self, frame: bus_pb2.ServerFrame) -> None:
        welcome = frame.welcome
        if self.state != GREETING or frame.request != self._hello_request:
            self.bad_frames += 1
            return
        if welcome.protocol != PROTOCOL:
            self.drop("the door speaks another protocol", least=self.timing.backoff_max)
            return
        self._log_is(welcome.log_id, welcome.head_seq)
        self.name = welcome.client
        self.sessions += 1
        self._enter(READY, welcome.client)
        for conversation in self.conversations:
            conversation.start(welcome)

    def _take_error(self, frame: bus_pb2.ServerFrame) -> None:
        error = frame.error
        claimed = any(c.refused(frame.request, error) for c in self.conversations)
        ends = (
            error.fatal
            or error.code
            in (
                bus_pb2.ERROR_NO_SESSION,
                bus_pb2.ERROR_SHUTTING_DOWN,
                bus_pb2.ERROR_REVOKED,
            )
            or (self.state == GREETING and frame.request == self._hello_request)
        )
        if ends:
            least = error.retry_ms / 1000
            if error.code == bus_pb2.ERROR_SHUTTING_DOWN:
                least = max(least, 0.5)
            elif error.code in (bus_pb2.ERROR_REVOKED, bus_pb2.ERROR_FORBIDDEN):
                least = max(least, 30.0)
            elif error.code == bus_pb2.ERROR_PROTOCOL:
                least = self.timing.backoff_max
            self.drop(error.text, errors.door_error(error), least)
        elif not claimed:
            self.trouble(errors.door_error(error))
