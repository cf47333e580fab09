#!/usr/bin/python3
"""A door that misbehaves on request: for testing clients, whatever their language.

FakeDoor plays both doors of the bus on one CURVE-protected port, with ZAP, from a thread: it keeps
a log of records, subscriptions with credit and cursors, open tickets and identities, so that a
whole client program runs against it.  Tests script its faults through its methods and attributes,
and read what clients said from `said`.  It is a tool, not a model of the real doors' speed or
storage: all is in memory.

    with FakeDoor() as door:
        keys = door.key_folder(tmp_path / "keys")
"""

from __future__ import annotations

import queue
import sys
import threading
import time
import uuid
from collections import Counter, defaultdict
from pathlib import Path

import zmq
from zmq.utils import z85

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "clients" / "python"))

from turunc.v1 import bus_pb2 as bus  # noqa: E402
from turunc.v1 import event_pb2, ticket_pb2  # noqa: E402

PROTOCOL = 1
PAGE_TICKETS = 3


class Session:
    def __init__(self, peer, key, instance):
        self.peer, self.key, self.instance = peer, key, instance
        self.epoch = 0
        self.name = ""
        self.departments = []
        self.types = []
        self.credit = 0
        self.through = 0


class FakeDoor:
    def __init__(self, credit=1024):
        self.public, self.secret = zmq.curve_keypair()
        self.client_public, self.client_secret = zmq.curve_keypair()
        self.credit = credit
        self.log_id = str(uuid.uuid4())
        self.log = []            # event_pb2.Event, seq = index + 1
        self.tickets = {}        # number -> TicketView
        self.identities = {}     # (source, id) -> (body, PublishResult)
        self.commands = {}       # id -> ServerFrame
        self.cursors = {}        # name -> (acked seq, filter)
        self.said = []           # (kind, ClientFrame), in the order heard
        self.counts = Counter()
        # Faults.
        self.silent = False      # hears, says nothing
        self.busy = 0            # answer so many Publish with Busy
        self.undecided = 0       # leave so many events of a Publish without a decision
        self.in_use = 0          # refuse so many Subscribe with IN_USE
        self.unavailable = 0     # refuse so many Commands as UNAVAILABLE
        self.swallow = Counter() # kind -> so many frames taken, acted on, and left unanswered
        self.twice = False       # say every answer twice
        self.skip_records = 0    # leave out so many records from the next Deliver: a gap
        self.cut_snapshot = 0    # drop the connection after the first page, so many times
        self.reject_source = ""
        self.admit = True
        self.retry_ms = 30
        self._sessions = {}
        self._epochs = 0
        self._work = queue.Queue()
        self._context = zmq.Context()
        self._socket = None
        self.endpoint = ""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()
        self._stop = False

    # --- for tests -------------------------------------------------------------------------------

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, *_):
        self._stop = True
        self._thread.join(10)
        self._context.destroy(0)

    def key_folder(self, path):
        path.mkdir(parents=True)
        for name, key in (
            ("client.secret", self.client_secret),
            ("client.public", self.client_public),
            ("server.public", self.public),
        ):
            (path / name).write_bytes(key + b"\n")
        (path / "client.secret").chmod(0o600)
        (path / "endpoints").write_text(f"publish={self.endpoint}\nstream={self.endpoint}\n")
        return path

    def do(self, action):
        """Runs action() in the door's thread and returns its value."""
        done = queue.Queue()
        self._work.put((action, done))
        value, error = done.get(timeout=10)
        if error is not None:
            raise error
        return value

    def restart(self):
        """Sessions and connections are gone; log, cursors, identities and answers stay."""
        self.do(self._rebind)

    def open_ticket(self, department="park", description="Ağaç devrildi"):
        """Routes a new ticket to a department; returns its number."""
        def action():
            number = f"26-{len(self.tickets) + 1:07d}-0"
            self.tickets[number] = ticket_pb2.TicketView(
                number=number, status=ticket_pb2.STATUS_ROUTED, department=department,
                version=2, description=description,
            )
            self._append("ticket.routed", number)
            return number
        return self.do(action)

    def append(self, type="ticket.noted", subject="", count=1):
        def action():
            for _ in range(count):
                self._append(type, subject)
        self.do(action)

    def change_log(self, last_common_seq):
        """A restore: another history, the records behind last_common_seq are gone."""
        def action():
            self.log_id = str(uuid.uuid4())
            self.last_common_seq = last_common_seq
            del self.log[last_common_seq:]
            self._rebind()
        self.do(action)

    def supersede(self):
        self.do(lambda: self._tell_all(bus.ERROR_SUPERSEDED))

    def forbid(self):
        """Rights no longer cover the subscriptions: cursors freeze."""
        self.do(lambda: self._tell_all(bus.ERROR_FORBIDDEN))

    def move_cursor(self, name, seq):
        self.do(lambda: self.cursors.__setitem__(name, (seq, self.cursors[name][1])))

    def acked(self, name):
        return self.cursors.get(name, (0, None))[0]

    def heard(self, kind):
        return [frame for said, frame in list(self.said) if said == kind]

    def wait(self, condition, limit=30.0):
        until = time.monotonic() + limit
        while not condition():
            assert time.monotonic() < until, "not in time"
            time.sleep(0.002)

    # --- the thread ------------------------------------------------------------------------------

    def _bind(self, endpoint):
        socket = self._context.socket(zmq.ROUTER)
        socket.linger = 0
        socket.curve_server = True
        socket.curve_secretkey = self.secret
        socket.zap_domain = b"fake"
        socket.maxmsgsize = 256 * 1024
        until = time.monotonic() + 5
        while True:
            try:
                socket.bind(endpoint)
                break
            except zmq.ZMQError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.005)
        self.endpoint = socket.last_endpoint.decode()
        self._socket = socket

    def _rebind(self):
        self._sessions.clear()
        self._socket.close(0)
        self._bind(self.endpoint)

    def _run(self):
        zap = self._context.socket(zmq.REP)
        zap.linger = 0
        zap.bind("inproc://zeromq.zap.01")
        self._bind("tcp://127.0.0.1:*")
        self._ready.set()
        while not self._stop:
            # A socket's events are changes, so poll both each turn, briefly.
            if zap.poll(0):
                self._admit(zap)
            while not self._work.empty():
                action, done = self._work.get()
                try:
                    done.put((action(), None))
                except Exception as error:
                    done.put((None, error))
            if self._socket.poll(1):
                self._hear()
            for session in list(self._sessions.values()):
                self._stream(session)
        zap.close(0)
        self._socket.close(0)

    def _admit(self, zap):
        version, request, *_, mechanism, key = zap.recv_multipart()
        good = self.admit and mechanism == b"CURVE" and key == z85.decode(self.client_public)
        self.counts["admitted" if good else "refused"] += 1
        code, text = (b"200", b"OK") if good else (b"400", b"no")
        zap.send_multipart([version, request, code, text, b"tester" if good else b"", b""])

    def _hear(self):
        parts = self._socket.recv_multipart()
        peer, data = parts[0], parts[1]
        assert len(parts) == 2 and len(data) <= 240 * 1024
        frame = bus.ClientFrame.FromString(data)
        kind = frame.WhichOneof("body")
        self.said.append((kind, frame))
        if self.silent:
            return
        session = self._sessions.get(peer)
        if session is None and kind != "hello":
            self._error(peer, frame.request, bus.ERROR_NO_SESSION, fatal=True)
            return
        answer = getattr(self, "_on_" + kind)(peer, session, frame.request, getattr(frame, kind))
        if self.swallow[kind] > 0:
            self.swallow[kind] -= 1
            return
        for reply in answer or ():
            reply.request = frame.request
            for _ in range(2 if self.twice and kind != "hello" else 1):
                self._say(peer, reply)

    def _say(self, peer, frame):
        self._socket.send_multipart([peer, frame.SerializeToString()])

    def _error(self, peer, request, code, fatal=False, seq=0):
        self._say(peer, bus.ServerFrame(request=request, error=bus.Error(
            code=code, text="fake door", fatal=fatal, last_common_seq=seq,
            retry_ms=self.retry_ms)))

    def _tell_all(self, code):
        for session in self._sessions.values():
            if session.epoch:
                self._error(session.peer, 0, code)
                session.epoch = 0

    # --- frames ----------------------------------------------------------------------------------

    def _on_hello(self, peer, session, request, hello):
        assert hello.protocol == PROTOCOL and uuid.UUID(hello.instance)
        self._sessions[peer] = Session(peer, b"", hello.instance)
        self.counts["hello"] += 1
        yield bus.ServerFrame(welcome=bus.Welcome(
            protocol=PROTOCOL, log_id=self.log_id, head_seq=len(self.log),
            credit_events=self.credit, max_event_bytes=64 * 1024, client="tester"))

    def _on_ping(self, peer, session, request, ping):
        return [bus.ServerFrame(pong=bus.Pong(log_id=self.log_id, head_seq=len(self.log)))]

    def _on_pong(self, peer, session, request, pong):
        return []

    def _on_publish(self, peer, session, request, publish):
        if self.busy > 0:
            self.busy -= 1
            return [bus.ServerFrame(busy=bus.Busy(retry_ms=self.retry_ms))]
        return [bus.ServerFrame(published=bus.Published(
            results=[self._publish(event) for event in publish.events]))]

    def _publish(self, event):
        if self.undecided > 0:
            self.undecided -= 1
            return bus.PublishResult(id=event.id)
        identity = (event.source, event.id)
        body = event.SerializeToString(deterministic=True)
        if event.source == self.reject_source:
            return bus.PublishResult(id=event.id, status=bus.PUBLISH_REJECTED,
                                     error="SOURCE: not yours")
        if identity in self.identities:
            first_body, first = self.identities[identity]
            if first_body != body:
                return bus.PublishResult(id=event.id, status=bus.PUBLISH_REJECTED,
                                         error="ID_REUSED: other content")
            return bus.PublishResult(id=event.id, status=bus.PUBLISH_DUPLICATE,
                                     ticket=first.ticket)
        result = bus.PublishResult(id=event.id, status=bus.PUBLISH_ACCEPTED)
        if event.type == "ticket.request":
            result.ticket = f"26-{len(self.tickets) + 1:07d}-0"
            self.tickets[result.ticket] = ticket_pb2.TicketView(
                number=result.ticket, status=ticket_pb2.STATUS_ROUTED, department="park",
                version=2, description=event.ticket_request.description)
            self._append("ticket.routed", result.ticket)
        self.identities[identity] = (body, result)
        return result

    def _append(self, type, subject):
        self.log.append(event_pb2.Event(id=str(uuid.uuid4()), source="router", type=type,
                                        subject=subject, time_us=time.time_ns() // 1000))

    def _on_subscribe(self, peer, session, request, subscribe):
        if self.in_use > 0:
            self.in_use -= 1
            return self._error(peer, request, bus.ERROR_IN_USE)
        if subscribe.log_id and subscribe.log_id != self.log_id:
            return self._error(peer, request, bus.ERROR_LOG_CHANGED,
                               seq=getattr(self, "last_common_seq", 0))
        wanted = (sorted(subscribe.types), sorted(subscribe.departments))
        start = getattr(subscribe, "from")
        known = self.cursors.get(subscribe.name)
        if known and known[1] != wanted and not subscribe.replace:
            return self._error(peer, request, bus.ERROR_FILTER_DIFFERS)
        after = {bus.FROM_EARLIEST: 0, bus.FROM_LATEST: len(self.log),
                 bus.FROM_SEQ: subscribe.from_seq,
                 bus.FROM_RESUME: known[0] if known else len(self.log)}[start]
        self.cursors[subscribe.name] = (after, wanted)
        self._epochs += 1
        session.epoch, session.name, session.through = self._epochs, subscribe.name, after
        session.types, session.departments = wanted
        session.credit = 0
        return [bus.ServerFrame(subscribed=bus.Subscribed(epoch=session.epoch, from_seq=after + 1))]

    def _on_credit(self, peer, session, request, credit):
        if credit.epoch == session.epoch:
            session.credit += credit.records
            assert session.credit <= 4096

    def _on_ack(self, peer, session, request, ack):
        if ack.epoch != session.epoch:
            return self._error(peer, request, bus.ERROR_NO_SUBSCRIPTION)
        if ack.through_seq > session.through:
            return self._error(peer, request, bus.ERROR_BAD_ACK)
        acked, wanted = self.cursors[session.name]
        self.cursors[session.name] = (max(acked, ack.through_seq), wanted)
        return [bus.ServerFrame(acked=bus.Acked(through_seq=ack.through_seq))]

    def _matches(self, session, event):
        view = self.tickets.get(event.subject)
        return (not session.types or event.type in session.types) and (
            not session.departments or (view is not None and view.department in session.departments))

    def _stream(self, session):
        if not session.epoch or session.through >= len(self.log):
            return
        records, seq = [], session.through
        while seq < len(self.log) and len(records) < min(session.credit, 100):
            event = self.log[seq]
            seq += 1
            if self._matches(session, event):
                records.append(bus.Record(seq=seq, committed_at_us=event.time_us, event=event,
                                          view=self.tickets.get(event.subject)))
        if seq == session.through:
            return
        after = session.through
        if self.skip_records and records:
            after, self.skip_records = records[0].seq, 0
            records = records[1:]
        session.credit -= len(records)
        session.through = seq
        self._say(session.peer, bus.ServerFrame(deliver=bus.Deliver(
            log_id=self.log_id, epoch=session.epoch, after_seq=after, through_seq=seq,
            records=records)))

    def _on_snapshot(self, peer, session, request, snapshot):
        live = [v for v in self.tickets.values() if v.status <= ticket_pb2.STATUS_WAITING
                and (not snapshot.departments or v.department in snapshot.departments)]
        pages = [live[i:i + PAGE_TICKETS] for i in range(0, len(live), PAGE_TICKETS)] or [[]]
        for i, page in enumerate(pages):
            yield bus.ServerFrame(snapshot_page=bus.SnapshotPage(
                as_of_seq=len(self.log), tickets=page, last=i + 1 == len(pages),
                log_id=self.log_id))
            if self.cut_snapshot > 0:
                self.cut_snapshot -= 1
                self._rebind()
                return

    def _on_command(self, peer, session, request, command):
        if self.unavailable > 0:
            self.unavailable -= 1
            return [bus.ServerFrame(refused=bus.Refused(
                id=command.id, code=bus.REFUSAL_UNAVAILABLE, text="later"))]
        if command.id not in self.commands:
            self.commands[command.id] = self._decide(command)
        self.counts["command " + command.verb] += 1
        return [self.commands[command.id]]

    def _decide(self, command):
        next_status = {"accept": ticket_pb2.STATUS_ACCEPTED, "start": ticket_pb2.STATUS_IN_PROGRESS,
                       "resolve": ticket_pb2.STATUS_RESOLVED}
        view = self.tickets.get(command.ticket)

        def refused(code, text):
            return bus.ServerFrame(refused=bus.Refused(
                id=command.id, code=code, text=text,
                current_version=view.version if view else 0,
                current_status=view.status if view else 0))
        if view is None:
            return refused(bus.REFUSAL_NO_SUCH_TICKET, "no such ticket")
        if command.verb not in next_status:
            return refused(bus.REFUSAL_BAD_FIELD, "verb")
        if command.expected_version != view.version:
            return refused(bus.REFUSAL_STALE_VERSION, "changed meanwhile")
        view.version += 1
        view.status = next_status[command.verb]
        names = {"accept": "accepted", "start": "started", "resolve": "resolved"}
        self._append("ticket." + names[command.verb], command.ticket)
        return bus.ServerFrame(done=bus.Done(id=command.id, version=view.version,
                                             status=view.status))


def main():
    """fake_door.py FOLDER: writes a key folder and plays both doors until interrupted."""
    with FakeDoor() as door:
        door.key_folder(Path(sys.argv[1]))
        print(door.endpoint, flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
