#!/usr/bin/python3
"""A small network of one's own: links between the parts of a system that can be cut, slowed, frozen
and left half-open.

    links = Links()
    links.add("intake-postgres", listen="/tmp/x/.s.PGSQL.5432", to="/tmp/pg/.s.PGSQL.5432",
              speaks="postgres")
    links.add("publish", listen=5701, to=5601)
    links.set("publish", "cut"); links.set("publish", "pass")
    links.close()

A number is a port of 127.0.0.1, a text a Unix socket.  Modes:

    pass        bytes go through at once
    cut         every connection is reset, every new one too
    delay       bytes arrive delay_ms later, in order
    frozen      nothing arrives, nothing is closed; all of it arrives when the link passes again
    half-open   nothing arrives, nothing is closed; when the link passes again, whoever speaks on a
                connection of that time learns that the other side has given it up
    hold        (speaks="postgres") a transaction that has run one of the named statements is kept
                from its end: the server waits for a Sync that has not arrived
    withhold    (speaks="postgres") from one of the named statements on nothing reaches the server,
                until the link passes again, whatever has become of the client meanwhile

The links live in a process of their own, so that a busy test does not slow them."""
import asyncio
import collections
import json
import socket
import struct
import subprocess
import sys
import threading

MODES = ("pass", "cut", "delay", "frozen", "half-open", "hold", "withhold")
SYNC, BIND = b"S"[0], b"B"[0]
FIRST_MESSAGE = 0  # a start-up message has no type


class Links:
    """The test's hand on the process; safe to use from several threads."""

    def __init__(self):
        self._lock = threading.Lock()
        self._child = subprocess.Popen([sys.executable, "-B", __file__], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True)

    def add(self, name, listen, to, speaks=""):
        self._ask(do="add", name=name, listen=listen, to=to, speaks=speaks)

    def set(self, name, mode, delay_ms=0, statements=()):
        self._ask(do="set", name=name, mode=mode, delay_ms=delay_ms, statements=list(statements))

    def state(self, name):
        """connections, bytes and held (transactions kept from their end)."""
        return self._ask(do="state", name=name)

    def close(self):
        with self._lock:
            self._child.stdin.close()
            self._child.wait(10)

    def _ask(self, **words):
        with self._lock:
            self._child.stdin.write(json.dumps(words) + "\n")
            self._child.stdin.flush()
            answer = self._child.stdout.readline()
        if not answer:
            raise AssertionError("the proxy has ended")
        answer = json.loads(answer)
        if "error" in answer:
            raise AssertionError(f"proxy: {answer['error']}")
        return answer


# --- inside the process ---------------------------------------------------------------------------

class Postgres:
    """Splits what a client says into whole messages; knows which transaction ran what."""

    def __init__(self):
        self._rest = bytearray()
        self._started = False
        self._bound = set()

    def split(self, data):
        """Whole messages, each with its kind and, when it is a Sync, the statements its transaction
        has run; a Bind with its own."""
        self._rest += data
        while True:
            head = 1 if self._started else 0
            if len(self._rest) < head + 4:
                return
            size = head + struct.unpack_from(">I", self._rest, head)[0]
            if len(self._rest) < size:
                return
            message, kind = bytes(self._rest[:size]), self._rest[0] if head else FIRST_MESSAGE
            del self._rest[:size]
            self._started = True
            yield message, kind, self._named(kind, message)

    def _named(self, kind, message):
        if kind == BIND:
            bound = message[5:].split(b"\0", 2)[1].decode()
            self._bound.add(bound)
            return {bound}
        if kind == SYNC:
            ran, self._bound = self._bound, set()
            return ran
        return set()


class Side(asyncio.Protocol):
    """One end of a connection: what comes in here waits in a queue for the other end."""

    def __init__(self, link, pair):
        self.link, self.pair = link, pair
        self.transport = self.other = None
        self.queue = collections.deque()    # (due, bytes), None for the end
        self.timer = None
        self.parser = None
        self.held = False
        self.gone = False       # aborted, maybe before it had begun

    def connection_made(self, transport):
        self.transport = transport
        if self.gone or self.link.mode == "cut":
            self.abort()
        elif self.other is not None and self.other.transport is not None:
            self.flush()
            self.other.flush()

    def data_received(self, data):
        self.link.bytes += len(data)
        stops_at = {"hold": SYNC, "withhold": BIND}.get(self.link.mode)
        for part, kind, named in (self.parser.split(data) if self.parser else ((data, None, ()),)):
            if stops_at is not None and kind == stops_at and self.link.statements & named:
                self.held = True
            due = asyncio.get_running_loop().time() + self.link.delay_s
            self.queue.append((due, part))
            # What stands before a held Sync has to reach the server, or nothing is locked.
            if not self.held:
                self.flush()

    def eof_received(self):
        self.queue.append((0, None))
        self.flush()
        return True

    def connection_lost(self, _error):
        self.queue.append((0, None))
        self.flush()

    def flush(self):
        if self.other is None or self.other.transport is None:
            return
        now = asyncio.get_running_loop().time()
        while self.queue and not self.link.stopped() and not self.held:
            due, data = self.queue[0]
            if self.link.mode == "delay" and due > now:
                if self.timer is None:
                    self.timer = asyncio.get_running_loop().call_at(due, self.wake)
                return
            self.queue.popleft()
            if data is None:
                self.other.transport.close()
            elif not self.other.transport.is_closing():
                self.other.transport.write(data)

    def wake(self):
        self.timer = None
        self.flush()

    def abort(self):
        self.queue.clear()
        self.gone = True
        if self.transport is not None:
            _reset(self.transport)


def _reset(transport):
    """Closed with a reset, as by a machine that knows nothing of the connection."""
    handle = transport.get_extra_info("socket")
    if handle is not None and handle.fileno() >= 0 and handle.family == socket.AF_INET:
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class Link:
    def __init__(self, name, listen, to, speaks):
        self.name, self.listen, self.to, self.speaks = name, listen, to, speaks
        self.mode, self.delay_s, self.statements = "pass", 0.0, set()
        self.pairs = set()
        self.bytes = self.connections = 0

    async def open(self):
        loop = asyncio.get_running_loop()
        if isinstance(self.listen, str):
            await loop.create_unix_server(self.accept, self.listen)
        else:
            await loop.create_server(self.accept, "127.0.0.1", self.listen)

    def stopped(self):
        return self.mode in ("frozen", "half-open", "cut")

    def accept(self):
        near, far = Side(self, None), Side(self, None)
        near.other, far.other = far, near
        if self.speaks == "postgres":
            near.parser = Postgres()
        pair = (near, far)
        near.pair = far.pair = pair
        self.pairs.add(pair)
        self.connections += 1
        asyncio.get_running_loop().create_task(self.reach(pair))
        return near

    async def reach(self, pair):
        near, far = pair
        loop = asyncio.get_running_loop()
        self.pairs = {p for p in self.pairs if p is pair or not _over(p)}
        if self.mode == "cut":
            near.abort()
            return
        try:
            if isinstance(self.to, str):
                await loop.create_unix_connection(lambda: far, self.to)
            else:
                await loop.create_connection(lambda: far, "127.0.0.1", self.to)
        except OSError:
            near.abort()

    def set(self, mode, delay_ms, statements):
        if mode not in MODES:
            raise ValueError(f"no such mode: {mode}")
        before, self.mode = self.mode, mode
        self.delay_s, self.statements = delay_ms / 1000, set(statements)
        if mode == "cut" or before == "half-open":
            for near, far in self.pairs:
                near.abort()
                far.abort()
            self.pairs = set()
        for pair in self.pairs:
            for side in pair:
                if mode not in ("hold", "withhold"):
                    side.held = False
                side.flush()

    def state(self):
        return {"connections": self.connections, "bytes": self.bytes,
                "held": sum(near.held for near, _ in self.pairs)}


def _over(pair):
    return all(side.transport is None or side.transport.is_closing() for side in pair) \
        and pair[0].transport is not None


async def serve():
    loop = asyncio.get_running_loop()
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    links = {}
    while line := await commands.readline():
        words = json.loads(line)
        answer = {}
        try:
            name = words["name"]
            if words["do"] == "add":
                links[name] = Link(name, words["listen"], words["to"], words["speaks"])
                await links[name].open()
            elif words["do"] == "set":
                links[name].set(words["mode"], words["delay_ms"], words["statements"])
            else:
                answer = links[name].state()
        except (OSError, KeyError, ValueError) as error:
            answer = {"error": repr(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve())
