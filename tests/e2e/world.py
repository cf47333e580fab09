"""The people and systems around Turunç, as the end to end tests play them: citizens who report by
Open311, departments and publishers on the bus, and the administrator at the command line."""
import json
import os
import time
import uuid

import turunc
import zmq
from municipality import never_quiet
from process import Process, wait_until
from servers import BUILD, ROOT
from stack import Stack
from turunc.v1 import bus_pb2, ticket_pb2

PYTHON = "/usr/bin/python3"
UNLIMITED = {"TURUNC_INTAKE_ADDRESS_PER_MINUTE": "0", "TURUNC_INTAKE_KEY_PER_MINUTE": "0"}
REPORT = {"service_code": "cadde-supurme", "lat": "36.872345", "long": "30.723456",
          "description": "Sokağımız günlerdir süpürülmedi, ağaç yaprakları rögarı tıkıyor."}
POSTS = "/open311/v2/requests"


def whole_system(folder, **options):
    """A stack with quick retries and without rate limits; options as Stack's."""
    env = {"intake": UNLIMITED, "notifier": {"TURUNC_NOTIFIER_RETRY_FIRST": "200ms"}}
    for name, more in options.pop("env", {}).items():
        env[name] = {**env.get(name, {}), **more}
    return Stack(config=never_quiet(os.path.join(str(folder), "config")), env=env, **options)


# --- citizens ---

def post(stack, api_key, door="edge", extension="json", headers=None, **fields):
    form = {**REPORT, **fields}
    if api_key is not None:
        form["api_key"] = api_key
    form = {name: value for name, value in form.items() if value is not None}
    return stack.http(door, "POST", f"{POSTS}.{extension}", form=form, headers=headers)


def report(stack, api_key, **fields):
    """Posts a report that must be taken; its number."""
    answer = post(stack, api_key, **fields)
    assert answer.status == 201, answer
    return answer.json()[0]["service_request_id"]


def look_up(stack, number, api_key=None):
    query = f"?api_key={api_key}" if api_key else ""
    answer = stack.http("edge", "GET", f"{POSTS}/{number}.json{query}")
    assert answer.status == 200, answer
    return answer.json()[0]


def ticket_id(number):
    return int(number.rsplit("-", 1)[0].replace("-", ""))


def wait_status(stack, number, status, limit_s=15):
    """Until the record says so."""
    wanted = ticket_pb2.Status.Value(f"STATUS_{status.upper()}")
    wait_until(lambda: stack.one("select status from turunc.ticket_state where ticket_id = %s",
                                 ticket_id(number)) == wanted, limit_s, f"{number} is {status}")


# --- messages ---

def messages_about(stack, number):
    """What the mail server and the gateway took about that ticket, in order."""
    return [m for m in stack.messages()
            if number in (m["subject"] + m["text"] if m["kind"] == "mail" else m["fields"]["text"])]


def wait_messages(stack, number, count, limit_s=20):
    """Exactly so many: also after everything in hand was sent."""
    wait_until(lambda: len(messages_about(stack, number)) >= count, limit_s,
               f"{count} messages about {number}")
    wait_told(stack)
    found = messages_about(stack, number)
    assert len(found) == count, found
    return found


def wait_told(stack, limit_s=20):
    """Until the notifier has read the log to its end and nothing waits to be sent."""
    def quiet():
        return stack.one("select coalesce(min(c.seq), 0) >= (select coalesce(max(last_seq), 0)"
                         " from turunc.log_batch) from turunc.consumer_cursor c"
                         " where client = '' and name = 'notifier'") and stack.one(
                             "select count(*) = 0 from turunc.notification where state in (1, 2)")
    wait_until(quiet, limit_s, "everything is told")


# --- systems on the bus ---

def admitted(stack, name, door="stream", **rights):
    """A new client's key folder, once the door knows the key."""
    folder = stack.client(name, **rights)
    wait_key(folder, door)
    return folder


def wait_key(folder, door, limit_s=15):
    """A new service learns of a client by the log; until then its key is not let in."""
    keys = turunc.Keys.load(folder)
    hello = bus_pb2.ClientFrame(request=1, hello=bus_pb2.Hello(
        protocol=1, instance=str(uuid.uuid4()), software="probe/1"))

    def greeted():
        with zmq.Context.instance().socket(zmq.DEALER) as socket:
            socket.linger = 0
            socket.curve_secretkey, socket.curve_publickey = keys.client_secret, keys.client_public
            socket.curve_serverkey = keys.server_key(door)
            socket.connect(keys.doors(door)[0])
            socket.send(hello.SerializeToString())
            return (socket.poll(2000) and bus_pb2.ServerFrame.FromString(
                socket.recv()).WhichOneof("body") == "welcome")
    wait_until(greeted, limit_s, f"the {door} door lets {folder} in")


class Raw:
    """A session at the publish door that may say anything."""

    def __init__(self, folder):
        keys = turunc.Keys.load(folder)
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.curve_secretkey, self.socket.curve_publickey = keys.client_secret, keys.client_public
        self.socket.curve_serverkey = keys.server_key("publish")
        self.socket.connect(keys.doors("publish")[0])
        self.request = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def hello(self):
        return self.ask(hello=bus_pb2.Hello(protocol=1, instance=str(uuid.uuid4()), software="raw/1"))

    def ask(self, **body):
        self.request += 1
        return self.say(bus_pb2.ClientFrame(request=self.request, **body).SerializeToString(),
                        about=self.request)

    def publish(self, *events):
        return self.ask(publish=bus_pb2.Publish(events=events))

    def say(self, data, limit_ms=60_000, about=None):
        """The answer, as (kind, message); None when there is none in time.  about: to that request."""
        self.socket.send(data)
        while self.socket.poll(limit_ms):
            frame = bus_pb2.ServerFrame.FromString(self.socket.recv())
            kind = frame.WhichOneof("body")
            if kind == "ping":
                self.socket.send(bus_pb2.ClientFrame(request=frame.request,
                                                     pong=bus_pb2.Pong()).SerializeToString())
            elif about in (None, frame.request):
                return kind, getattr(frame, kind)
        return None


class Follower:
    """A department's client: a subscription from now on, and everything it has received."""

    def __init__(self, stack, name, departments, start="latest", subscription=None, folder=None,
                 window=1024, **rights):
        self.folder = folder or admitted(stack, name, departments=departments or ("*",), **rights)
        self.departments = list(departments)
        self.client = turunc.Client(self.folder)
        self.sub = self.client.subscribe(subscription or name, departments=self.departments,
                                         start=start, window=window)
        self.records = []
        # From where "latest" counts is settled when the door has answered.
        wait_until(lambda: self.sub.log_id or self.sub.error, 20, f"{name} has its subscription")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()

    def pull(self, timeout=0.05):
        record = self.sub.get(timeout=timeout)
        if record is not None:
            self.records.append(record)
            self.sub.ack(record)
        return record

    def wait(self, kind, number, limit_s=60):
        """The first record of that type about that ticket."""
        end = time.monotonic() + limit_s
        seen = 0
        while True:
            for record in self.records[seen:]:
                if record.event.type == kind and record.event.subject == number:
                    return record
            seen = len(self.records)
            assert time.monotonic() < end, f"no {kind} of {number}: {self.types(number)}"
            self.pull()

    def types(self, number):
        return [r.event.type for r in self.records if r.event.subject == number]

    def step(self, number, verb, version, **fields):
        return self.client.command(number, verb, version, **fields)


class Program(Process):
    """An example program of clients/c or clients/python with its own log."""

    def __init__(self, stack, language, example, *words):
        argv = {"c": [os.path.join(BUILD, "bin", f"example_{example}")],
                "python": [PYTHON, os.path.join(ROOT, "clients", "python", "examples",
                                                f"{example}.py")]}[language]
        log = stack.path(f"{language}-{example}-{uuid.uuid4().hex[:6]}.log")
        super().__init__(f"{language} {example}", argv + [str(w) for w in words],
                         dict(os.environ), stack.folder, log)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.running():
            self.kill9()

    def wait_end(self, limit_s=60):
        wait_until(lambda: not self.running(), limit_s, f"{self.name} has ended:\n{self.log()[-2000:]}")
        return self.exit_code()


# --- the administrator ---

def masa_json(stack, *words, **more):
    return json.loads(stack.masa(*words, "--json", **more))
