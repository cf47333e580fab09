"""What bad input gets, at the doors where it would come in: refused in words, counted where it is
somebody's mistake, and nobody else notices."""
import json
import os
import uuid
import xml.etree.ElementTree as xml

import pytest
import zmq

import turunc
from municipality import never_quiet
from process import wait_until
from world import POSTS, Raw, admitted, post, report, wait_status, whole_system
from turunc.v1 import bus_pb2, inbound_pb2

TOO_LARGE = 70_000


def errors(answer):
    """(code, description) pairs of Open311's error array, in either format."""
    if answer.headers["Content-Type"].startswith("application/json"):
        return [(str(entry["code"]), entry["description"]) for entry in answer.json()]
    return [(entry.find("code").text, entry.find("description").text)
            for entry in xml.fromstring(answer.body).findall("error")]


def tickets(stack):
    return stack.one("select count(*) from turunc.ticket")


@pytest.fixture(scope="module")
def keys(stack):
    return admitted(stack, "clumsy", door="publish", verbs=("publish",), sources=("clumsy",),
                    types=("ticket.request", "call.*"), max_events=8)


@pytest.fixture(scope="module")
def connection(keys):
    with Raw(keys) as raw:
        yield raw


@pytest.fixture
def session(connection):
    """Begun anew for each test, on the same connection."""
    assert connection.hello()[0] == "welcome"
    return connection


def request(**fields):
    return turunc.ticket_request("clumsy", fields.pop("description", "Çukur"), **fields)


def still_works(session):
    kind, published = session.publish(request())
    assert kind == "published" and published.results[0].status == bus_pb2.PUBLISH_ACCEPTED


# --- a wrong field ---------------------------------------------------------------------------------

@pytest.mark.parametrize("extension", ["json", "xml"])
@pytest.mark.parametrize("field,value,status", [
    ("lat", "91", 400), ("email", "kimse", 400), ("phone", "12", 400), ("service_code", "yok", 404),
    ("description", "ü" * 4001, 400), ("media_url", "javascript:alert(1)", 400),
    ("attribute[renk]", "mavi", 400)])
def test_wrong_field_is_named_in_the_format_asked_for(stack, extension, field, value, status):
    before = tickets(stack)
    answer = post(stack, stack.app, extension=extension, **{field: value})
    assert answer.status == status, answer
    assert [code for code, _ in errors(answer)] == [str(status)]
    assert errors(answer)[0][1].startswith(field.split("[")[0])
    assert tickets(stack) == before


@pytest.mark.parametrize("body", [b"description=%ff", b"description=a%00b", b"description=%zz", b"\xff\xfe"])
def test_what_is_no_text_is_refused(stack, body):
    before = tickets(stack)
    answer = stack.http("edge", "POST", f"{POSTS}.json?api_key={stack.app}", body=body,
                        headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status == 400 and errors(answer)[0][0] == "400"
    assert tickets(stack) == before


# --- keys and limits -------------------------------------------------------------------------------

@pytest.mark.parametrize("extension", ["json", "xml"])
@pytest.mark.parametrize("key", [None, "", "trn_wrong"])
def test_no_key_or_a_wrong_one(stack, key, extension):
    before = stack.metric("intake", "turunc_intake_key_refused_total")
    answer = post(stack, key, extension=extension)
    assert answer.status == 403 and errors(answer)[0][0] == "403" and "api_key" in errors(answer)[0][1]
    assert stack.metric("intake", "turunc_intake_key_refused_total") == before + 1


@pytest.mark.parametrize("size", [TOO_LARGE, 2_000_000])
def test_body_over_its_limit(stack, size):
    answer = stack.http("edge", "POST", f"{POSTS}.json?api_key={stack.app}", body=b"a=" + b"x" * size,
                        headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status in (413, 0), answer  # 0: the edge may cut off a sender that goes on
    assert size > TOO_LARGE or answer.status == 413


def test_over_the_rate(tmp_path):
    slow = {"TURUNC_INTAKE_KEY_PER_MINUTE": "60", "TURUNC_INTAKE_KEY_BURST": "5"}
    with whole_system(tmp_path, services=("intake", "edge"), env={"intake": slow}) as stack:
        key = stack.api_key("eager")
        stack.start()
        wait_until(lambda: post(stack, key).status == 201, 10, "the key is known")
        # A post that takes long gives some of the rate back.
        answers = [post(stack, key)]
        while answers[-1].status == 201 and len(answers) < 50:
            answers.append(post(stack, key))
        assert answers[-1].status == 429 and int(answers[-1].headers["Retry-After"]) >= 1
        assert errors(answers[-1])[0][0] == "429"
        limited = stack.metric("intake", 'turunc_intake_rate_limited_total{by="key"}')
        assert limited == [a.status for a in answers].count(429)
        wait_until(lambda: post(stack, key).status == 201, 10, "and later it works again", every_s=0.3)


def test_more_events_than_credit(session):
    kind, told = session.publish(*[request() for _ in range(9)])
    assert kind == "error" and told.code == bus_pb2.ERROR_TOO_MUCH and not told.fatal
    still_works(session)


def test_busy_while_the_credit_is_out(stack, session):
    """Two full frames at once: the second is Busy, or the first was answered already."""
    busy = 'turunc_intake_busy_total{why="credit"}'
    before = stack.metric("intake", busy)
    for _ in range(50):
        for events in ([request() for _ in range(8)], [request() for _ in range(8)]):
            session.request += 1
            session.socket.send(bus_pb2.ClientFrame(request=session.request, publish=bus_pb2.Publish(
                events=events)).SerializeToString())
        kinds = []
        while len(kinds) < 2 and session.socket.poll(10_000):
            frame = bus_pb2.ServerFrame.FromString(session.socket.recv())
            if frame.WhichOneof("body") != "ping":
                kinds.append(frame.WhichOneof("body"))
        assert set(kinds) <= {"published", "busy"} and len(kinds) == 2
        if "busy" in kinds:
            break
    assert stack.metric("intake", busy) == before + kinds.count("busy") > before
    still_works(session)


def test_event_too_large_is_refused_and_its_neighbours_are_not(stack, session):
    """An event that fits the frame and not its own limit: the client library would not send it."""
    before = tickets(stack)
    large = turunc.call("clumsy", "offered", "c", queue="q" * TOO_LARGE)
    kind, published = session.publish(request(), large, request())
    assert kind == "published"
    assert [result.status for result in published.results] == [
        bus_pb2.PUBLISH_ACCEPTED, bus_pb2.PUBLISH_REJECTED, bus_pb2.PUBLISH_ACCEPTED]
    assert published.results[1].error.startswith("TOO_LARGE: ")
    assert tickets(stack) == before + 2


# --- frames ----------------------------------------------------------------------------------------

def utf8(valid):
    """A Publish whose description holds those bytes, whatever they are."""
    mark = "@" * len(valid)
    frame = bus_pb2.ClientFrame(request=77, publish=bus_pb2.Publish(
        events=[request(description=f"a{mark}b")])).SerializeToString()
    return frame.replace(mark.encode(), valid)


FRAMES = [
    ("garbage", b"\x08\x4d\xff\xff\xff\xff", bus_pb2.ERROR_MALFORMED),
    ("an unknown kind", b"\x08\x4d\xf2\x06\x02\x08\x01", bus_pb2.ERROR_PROTOCOL),
    ("nothing in it", b"", bus_pb2.ERROR_PROTOCOL),
    ("invalid UTF-8", utf8(b"\xc3\x28\xff"), bus_pb2.ERROR_MALFORMED),
    ("a NUL", utf8(b"\x00\x00\x00"), bus_pb2.ERROR_MALFORMED),
]


@pytest.mark.parametrize("data,code", [row[1:] for row in FRAMES], ids=[row[0] for row in FRAMES])
def test_bad_frame_is_told_and_the_session_goes_on(stack, session, data, code):
    before, counted = tickets(stack), refused_frames(stack)
    kind, told = session.say(data)
    assert kind == "error" and told.code == code and not told.fatal, told
    assert refused_frames(stack) == counted + 1
    assert tickets(stack) == before
    still_works(session)


def refused_frames(stack):
    """Of any reason: those that could not be read, and those of no known kind."""
    lines = [line.rsplit(" ", 1) for line in stack.http("intake", "GET", "/metrics").text.splitlines()]
    return sum(float(value) for name, value in lines if name.startswith("turunc_bus_frames_refused_total")
               or name == 'turunc_bus_events_total{what="unknown_frame"}')


def test_frame_before_hello(keys):
    with Raw(keys) as raw:
        kind, told = raw.publish(request())
        assert kind == "error" and told.code == bus_pb2.ERROR_NO_SESSION


def test_frame_beyond_the_sockets_limit_costs_its_connection_only(keys, session):
    with Raw(keys) as raw:
        assert raw.hello()[0] == "welcome"
        assert raw.say(b"\x08\x01" + bytes(300 * 1024), limit_ms=1000) is None
    still_works(session)


# --- events ----------------------------------------------------------------------------------------

def with_id(event, id):
    event.id = id
    return event


EVENTS = [
    ("another source", lambda: turunc.ticket_request("police", "Çukur")),
    ("a type beyond its rights", lambda: turunc.sms_received("clumsy", "+905321234567", "x")),
    ("no id", lambda: with_id(request(), "")),
    ("an id too long", lambda: request(id="x" * 129)),
    ("from the future", lambda: request(time_us=2**52)),
    ("too old", lambda: request(time_us=1_000_000)),
    ("no such subject", lambda: request(subject_code="yok")),
    ("no body", lambda: inbound_pb2.InboundEvent(id=str(uuid.uuid4()), source="clumsy",
                                                 type="ticket.request", time_us=2**50)),
    ("a bad phone", lambda: request(phone="beş yüz")),
]


@pytest.mark.parametrize("make", [row[1] for row in EVENTS], ids=[row[0] for row in EVENTS])
def test_bad_event_is_rejected_and_its_neighbours_are_not(stack, session, make):
    before = tickets(stack)
    kind, published = session.publish(request(), make(), request())
    assert kind == "published", published
    first, bad, last = published.results
    assert (first.status, last.status) == (bus_pb2.PUBLISH_ACCEPTED,) * 2
    assert bad.status == bus_pb2.PUBLISH_REJECTED and ":" in bad.error and bad.ticket == ""
    assert tickets(stack) == before + 2


def test_same_id_with_other_content_is_rejected(session):
    same = str(uuid.uuid4())
    kind, first = session.publish(request(id=same))
    kind, second = session.publish(request(id=same, description="Başka bir şey"))
    assert first.results[0].status == bus_pb2.PUBLISH_ACCEPTED
    assert second.results[0].status == bus_pb2.PUBLISH_REJECTED
    assert second.results[0].error.startswith("ID_REUSED")


def test_a_stranger_is_not_let_in(stack, keys):
    """A key that nobody registered: the handshake fails and nothing is answered."""
    known = turunc.Keys.load(keys)
    public, secret = zmq.curve_keypair()
    with zmq.Context.instance().socket(zmq.DEALER) as socket:
        socket.linger = 0
        socket.curve_secretkey, socket.curve_publickey = secret, public
        socket.curve_serverkey = known.server_key("publish")
        socket.connect(known.doors("publish")[0])
        socket.send(bus_pb2.ClientFrame(request=1, hello=bus_pb2.Hello(
            protocol=1, instance=str(uuid.uuid4()))).SerializeToString())
        assert not socket.poll(1000)


# --- configuration ---------------------------------------------------------------------------------

@pytest.mark.parametrize("name,line,says", [
    ("departments.csv", "temizlik,İkinci,Second,temizlik,a@b.example,yes,,,", "temizlik"),
    ("subjects.csv", "yalniz-kod", "1 fields, but the header has 14"),
    ("holidays.csv", "2026-13-45,Olmayan gün,No such day,,,*", "2026-13-45"),
    ("rules.csv", "900,*,*,*,yok,", "yok")])
def test_configuration_errors_name_file_and_line_and_apply_nothing(stack, tmp_path, name, line, says):
    folder = never_quiet(str(tmp_path / "config"))
    path = os.path.join(folder, name)
    with open(path, "a", encoding="utf-8") as file:
        file.write(line + "\n")
    with open(path, encoding="utf-8") as file:
        last = sum(1 for _ in file)
    active = stack.one("select version from turunc.config_active")
    done = stack.masa("config", "apply", folder, "--json", check=False)
    assert done.returncode == 78
    found = [p for p in json.loads(done.stdout)["problems"] if p["severity"] == "error"]
    assert any((p["file"], p["line"]) == (name, last) and says in p["reason"] for p in found), found
    assert stack.one("select version from turunc.config_active") == active
    wait_status(stack, report(stack, stack.app), "routed")
