"""What the tests of intake share: its clients, a publisher on the bus, and the log recomputed."""
import hashlib
import http.client
import json
import struct
import threading
import time
import urllib.parse
import uuid

import zmq

from process import LEAST_S
from turunc import Keys
from turunc.v1 import bus_pb2, inbound_pb2

FORM = "application/x-www-form-urlencoded"
REPORT = {"service_code": "cadde-supurme", "lat": "36.872345", "long": "30.723456",
          "description": "Çöp toplanmadı"}


def add_api_key(stack, name, *words):
    return json.loads(stack.masa("client", "add", name, "--http", "--json", *words))["api_key"]


def post(stack, key, extension="json", headers=None, **fields):
    form = {**REPORT, **fields}
    if key is not None:
        form["api_key"] = key
    form = [(name, value) for name, values in form.items() if values is not None
            for value in (values if isinstance(values, list) else [values])]
    return stack.http("intake", "POST", f"/open311/v2/requests.{extension}", form=form,
                      headers=headers)


def number_of(answer):
    assert answer.status == 201, answer
    return answer.json()[0]["service_request_id"]


def ticket_id(number):
    return int(number.rsplit("-", 1)[0].replace("-", ""))


DAMM = ("0317598642", "7092154863", "4206871359", "1750983426", "6123045978", "3674209581", "5869720134", "8945362017",
        "9438617205", "2581436790")


def printed(ident):
    """The number of a ticket's id, its check digit by the table of Damm."""
    digits = f"{ident:09}"
    check = 0
    for digit in digits:
        check = int(DAMM[check][int(digit)])
    return f"{digits[:2]}-{digits[2:]}-{check}"


class Load:
    """Threads that post without pause, each over its own connection, until stopped."""

    def __init__(self, port, key, threads=16, keyed=True):
        self.port = port
        self.key = key
        self.keyed = keyed
        self.answers = {}  # idempotency key -> (status, number)
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(i,), daemon=True)
                         for i in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *why):
        self.stop()

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(120)

    def created(self):
        return {key: number for key, (status, number) in dict(self.answers).items()
                if status == 201}

    def statuses(self):
        return {status for status, _ in dict(self.answers).values()}

    def one(self, link, key):
        body = urllib.parse.urlencode({**REPORT, "description": key, "api_key": self.key})
        headers = {"Content-Type": FORM}
        if self.keyed:
            headers["Idempotency-Key"] = key
        link.request("POST", "/open311/v2/requests.json", body, headers)
        answer = link.getresponse()
        text = answer.read()
        number = json.loads(text)[0]["service_request_id"] if answer.status == 201 else None
        return answer.status, number

    def _run(self, thread):
        link = None
        count = 0
        while not self._stop.is_set():
            count += 1
            key = f"{thread}-{count}"
            try:
                if link is None:
                    link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
                self.answers[key] = self.one(link, key)
                if self.answers[key][0] != 201:
                    time.sleep(0.1)  # as the answer asks, if not for so long
            except (OSError, http.client.HTTPException):
                self.answers[key] = (0, None)
                link = None
                time.sleep(0.1)


def pair_of(folder):
    keys = Keys.load(folder)
    return keys.client_public, keys.client_secret


class Publisher:
    """One DEALER at the publish door, with a session.  folder: the keys an administrator gave."""

    def __init__(self, stack, folder, hello=True, pair=None, door="publish"):
        endpoint, server_key = stack.bus(door)
        public, secret = pair or pair_of(folder)
        self._context = zmq.Context()
        self.socket = self._context.socket(zmq.DEALER)
        self.socket.curve_publickey = public
        self.socket.curve_secretkey = secret
        self.socket.curve_serverkey = server_key.encode()
        self.socket.linger = 0
        self.socket.connect(endpoint)
        self._request = 0
        self._sent = time.monotonic()
        if hello:
            self.say_hello()
            self.welcome = self.receive(1).welcome

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.close()

    def close(self):
        self.socket.close()
        self._context.term()

    def say_hello(self):
        frame = bus_pb2.ClientFrame(request=1)
        frame.hello.protocol = 1
        frame.hello.instance = str(uuid.uuid4())
        frame.hello.software = "test/1"
        self._request = 1
        self.send(frame)

    def send(self, frame):
        self._sent = time.monotonic()
        self.socket.send(frame.SerializeToString())

    def receive(self, request=None, limit_s=LEAST_S):
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            if not self.socket.poll(100):
                continue
            frame = bus_pb2.ServerFrame.FromString(self.socket.recv())
            if frame.WhichOneof("body") == "ping":
                answer = bus_pb2.ClientFrame(request=frame.request)
                answer.pong.SetInParent()
                self.send(answer)
            elif request is None or frame.request == request:
                return frame
        raise AssertionError(f"no answer to request {request} within {limit_s} s")

    def ask(self, frame, limit_s=LEAST_S):
        self.send(frame)
        return self.receive(frame.request, limit_s)

    def frame(self, *events):
        self._request += 1
        frame = bus_pb2.ClientFrame(request=self._request)
        frame.publish.SetInParent()
        frame.publish.events.extend(events)
        return frame

    def publish(self, *events):
        """The results; or the frame itself when it is not Published.  Whoever was not heard of for six seconds,
        as one that answers no pings between two of these, has no session any more."""
        if time.monotonic() - self._sent > 3:
            self.say_hello()
            self.receive(1)
        answer = self.ask(self.frame(*events))
        return answer.published.results if answer.WhichOneof("body") == "published" else answer


def now_us():
    return time.time_ns() // 1000


def event(kind, identifier=None, source="pbx", time_us=None):
    return inbound_pb2.InboundEvent(
        id=identifier or uuid.uuid4().hex, source=source, type=kind,
        time_us=now_us() if time_us is None else time_us)


def ticket_request(identifier=None, **fields):
    made = event("ticket.request", identifier)
    made.ticket_request.SetInParent()
    for name, value in fields.items():
        setattr(made.ticket_request, name, value)
    return made


def call(kind, identifier=None, **fields):
    made = event(f"call.{kind}", identifier)
    made.call.call_id = "c-1"
    for name, value in fields.items():
        setattr(made.call, name, value)
    return made


def drained(stack):
    """What intake took before it had reached its record, as it may when it has just been started, is there."""
    stack.wait(lambda: stack.metric("intake", "turunc_intake_spool_items") == 0, 30, "drained")


def check_log(stack):
    """The log is dense and its chain of hashes is what anybody would compute.  How many records."""
    # What somebody writes meanwhile is left out.
    batches = stack.sql("select last_seq, first_seq, hash from turunc.log_batch order by last_seq")
    records = stack.sql("""select seq, committed_at_us, type, ticket_id, department,
                               previous_department, actor, event
                           from turunc.event_log where seq <= %s order by seq""", batches[-1][0] if batches else 0)
    assert [record[0] for record in records] == list(range(1, len(records) + 1))
    before, at = b"", 0
    for last_seq, first_seq, digest in batches:
        assert first_seq == at + 1
        batch = hashlib.sha256(before)
        for seq, committed, kind, ticket, department, previous, actor, body in records[at:last_seq]:
            words = "\x1f".join([kind, department or "", previous or "", actor]).encode()
            batch.update(hashlib.sha256(struct.pack(">qqq", seq, committed, ticket or 0) + words
                                        + b"\x1e" + bytes(body)).digest())
        before, at = batch.digest(), last_seq
        assert bytes(digest) == before, f"batch ending at {last_seq}"
    assert at == len(records)
    return len(records)
