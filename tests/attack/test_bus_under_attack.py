"""The bus's doors, attacked by strangers and by clients that are let in, with the services as they
run.  What a single frame or handshake may do is in tests/unit/test_bus_*.c; here it comes in
numbers, and an honest citizen and an honest system must be served all the while."""
import os
import resource
import socket
import time
import uuid

import pytest
import zmq
from attack_world import (Door, System, citizen, honest_clients, pair_of, ticket_request,
                          under_attack)
from process import wait_until
from stack import Stack
from turunc.v1 import bus_pb2 as bus

BOTH = ("intake", "router")
CUT_OFF = 'turunc_bus_events_total{what="cut_off"}'


CLIENTS = {
    "expired": {"verbs": ("publish", "subscribe", "snapshot")},
    "revoked": {"verbs": ("publish", "subscribe", "snapshot")},
    "only-publish": {"verbs": ("publish",), "sources": ("own.*",), "types": ("ticket.request",)},
    "only-read": {"verbs": ("subscribe", "snapshot"), "departments": ("park",),
                  "types": ("ticket.*",), "personal": "none"},
    "deaf": {"verbs": ("publish",), "sources": ("deaf",), "max_events": 4096},
    "sleeper": {"verbs": ("subscribe",)},
    **{name: {"verbs": ("publish",), "sources": (name,)}
       for name in ("idle", "many", "forger", "large", "endless")},
}


@pytest.fixture(scope="module")
def stack():
    with Stack(services=("intake", "router"), env={"TURUNC_BUS_MEMORY": "64MiB"}) as made:
        made.start()
        made.pairs = {name: pair_of(made.client(name, **rights))
                      for name, rights in CLIENTS.items()}
        honest_clients(made)
        made.wait(lambda: let_in(made, "stream", made.pairs["sleeper"]), 20, "router knows them too")
        yield made


def counted(stack, service, name):
    return stack.metric(service, name) or 0


def tickets_of(stack, source):
    return stack.one("select count(*) from turunc.inbound_item where source = %s", source)


def log_head(stack):
    return stack.one("select coalesce(max(last_seq), 0) from turunc.log_batch")


# --- keys ------------------------------------------------------------------------------------------

def knock(doors, said):
    """All say Hello and Publish at once; how many get any answer at all."""
    for door in doors:
        said["attempts"] += 1
        door.hello()
        door.send(publish=bus.Publish(events=[ticket_request("stranger")]))
    end = time.monotonic() + 1.0
    poller = zmq.Poller()
    for door in doors:
        poller.register(door.socket, zmq.POLLIN)
    while (left := end - time.monotonic()) > 0:
        for found, _ in poller.poll(int(left * 1000) + 1):
            said["accepted"] += 1
            poller.unregister(found)
    for door in doors:
        door.__exit__()


def test_keys_that_are_not_in_force(stack):
    """Unlisted, expired and revoked ones, no key at all, a password, and the wrong server's key."""
    expired, revoked = stack.pairs["expired"], stack.pairs["revoked"]
    stack.wait(lambda: let_in(stack, "publish", expired) and let_in(stack, "stream", revoked), 30, "they are in force first")
    stack.sql("update turunc.client_grant set expires_us = 1 where name = 'expired'")
    stack.masa("client", "revoke", "revoked")
    for door in ("publish", "stream"):
        for pair in (expired, revoked):
            stack.wait(lambda d=door, p=pair: not let_in(stack, d, p), 15, "the rights are read")
    turned = counted(stack, "intake", 'turunc_bus_events_total{what="turned_away"}')
    with under_attack(stack, "keys not in force", services=BOTH) as said:
        for door in ("publish", "stream", "doorbell"):
            keys = [zmq.curve_keypair() for _ in range(30)] + [expired, revoked] * 15
            knock([Door(stack, door, pair) for pair in keys], said)
            wrong = zmq.curve_keypair()[0]
            others = [Door(stack, door, pair_of(stack.path("client-honest-system")),
                           server_key=wrong) for _ in range(5)]
            others += [Door(stack, door) for _ in range(5)]
            others += [Door(stack, door, plain=True) for _ in range(5)]
            knock(others, said)
    assert tickets_of(stack, "stranger") == 0
    assert counted(stack, "intake", 'turunc_bus_events_total{what="turned_away"}') >= turned + 60


def let_in(stack, door, pair):
    with Door(stack, door, pair) as probe:
        return probe.session(limit_s=2) == "welcome"


def test_a_key_revoked_while_its_sessions_are_idle(stack):
    """Sessions that say nothing hear of it as soon as the rights are read, not at their next frame."""
    pair = stack.pairs["idle"]
    doors = [Door(stack, "publish", pair) for _ in range(8)]
    assert [door.session() for door in doors] == ["welcome"] * 8
    with under_attack(stack, "revoked while idle") as said:
        began = time.monotonic()
        stack.masa("client", "revoke", "idle")
        revoked_s = time.monotonic() - began
        told = []
        for door in doors:
            frame = door.next(limit_s=30)
            assert frame is not None and frame.WhichOneof("body") == "error", frame
            told.append(frame.error)
        said["told_ms"] = int((time.monotonic() - began - revoked_s) * 1000)
        assert all(e.code == bus.ERROR_REVOKED and e.fatal for e in told), told
        for door in doors:
            said["attempts"] += 1
            kind, _ = door.ask(limit_s=0.3, publish=bus.Publish(events=[ticket_request("idle")]))
            said["accepted"] += kind == "published"
            door.__exit__()


# --- rights ----------------------------------------------------------------------------------------

def test_beyond_ones_rights(stack):
    """Each verb, source, type and department that the key does not have, many times."""
    only_publish, only_read = stack.pairs["only-publish"], stack.pairs["only-read"]
    number = open_ticket(stack)
    before, log = tickets_of(stack, "forbidden"), stack.one(
        "select count(*) from turunc.event_log where ticket_id = %s", ticket_id(number))
    with under_attack(stack, "beyond ones rights", services=BOTH) as said:
        with Door(stack, "publish", only_publish) as door:
            assert door.session() == "welcome"
            wrong = [ticket_request("forbidden"), ticket_request("ow"), ticket_request("own")]
            wrong += [of_type(kind) for kind in ("call.offered", "sms.received", "ticket.opened",
                                                 "client.granted", "config.applied")]
            for _ in range(20):
                kind, told = door.ask(publish=bus.Publish(events=[fresh(e) for e in wrong]))
                assert kind == "published"
                said["attempts"] += len(wrong)
                said["accepted"] += sum(r.status != bus.PUBLISH_REJECTED for r in told.results)
        for pair, door_name, asks in (
                (only_publish, "stream", READS + commands(number)),
                (only_read, "publish", [{"publish": bus.Publish(events=[ticket_request("own.x")])}]),
                (only_read, "stream", BEYOND + commands(number))):
            for ask in asks:
                with Door(stack, door_name, pair) as door:
                    greeted = door.session()
                    said["attempts"] += 1
                    if greeted != "welcome":
                        continue
                    kind, told = door.ask(limit_s=3, **ask)
                    said["accepted"] += kind not in ("error", "refused")
    assert tickets_of(stack, "forbidden") == before
    assert stack.one("select count(*) from turunc.event_log where ticket_id = %s",
                     ticket_id(number)) == log


READS = [{"subscribe": bus.Subscribe(**{"name": "x", "from": bus.FROM_EARLIEST})},
         {"snapshot": bus.Snapshot()}]
BEYOND = [
    {"subscribe": bus.Subscribe(**{"name": "x", "from": bus.FROM_EARLIEST, "departments": [d]})}
    for d in ("temizlik", "fen", "*")
] + [
    {"subscribe": bus.Subscribe(**{"name": "x", "from": bus.FROM_EARLIEST, "types": [t]})}
    for t in ("call.*", "client.granted", "*", "citizen.erased")
] + [{"snapshot": bus.Snapshot(departments=[d])} for d in ("temizlik", "*")]


def commands(number):
    verbs = [("accept", {}), ("note", {"text": "x"}), ("withdraw", {}), ("close", {}),
             ("transfer", {"department": "park", "reason_code": "x"}),
             ("resolve", {"reason_code": "yapildi"}), ("route", {"department": "park"})]
    return [{"command": bus.Command(id=str(uuid.uuid4()), ticket=number, expected_version=2,
                                    verb=verb, **more)} for verb, more in verbs]


def of_type(kind):
    event = ticket_request("own.x")
    event.type = kind
    return event


def fresh(event):
    event.id = uuid.uuid4().hex
    return event


def ticket_id(number):
    return int(number.rsplit("-", 1)[0].replace("-", ""))


def open_ticket(stack):
    """One that router has sent to its department."""
    with Door(stack, "publish", stack.honest_pair) as door:
        assert door.session() == "welcome"
        event = ticket_request("honest")
        event.ticket_request.subject_code = "cadde-supurme"
        _, told = door.ask(publish=bus.Publish(events=[event]))
    number = told.results[0].ticket
    wait_until(lambda: stack.one("select version from turunc.ticket_state where ticket_id = %s",
                                 ticket_id(number)) == 2, 10, "it is routed")
    return number


# --- sessions and routing ids ----------------------------------------------------------------------

def test_many_sessions_with_one_key(stack):
    """As many as a client may have; each hears its own answers only."""
    pair = stack.pairs["many"]
    with under_attack(stack, "sessions with one key") as said:
        doors = [Door(stack, "publish", pair) for _ in range(60)]
        greeted = [door.session() for door in doors]
        said["attempts"] = len(doors)
        said["welcome"] = greeted.count("welcome")
        said["accepted"] = max(0, said["welcome"] - 16)
        inside = [door for door, kind in zip(doors, greeted) if kind == "welcome"]
        sent = {}
        for i, door in enumerate(inside):
            sent[door] = door.send(publish=bus.Publish(
                events=[ticket_request("many") for _ in range(i + 1)]))
        for i, door in enumerate(inside):
            frame = door.next(30)
            assert frame.request == sent[door] and len(frame.published.results) == i + 1, frame
            assert door.next(0.05) is None, "an answer that was another's"
        for door in doors:
            door.__exit__()
    assert 14 <= said["welcome"] <= 16  # a probe just gone may still count


def test_routing_ids_of_ones_own_choice(stack):
    """None is answered.  Five bytes that begin with zero are left out: libzmq makes such ids itself
    and does not say whose choice one was; to be of use it would have to be guessed among 2^32."""
    pair = stack.pairs["forger"]
    chosen = 'turunc_bus_events_total{what="chosen_id"}'
    before = counted(stack, "intake", chosen)
    with under_attack(stack, "routing ids chosen by peers") as said:
        doors = [Door(stack, "publish", pair, routing_id=bytes([1 + i]) + os.urandom(4) if i % 2 else
                      b"victim-%d" % (i % 4)) for i in range(80)]
        for door in doors:
            door.socket.setsockopt(zmq.SNDTIMEO, 500)
        for door in doors:
            said["attempts"] += 1
            door.hello()
        end = time.monotonic() + 1
        for door in doors:
            said["accepted"] += door.next(max(0.001, end - time.monotonic())) is not None
        wait_until(lambda: counted(stack, "intake", chosen) >= before + 42, what="all that can count are counted")
        for door in doors:
            door.__exit__()


# --- sizes -----------------------------------------------------------------------------------------

def test_frames_over_the_limit(stack):
    pair = stack.pairs["large"]
    with under_attack(stack, "frames of 300 KiB to 8 MiB") as said:
        for size in (257, 300, 1024, 8192) * 4:
            with Door(stack, "publish", pair) as door:
                assert door.session() == "welcome"
                said["attempts"] += 1
                door.socket.send(bytes(size * 1024))
                said["accepted"] += door.next(0.1) is not None


def test_a_message_of_parts_without_end(stack):
    """libzmq keeps the parts until the last: the door cuts everybody off before memory is out, which
    frees them, and whoever is honest is back at once."""
    pair = stack.pairs["endless"]
    cut = counted(stack, "intake", CUT_OFF)
    part = bytes(200 * 1024)
    parts = 1500
    process = stack.process["intake"]
    with under_attack(stack, "messages of 1,500 parts", grows_mib=64) as said:
        # One that is whole before memory is looked at again is thrown away as it is.
        while counted(stack, "intake", CUT_OFF) == cut and said["attempts"] < 12:
            with Door(stack, "publish", pair) as door:
                assert door.session() == "welcome"
                send_parts(door.socket, part, parts)
                said["attempts"] += 1
                end = time.monotonic() + 2.5
                while time.monotonic() < end and counted(stack, "intake", CUT_OFF) == cut:
                    time.sleep(0.01)
                said["accepted"] += (answer := door.next(0.2)) is not None and (
                    answer.WhichOneof("body") == "published")
        said["highest_mib"] = highest = peak_mib(process)
        wait_until(lambda: process.memory_pss_kib() < 64 * 1024, 15, "the memory is free again")
    assert counted(stack, "intake", CUT_OFF) > cut, "it was never over its limit"
    assert 64 <= highest < 450


def send_parts(socket, part, parts):
    """All of them, or as many as until one is cut off: nobody reads the rest of a message then."""
    socket.sndtimeo = 2000
    try:
        for i in range(parts):
            socket.send(part, zmq.SNDMORE if i + 1 < parts else 0)
    except zmq.Again:
        pass


def peak_mib(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024


# --- floods ----------------------------------------------------------------------------------------

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00CURVE" + bytes(15) + b"\x00" + bytes(31)


def test_handshakes_that_are_never_finished(stack):
    """Connections that say nothing, half a greeting, a greeting only, or noise, and stay."""
    openings = [b"", GREETING[:20], GREETING, GREETING + b"\x04\xc8\x05HELLO" + os.urandom(194),
                os.urandom(64), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\xff" * 64]
    with under_attack(stack, "handshakes never finished", services=BOTH, grows_mib=40) as said:
        links = []
        for i in range(1400):
            door = stack.port["publish" if i % 2 else "stream"]
            try:
                link = socket.create_connection(("127.0.0.1", door), timeout=2)
                link.sendall(openings[i % len(openings)])
                links.append(link)
            except OSError:
                pass  # refused is as good
            said["attempts"] += 1
        time.sleep(3.5)  # longer than a handshake may take
        for link in links:
            link.close()
    with Door(stack, "publish", stack.honest_pair) as door:
        assert door.session() == "welcome"


def test_handshakes_that_take_every_file(stack):
    """When strangers hold every descriptor the process has, it waits for them to be thrown out; it
    does not end, and afterwards everybody is served."""
    process = stack.process["intake"]
    held = len(os.listdir(f"/proc/{process.pid}/fd"))
    soft, hard = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (held + 100, hard))
    with under_attack(stack, "handshakes that take every file", by=[]) as said:
        links, most = [], 0
        for i in range(400):
            link = socket.socket()
            link.setblocking(False)
            link.connect_ex(("127.0.0.1", stack.port["publish"]))
            links.append(link)
            said["attempts"] += 1
            most = max(most, len(os.listdir(f"/proc/{process.pid}/fd")) if i % 20 == 0 else 0)
        wait_until(lambda: len(os.listdir(f"/proc/{process.pid}/fd")) >= held + 99, 3,
                   "every descriptor is taken", every_s=0.005)
        for link in links:
            link.close()
        began = time.monotonic()
        wait_until(lambda: citizen(stack)() is None, 15, "citizens are served again")
        said["back_ms"] = int((time.monotonic() - began) * 1000)
        wait_until(lambda: System(stack)() is None, 15, "systems are served again")
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (soft, hard))


def test_who_sends_and_does_not_read(stack):
    """Its answers fill its own backlog, and it loses its session; nobody else's memory is used."""
    pair = stack.pairs["deaf"]
    rejected = bus.Publish(events=[ticket_request("another") for _ in range(200)])
    slow = 'turunc_bus_sessions_closed_total{why="slow"}'
    before = counted(stack, "intake", slow)
    with under_attack(stack, "sends and does not read", grows_mib=48) as said:
        with Door(stack, "publish", pair, high_water=1) as door:
            door.socket.setsockopt(zmq.RCVBUF, 4096)
            assert door.session() == "welcome"
            door.socket.sndtimeo = 200
            end = time.monotonic() + 2
            while time.monotonic() < end:
                try:
                    door.send(publish=rejected)
                    said["attempts"] += 1
                except zmq.Again:
                    pass
        said["closed_as_slow"] = counted(stack, "intake", slow) - before
    assert tickets_of(stack, "deaf") == 0


def test_subscribers_that_do_not_read(stack):
    """They have credit for everything and take nothing: their part waits in bounded buffers."""
    pair = stack.pairs["sleeper"]
    with under_attack(stack, "subscribers that do not read", services=BOTH, grows_mib=64) as said:
        doors = [Door(stack, "stream", pair, high_water=1) for _ in range(12)]
        for i, door in enumerate(doors):
            door.socket.setsockopt(zmq.RCVBUF, 4096)
            assert door.session() == "welcome"
            kind, told = door.ask(subscribe=bus.Subscribe(
                **{"name": f"s{i}", "from": bus.FROM_EARLIEST, "view": bus.VIEW_FULL}))
            assert kind == "subscribed", told
            said["attempts"] += 1
            door.send(credit=bus.Credit(epoch=told.epoch, records=4096))
        time.sleep(1.5)
        for door in doors:
            door.__exit__()
