"""What the attacks share: an honest citizen and an honest system who must be served meanwhile, the
services' memory before and after, and the line of figures each attack ends with."""
import threading
import time
import uuid
from contextlib import contextmanager

import turunc
import zmq
from process import Failed, wait_until
from turunc.v1 import bus_pb2 as bus
from web import request

FIGURES = []
MIB = 1024
POSTS = "/open311/v2/requests.json"
REPORT = {"service_code": "cadde-supurme", "lat": "36.872345", "long": "30.723456",
          "description": "Sokağımız günlerdir süpürülmedi."}
# Nobody honest waits longer than this for an answer while others attack.
PATIENCE_S = 15


class Door:
    """One DEALER that says what it likes.  pair: (public, secret); None: without CURVE."""

    def __init__(self, stack, door, pair=None, server_key=None, routing_id=None, plain=False,
                 high_water=1000):
        endpoint, key = stack.bus(door) if door != "doorbell" else (
            f"tcp://127.0.0.1:{stack.port['doorbell']}", stack.bus("stream")[1])
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.sndhwm = self.socket.rcvhwm = high_water
        if pair is not None:
            self.socket.curve_publickey, self.socket.curve_secretkey = pair
            self.socket.curve_serverkey = server_key or key.encode()
        elif plain:
            self.socket.plain_username, self.socket.plain_password = b"admin", b"admin"
        if routing_id is not None:
            self.socket.routing_id = routing_id
        self.socket.connect(endpoint)
        self.request = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, **body):
        self.request += 1
        self.socket.send(bus.ClientFrame(request=self.request, **body).SerializeToString())
        return self.request

    def hello(self, instance=None):
        return self.send(hello=bus.Hello(protocol=1, instance=instance or str(uuid.uuid4()),
                                         software="attack/1"))

    def next(self, limit_s=2.0):
        """The next ServerFrame but Ping, which is answered; None: nothing came."""
        end = time.monotonic() + limit_s
        while True:
            left = end - time.monotonic()
            if left <= 0 or not self.socket.poll(int(left * 1000) + 1):
                return None
            frame = bus.ServerFrame.FromString(self.socket.recv())
            if frame.WhichOneof("body") != "ping":
                return frame
            self.socket.send(bus.ClientFrame(
                request=frame.request, pong=bus.Pong()).SerializeToString())

    def ask(self, limit_s=PATIENCE_S, **body):
        """(kind, message) of the answer; (None, None) when there is none."""
        number = self.send(**body)
        end = time.monotonic() + limit_s
        while True:
            frame = self.next(max(0, end - time.monotonic()))
            if frame is None:
                return None, None
            if frame.request == number:
                kind = frame.WhichOneof("body")
                return kind, getattr(frame, kind)

    def session(self, instance=None, limit_s=PATIENCE_S):
        """Greets; the kind of the answer."""
        number = self.hello(instance)
        end = time.monotonic() + limit_s
        while (frame := self.next(max(0, end - time.monotonic()))) is not None:
            if frame.request == number:
                return frame.WhichOneof("body")
        return None


def pair_of(folder):
    keys = turunc.Keys.load(folder)
    return keys.client_public, keys.client_secret


def admitted(stack, name, door="publish", **rights):
    """The key pair of a new client, once the door knows it."""
    pair = pair_of(stack.client(name, **rights))

    def greeted():
        with Door(stack, door, pair) as probe:
            return probe.session(limit_s=2) is not None
    stack.wait(greeted, 20, f"the {door} door knows {name}")
    return pair


def ticket_request(source, description="Çukur"):
    return turunc.ticket_request(source, description)


def post(stack, key, door="intake", headers=None, timeout=30, **fields):
    form = {**REPORT, "api_key": key, **fields}
    return request(stack.port["edge" if door == "edge" else f"{door}_http"], "POST", POSTS,
                   form={name: value for name, value in form.items() if value is not None},
                   headers=headers, timeout=timeout)


class Honest(threading.Thread):
    """Does one honest thing after another until told to stop, and notes how long each took."""

    def __init__(self, do, every_s):
        super().__init__(daemon=True)
        self.do, self.every_s = do, every_s
        self.took, self.failed = [], []
        self.over = threading.Event()

    def run(self):
        while not self.over.wait(self.every_s):
            began = time.monotonic()
            try:
                wrong = self.do()
            except Exception as error:  # whatever it is, an honest client was not served
                wrong = repr(error)
            self.took.append(time.monotonic() - began)
            if wrong:
                self.failed.append(wrong)


def citizen(stack, door="intake"):
    """Posts reports; what is wrong, or None."""
    def once():
        answer = post(stack, stack.honest_key, door, timeout=PATIENCE_S)
        return None if answer.status == 201 else f"citizen: {answer}"
    return once


class System:
    """Publishes on a session of its own, begun again should it be lost."""

    def __init__(self, stack):
        self.stack, self.door = stack, None

    def __call__(self):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if self.door is None:
                self.door = Door(self.stack, "publish", self.stack.honest_pair)
                if self.door.session(limit_s=5) != "welcome":
                    self._drop()
                    continue
            kind, told = self.door.ask(limit_s=5, publish=bus.Publish(
                events=[ticket_request("honest")]))
            if kind == "published":
                wrong = told.results[0].status != bus.PUBLISH_ACCEPTED
                return f"system: {told}" if wrong else None
            self._drop()
        return "system: not served in time"

    def _drop(self):
        self.door.__exit__()
        self.door = None


def honest_clients(stack):
    """Known to the doors from the start; their keys are kept on the stack."""
    stack.honest_key = stack.api_key("honest-app")
    stack.honest_pair = admitted(stack, "honest-system", verbs=("publish",), sources=("honest",))


@contextmanager
def under_attack(stack, name, grows_mib=24, services=("intake",), by=None, rest_s=0.0):
    """The body attacks and fills in the figures it is given: attempts, accepted, and what else it
    wants said.  It ends well when nothing was accepted, every honest client was served in time all
    along and once more at the end, and the services' memory grew by less than grows_mib."""
    said = {"attempts": 0, "accepted": 0}
    before = {one: stack.process[one].memory_pss_kib() for one in services}
    peak_before = {one: pid_of(stack, one) for one in services}
    served = [Honest(do, 0.05) for do in (by if by is not None else [citizen(stack), System(stack)])]
    began = time.monotonic()
    for one in served:
        one.start()
    yield said
    wait_until(lambda: all(len(one.took) >= 3 for one in served), 3 * PATIENCE_S,
               "the honest had their turns")
    for one in served:
        one.over.set()
    for one in served:
        one.join(60)
        wrong = one.do()
        if wrong:
            one.failed.append(wrong)
    took_s = time.monotonic() - began
    if rest_s:
        time.sleep(rest_s)
    after = {one: stack.process[one].memory_pss_kib() for one in services}
    failed = [wrong for one in served for wrong in one.failed]
    slowest = max([t for one in served for t in one.took], default=0)
    line = f"{name:<46}" + " ".join(f"{key}={value}" for key, value in said.items())
    line += f" honest={sum(len(one.took) for one in served)} failed={len(failed)}"
    line += f" slowest_ms={slowest * 1000:.0f} "
    line += " ".join(f"{one}_mib={before[one] / MIB:.1f}>{after[one] / MIB:.1f}" for one in services)
    FIGURES.append(line + f" s={took_s:.1f}")
    print(line)
    assert said["attempts"] > 0, "no attack took place"
    assert said["accepted"] == 0, line
    assert not failed, (line, failed[:3])
    assert slowest < PATIENCE_S, line
    for one in services:
        assert pid_of(stack, one) == peak_before[one], f"{one} was started again"
        assert after[one] - before[one] < grows_mib * MIB, line


def pid_of(stack, service):
    process = stack.process[service]
    if not process.running():
        raise Failed(f"{service} ended with {process.exit_code()}:\n{process.log()[-4000:]}")
    return process.pid
