"""The publish door: what each event becomes, result by result, and what it refuses."""
import uuid

import pytest
import zmq

from intake_world import (Publisher, call, check_log, event, now_us, ticket_id,
                          ticket_request)
from stack import Stack
from stream_world import append
from turunc.v1 import bus_pb2, event_pb2, inbound_pb2

DAY_US = 86_400_000_000
ACCEPTED, DUPLICATE, REJECTED = 1, 3, 4


@pytest.fixture(scope="module")
def world():
    with Stack(services=["intake"]) as stack:
        stack.pbx = stack.client("pbx")
        stack.narrow = stack.client("narrow", sources=["pbx"], types=["call.*"])
        stack.reader = stack.client("reader", verbs=["subscribe"])
        stack.small = stack.client("small", max_events=4)
        stack.less = stack.client("less", verbs=["publish", "subscribe"])
        stack.bulky = stack.client("bulky")
        stack.start()
        yield stack
        assert stack.terminate("intake") == 0  # nothing left behind, nothing leaked


@pytest.fixture
def pbx(world):
    with Publisher(world, world.pbx) as publisher:
        yield publisher


def record_of(world, identifier):
    """(type, ticket_id, record) of the event with that id, None without one."""
    rows = world.sql("""select e.type, e.ticket_id, e.event from turunc.inbound_item i
                        join turunc.event_log e on position(i.item_id::text::bytea in e.event) > 0
                        where i.id = %s""", identifier)
    assert len(rows) <= 1
    return (rows[0][0], rows[0][1], event_pb2.Event.FromString(bytes(rows[0][2]))) \
        if rows else None


def test_welcome_names_history_and_credit(world, pbx):
    assert pbx.welcome.protocol == 1 and pbx.welcome.client == "pbx"
    assert pbx.welcome.credit_events == 1024
    assert pbx.welcome.log_id == str(world.one("select log_id from turunc.log_history"))


def test_ticket_request_becomes_a_ticket(world, pbx):
    made = ticket_request(subject_code="yol-cukur", description="Derin çukur", name="Ayşe Yılmaz",
                          phone="0532 123 45 67", address="Fener Mah.", channel=1, call_id="c-77",
                          language="en", legal_basis=1)
    made.ticket_request.position.latitude = 36.85
    made.ticket_request.position.longitude = 30.76
    answer = made.ticket_request.answers.add()
    answer.code = "boyut"
    answer.values.append("orta")
    result, = pbx.publish(made)
    assert (result.id, result.status) == (made.id, ACCEPTED) and result.ticket
    row = world.sql("""select t.subject_code, t.channel, t.legal_basis, t.client, c.phone, c.answers,
                           c.language, t.arrived_us from turunc.ticket t
                       join turunc.contact c using (contact_id) where t.ticket_id = %s""",
                    ticket_id(result.ticket))[0]
    assert row == ("yol-cukur", 1, 1, "pbx", "+905321234567", '{"boyut":["orta"]}', "en",
                   made.time_us)
    kind, ticket, record = record_of(world, made.id)
    assert kind == "ticket.opened" and ticket == ticket_id(result.ticket)
    assert record.opened.call_id == "c-77" and record.opened.inbound_id == made.id
    assert record.actor == "client:pbx" and record.time_us == made.time_us


def test_unknown_place_and_no_subject_are_for_triage(world, pbx):
    result, = pbx.publish(ticket_request(neighbourhood="Bilinmeyen", description="x"))
    assert result.status == ACCEPTED
    assert world.sql("select subject_code, neighbourhood, public from turunc.ticket "
                     "where ticket_id = %s", ticket_id(result.ticket)) == [("", "", False)]


def test_neighbourhood_by_name(world, pbx):
    result, = pbx.publish(ticket_request(neighbourhood="FENER MAHALLESİ", description="x"))
    assert world.one("select neighbourhood from turunc.ticket where ticket_id = %s",
                     ticket_id(result.ticket)) == "fener"


def test_calls_become_records_without_the_callers_number(world, pbx):
    events = [call("offered", caller="05321112233", queue="masa"),
              call("answered", caller="05321112233", agent="ayse"),
              call("abandoned", caller="05321112233"),
              call("ended", caller="05321112233", disposition="information")]
    results = pbx.publish(*events)
    assert [r.status for r in results] == [ACCEPTED] * 4
    for one in events:
        kind, _, record = record_of(world, one.id) or (None, None, None)
        if kind is None:
            kind, body = world.sql("""select type, event from turunc.event_log
                                      where type = %s order by seq desc limit 1""", one.type)[0]
            record = event_pb2.Event.FromString(bytes(body))
        assert kind == one.type and record.call.call_id == "c-1"
        assert b"5321112233" not in record.SerializeToString()
    kept = world.one("""select b.body from turunc.published_body b join turunc.inbound_item i
                        using (item_id) where i.id = %s""", events[0].id)
    assert inbound_pb2.Call.FromString(bytes(kept)).caller == "05321112233"


def test_ended_call_names_its_ticket(world, pbx):
    ticket = pbx.publish(ticket_request(description="x"))[0].ticket
    ended = call("ended", disposition="ticket", ticket=ticket)
    result, = pbx.publish(ended)
    assert result.status == ACCEPTED and result.ticket == ticket
    assert world.one("select count(*) from turunc.event_log where ticket_id = %s and type = "
                     "'call.ended'", ticket_id(ticket)) == 1


def test_sms_is_a_contact(world, pbx):
    made = event("sms.received")
    made.sms.sender, made.sms.text, made.sms.gateway = "05321234567", "Teşekkürler", "netgsm"
    result, = pbx.publish(made)
    assert result.status == ACCEPTED and result.ticket == ""
    row = world.sql("""select c.kind, c.phone, c.description, c.ticket_id, z.contact_key
                       from turunc.inbound_item i join turunc.contact c on c.contact_id = i.item_id
                       left join turunc.citizen z on z.citizen_id = c.citizen_id
                       where i.id = %s""", made.id)
    assert row == [("sms", "+905321234567", "Teşekkürler", None, "tel:+905321234567")]
    kind, _, record = record_of(world, made.id)
    assert kind == "sms.received" and record.contact.kind == "sms"
    assert "Teşekkürler".encode() not in record.SerializeToString()


def test_any_other_type_is_foreign(world, pbx):
    made = event("sensor.container_full", source="bins/7")
    made.foreign.content_type, made.foreign.data = "application/json", b'{"full": 0.93}'
    result, = pbx.publish(made)
    assert result.status == ACCEPTED
    row = world.sql("""select b.content_type, b.body, b.source from turunc.published_body b
                       join turunc.inbound_item i using (item_id) where i.id = %s""", made.id)[0]
    assert (row[0], bytes(row[1]), row[2]) == ("application/json", b'{"full": 0.93}', "bins/7")
    body = world.one("select event from turunc.event_log where type = 'foreign' "
                     "order by seq desc limit 1")
    record = event_pb2.Event.FromString(bytes(body))
    assert record.type == "foreign" and record.foreign.event_type == "sensor.container_full"
    assert record.foreign.event_id == made.id and record.foreign.size_bytes == 14
    assert len(record.foreign.content_digest) == 32


def test_repeats_get_the_first_answer(world, pbx):
    made = ticket_request("again-1", description="bir")
    first, = pbx.publish(made)
    made.traceparent = "00-" + "1" * 32 + "-" + "2" * 16 + "-01"
    second, = pbx.publish(made)
    assert (second.status, second.ticket) == (DUPLICATE, first.ticket)
    made.ticket_request.description = "iki"
    third, = pbx.publish(made)
    assert third.status == REJECTED and third.error.startswith("ID_REUSED")
    assert world.one("select count(*) from turunc.ticket t join turunc.inbound_item i "
                     "using (ticket_id) where i.id = 'again-1'") == 1


def test_duplicates_within_one_publish(world, pbx):
    made = ticket_request("twin", description="bir")
    other = ticket_request("twin", description="başka")
    other.time_us = made.time_us
    results = pbx.publish(made, made, other, ticket_request(description="x"))
    assert [r.status for r in results] == [ACCEPTED, DUPLICATE, REJECTED, ACCEPTED]
    assert results[1].ticket == results[0].ticket and results[2].error.startswith("ID_REUSED")


def test_same_id_under_another_source_is_another(pbx):
    one, two = call("offered", "same"), call("offered", "same")
    two.source = "pbx-2"
    assert [r.status for r in pbx.publish(one, two)] == [ACCEPTED, ACCEPTED]


def bad_events():
    old = call("offered")
    old.time_us = now_us() - 401 * DAY_US
    yield "too old", old, "TOO_OLD"
    future = call("offered")
    future.time_us = now_us() + 400_000_000
    yield "in the future", future, "IN_FUTURE"
    yield "no time", event("call.offered", time_us=0), "TOO_OLD"
    yield "no body", event("call.offered"), "BAD_FIELD: body"
    wrong = event("call.offered")
    wrong.sms.sender = "1"
    yield "another type's body", wrong, "BAD_FIELD: body"
    guess = event("sms.received")
    guess.sms.sender, guess.sms.text, guess.sms.ticket = "05321234567", "x", "26-0000001-4"
    yield "a text that says whose ticket it is about", guess, "FORBIDDEN"
    yield "no id", call("offered", "x" * 129), "BAD_FIELD: id"
    nameless = call("offered")
    nameless.type = ""
    yield "no type", nameless, "BAD_FIELD: type"
    homeless = call("offered")
    homeless.source = ""
    yield "no source", homeless, "BAD_FIELD: source"
    yield "disposition unknown", call("ended", disposition="hung_up"), "BAD_FIELD: disposition"
    yield "disposition too early", call("offered", disposition="ticket"), "BAD_FIELD: disposition"
    yield "ticket malformed", call("ended", disposition="ticket", ticket="26-0000001-9"), \
        "BAD_FIELD: ticket"
    yield "call without an id", call("offered", call_id=""), "BAD_FIELD: call_id"
    yield "subject unknown", ticket_request(subject_code="nope"), "BAD_FIELD: subject_code"
    yield "phone", ticket_request(phone="12"), "BAD_FIELD: phone"
    yield "e-mail", ticket_request(email="a b@c.d"), "BAD_FIELD: email"
    yield "language", ticket_request(language="xx"), "BAD_FIELD: language"
    yield "description", ticket_request(description="x" * 4001), "BAD_FIELD: description"
    yield "arrived after it was told", ticket_request(arrived_us=now_us() + DAY_US), \
        "BAD_FIELD: arrived_us"
    yield "media", ticket_request(media_url="ftp://x"), "BAD_FIELD: media_url"
    lost = ticket_request(description="x")
    lost.ticket_request.position.latitude = float("nan")
    yield "position", lost, "BAD_FIELD: position"
    question = ticket_request(subject_code="yol-cukur")
    answer = question.ticket_request.answers.add()
    answer.code = "renk"
    answer.values.append("mavi")
    yield "answer to no question", question, "BAD_FIELD: attribute"


def test_bad_events_are_rejected_and_their_neighbours_are_not(world, pbx):
    cases = list(bad_events())
    events = []
    for _, bad, _ in cases:
        events += [bad, call("offered")]
    results = pbx.publish(*events)
    assert len(results) == len(events)
    for (name, _, words), result, neighbour in zip(cases, results[::2], results[1::2]):
        assert result.status == REJECTED and result.error.startswith(words), (name, result)
        assert neighbour.status == ACCEPTED, name
    assert world.metric("intake", "turunc_intake_events_rejected_total") >= len(cases)


def foreign_of(encoded_bytes):
    made = event("sensor.dump", source="bins/7")
    made.foreign.data = b"x" * (encoded_bytes - 200)
    made.foreign.data += b"x" * (encoded_bytes - made.ByteSize())
    assert made.ByteSize() == encoded_bytes
    return made


def test_event_too_large_is_refused_alone(world):
    largest, over = foreign_of(65536), foreign_of(65537)
    traced = foreign_of(65500)
    traced.traceparent = "0" * 100
    with Publisher(world, world.bulky) as bulky:
        results = bulky.publish(call("offered"), over, largest)
        more = bulky.publish(traced, ticket_request(description="x"))
        again, = bulky.publish(largest)
    assert [r.status for r in results] == [ACCEPTED, REJECTED, ACCEPTED]
    assert results[1].id == over.id
    assert results[1].error == "TOO_LARGE: 65537 bytes; an event has at most 65536"
    assert [r.status for r in more] == [REJECTED, ACCEPTED] and more[1].ticket
    assert more[0].error.startswith("TOO_LARGE: ")
    assert record_of(world, over.id) is None and record_of(world, traced.id) is None
    assert again.status == DUPLICATE


def test_rights(world):
    with Publisher(world, world.narrow) as narrow:
        other_source = call("offered")
        other_source.source = "bins"
        results = narrow.publish(call("offered"), ticket_request(description="x"), other_source)
        assert [r.status for r in results] == [ACCEPTED, REJECTED, REJECTED]
        assert all(r.error.startswith("FORBIDDEN") for r in results[1:])
    with Publisher(world, world.reader, hello=False) as reader:
        hello = bus_pb2.ClientFrame(request=1)
        hello.hello.protocol, hello.hello.instance = 1, str(uuid.uuid4())
        assert reader.ask(hello).error.code == 4


def test_the_right_to_publish_goes_under_a_session(world):
    """It is asked for at each frame: the key stays good for what it may still do."""
    with Publisher(world, world.less) as publisher:
        assert publisher.publish(call("offered"))[0].status == ACCEPTED
        world.sql("update turunc.client_grant set verbs = '{subscribe}' where name = 'less'")
        append(world, "client.granted")

        def refused():
            answer = publisher.ask(publisher.frame(call("offered")))
            return answer.WhichOneof("body") == "error" and answer.error
        assert world.wait(refused, 20).code == bus_pb2.ERROR_FORBIDDEN


def test_credit(world):
    with Publisher(world, world.small) as small:
        assert small.welcome.credit_events == 4
        refused = small.ask(small.frame(*[call("offered") for _ in range(5)]))
        assert refused.error.code == 12
        frames = [small.frame(*[call("offered") for _ in range(4)]) for _ in range(40)]
        for frame in frames:
            small.send(frame)
        answers = [small.receive() for _ in frames]  # busy may overtake published
        assert {answer.request for answer in answers} == {frame.request for frame in frames}
        kinds = {answer.request: answer.WhichOneof("body") for answer in answers}
        assert kinds[frames[0].request] == "published"
        assert set(kinds.values()) == {"published", "busy"}
        assert len(small.publish(call("offered"))) == 1  # the credit came back


def test_many_events_in_many_frames_are_all_there(world, pbx):
    frames = [pbx.frame(*[ticket_request(f"m-{i}-{n}", description="x") for n in range(64)])
              for i in range(16)]
    for frame in frames:
        pbx.send(frame)
    tickets = []
    for _ in frames:
        answer = pbx.receive()
        tickets += [(r.id, r.ticket) for r in answer.published.results if r.status == ACCEPTED]
    assert len({ticket for _, ticket in tickets}) == 16 * 64
    stored = dict(world.sql("select id, ticket_id from turunc.inbound_item where id like 'm-%%'"))
    assert {identifier: ticket_id(ticket) for identifier, ticket in tickets} == stored
    check_log(world)


def test_many_rejections_fit_one_frame(pbx):
    bad = [event("call.offered", uuid.uuid4().hex + "i" * 96) for _ in range(1000)]
    results = pbx.publish(*bad)
    assert len(results) == 1000 and {r.status for r in results} == {REJECTED}
    assert all(r.error.startswith("BAD_FIELD: body") for r in results)


def test_empty_publish(pbx):
    assert len(pbx.publish()) == 0


def test_garbage_and_other_frames(world, pbx):
    pbx.socket.send(b"\xff\xfe garbage")
    assert pbx.receive().error.code == 3
    snapshot = bus_pb2.ClientFrame(request=77)
    snapshot.snapshot.SetInParent()
    assert pbx.ask(snapshot).error.code == 2
    bad_text = pbx.frame(ticket_request(description="QQQQ")).SerializeToString()
    pbx.socket.send(bad_text.replace(b"QQQQ", b"Q\xffQQ"))
    assert pbx.receive().error.code == 3
    with_nul = pbx.frame(ticket_request(description="QQQQ")).SerializeToString()
    pbx.socket.send(with_nul.replace(b"QQQQ", b"Q\x00QQ"))
    assert pbx.receive().error.code == 3
    assert pbx.publish(call("offered"))[0].status == ACCEPTED
    assert world.http("intake", "GET", "/healthz").status == 200


def test_stranger_is_not_let_in(world):
    with Publisher(world, None, hello=False, pair=zmq.curve_keypair()) as publisher:
        frame = bus_pb2.ClientFrame(request=1)
        frame.hello.protocol = 1
        publisher.send(frame)
        assert not publisher.socket.poll(700)


def test_two_publishers_with_the_same_events(world):
    """Whoever comes second is told 'duplicate', however close they are."""
    with Publisher(world, world.pbx) as one, Publisher(world, world.pbx) as two:
        events = [ticket_request(f"both-{n}", description="x") for n in range(100)]
        frames = (one.frame(*events), two.frame(*reversed(events)))
        one.send(frames[0])
        two.send(frames[1])
        first = one.receive(frames[0].request).published.results
        second = list(reversed(two.receive(frames[1].request).published.results))
        for a, b in zip(first, second):
            assert sorted((a.status, b.status)) == [ACCEPTED, DUPLICATE]
            assert a.ticket == b.ticket
