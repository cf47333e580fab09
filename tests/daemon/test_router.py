"""The router alone: routing, the whole status table over the bus, and what a command may not do."""
import csv
import io
import threading
import uuid

import psycopg2
import pytest
from router_world import (DAY_US, Client, Opener, Reader, add_client, bus, change_rights, done,
                          printed, refused)
from stack import Stack

ENDED = ("resolved", "rejected", "forwarded", "duplicate", "withdrawn")

# The verbs by which a routed ticket comes to each status.
WAYS = {
    "triage": ["triage"],
    "routed": [],
    "accepted": ["accept"],
    "in_progress": ["start"],
    "waiting": ["accept", "wait"],
    "resolved": ["resolve"],
    "rejected": ["reject"],
    "forwarded": ["forward"],
    "duplicate": ["join"],
    "withdrawn": ["withdraw"],
}
# The table once more, in words: verb -> (from, to, who), to None: stays.
WORKED = ("routed", "accepted", "in_progress", "waiting")
TABLE = {
    "route": (("triage",), "routed", "o"),
    "triage": (WORKED, "triage", "do"),
    "accept": (("routed",), "accepted", "d"),
    "release": (("accepted",), "routed", "d"),
    "start": (("routed", "accepted"), "in_progress", "d"),
    "resume": (("waiting",), "in_progress", "d"),
    "wait": (("accepted", "in_progress"), "waiting", "d"),
    "transfer": (WORKED, "routed", "do"),
    "answer": (("triage",) + WORKED, None, "do"),
    "extend": (("triage",) + WORKED, None, "o"),
    "resolve": (("triage",) + WORKED, "resolved", "do"),
    "reject": (("triage",) + WORKED, "rejected", "do"),
    "forward": (("triage",) + WORKED, "forwarded", "do"),
    "join": (("triage",) + WORKED, "duplicate", "o"),
    "separate": (("duplicate",), "triage", "o"),
    "withdraw": (("triage",) + WORKED, "withdrawn", "o"),
    "reopen": (("resolved", "rejected", "forwarded"), "routed", "o"),
    "note": (("triage",) + WORKED + ENDED, None, "do"),
    "amend": (("triage",) + WORKED + ENDED, None, "do"),
    "close": (ENDED, "closed", ""),
}


def reason_for(stack, ending):
    """Some closure reason of the worked municipality that explains this ending."""
    text = bytes(stack.one("select content from turunc.config_file where name = "
                           "'closure_reasons.csv' order by version desc limit 1")).decode()
    for row in csv.DictReader(io.StringIO(text)):
        if row["applies_to"] == "*" or ending in row["applies_to"].split(";"):
            return row["code"]
    raise AssertionError(f"no reason for {ending}")


class World:
    def __init__(self, stack):
        self.stack = stack
        self.opener = Opener(stack)
        self.stock = {}
        self.reader = Reader(stack)
        self.operator = Client(stack, add_client(stack, "operator"))
        self.cleaning = Client(stack, add_client(stack, "cleaning", departments=("temizlik",)))
        self.parks = Client(stack, add_client(stack, "parks", departments=("park",)))
        self.fields = {
            "route": {"department": "temizlik"},
            "triage": {"reason_code": "not_mine"},
            "wait": {"reason_code": "hava"},
            "transfer": {"department": "park", "reason_code": "not_ours"},
            "answer": {"text": "Bakıyoruz."},
            "extend": {"reason_code": "many_records"},
            "resolve": {"reason_code": reason_for(stack, "resolved"), "text": "Bitti."},
            "reject": {"reason_code": reason_for(stack, "rejected")},
            "forward": {"reason_code": reason_for(stack, "forwarded"), "institution": "asat",
                        "reference": "A-17/4"},
            "reopen": {"reason_code": "not_done"},
            "note": {"text": "Not."},
            "amend": {"priority": 4},
        }

    def opened(self, basis=0):
        """A routed ticket of temizlik, out of a stock: opening one by one would wait each time for
        the router to look at the log."""
        stock = self.stock.setdefault(basis, [])
        if not stock:
            first = Opener.id_of(self.opener.open(basis=basis, count=60))
            stock += [printed(first + i) for i in range(60)]
            self.reader.wait_status(stock[-1], "routed")
        return stock.pop(0)

    def opened_now(self):
        number = self.opener.open()
        self.reader.wait_status(number, "routed")
        return number

    def brought_to(self, status, **how):
        """A ticket in that status (of temizlik) and its version."""
        number = self.opened(**how)
        version = 2
        for verb in WAYS[status]:
            more = dict(self.fields.get(verb, {}))
            if verb == "join":
                more["primary"] = self.opened()
            version = done(self.operator.command(number, version, verb, **more)).version
        assert self.reader.state(number)["status"] == status
        return number, version


@pytest.fixture(scope="module")
def world(request):
    with Stack(services=["router"]) as stack:
        stack.start()
        made = World(stack)
        yield made
        # A few tests alone make few records; what there is must be dense all the same.
        assert made.reader.check() >= (100 if len(request.session.items) > 30 else 0)
        assert stack.terminate("router") == 0


# --- its place -----------------------------------------------------------------------------------

def test_a_step_of_the_cursor_does_not_pass_its_former_versions(world):
    """While an old snapshot holds all of them."""
    stack, history = world.stack, world.stack.one("select log_id from turunc.log_history order by history_no desc limit 1")
    step = "turunc.advance_cursor('probe', %s, %s::uuid, %s, %s, 1)"

    def pages(place, at):
        """What a step from there reads, and where the row lies after it."""
        plan = stack.one("explain (analyze, buffers, format json) select " + step, place, history, at, at + 1)
        there = stack.one("select ctid::text from turunc.consumer_cursor where name = 'probe'")
        return plan[0]["Plan"]["Shared Hit Blocks"] + plan[0]["Plan"]["Shared Read Blocks"], there

    stack.sql("insert into turunc.consumer_cursor (client, name, log_id, seq, updated_at_us)"
              " values ('', 'probe', %s::uuid, 0, 1)", history)
    held = psycopg2.connect(stack.conninfo())
    try:
        held.set_session(isolation_level="REPEATABLE READ")
        with held.cursor() as cursor:
            cursor.execute("select count(*) from turunc.consumer_cursor")
        stack.sql(f"""do $$ declare place tid := '(0,1)'; begin for i in 0..3999 loop
                      place := turunc.advance_cursor('probe', place, '{history}', i, i + 1, 1); commit; end loop; end $$""")
        by_key, place = pages("(0,1)", 4000)
        by_place, place = pages(place, 4001)
        assert by_key > 40 > 2 * by_place, (by_key, by_place)
        with pytest.raises(psycopg2.Error) as refused_step:
            stack.sql("select " + step, place, history, 7, 8)
        assert refused_step.value.pgcode == "TU001"
    finally:
        held.close()
        stack.sql("delete from turunc.consumer_cursor where name = 'probe'")


def test_a_cursor_whose_row_was_moved_goes_on(world):
    def lost():
        return world.stack.metric("router", "turunc_router_routing_lost_total")

    world.opened_now()
    before = lost()
    world.stack.sql("vacuum full turunc.consumer_cursor")
    world.opened_now()
    assert lost() == before, "its place was not in doubt"


# --- routing -------------------------------------------------------------------------------------

@pytest.mark.parametrize("subject, neighbourhood, department, priority, rule", [
    ("cop-alinmadi", "sirinyali", "temizlik", 3, None),
    ("cadde-supurme", "tuzcular", "temizlik", 3, 10),  # the rule raises the priority
    ("gurultu", "kilincarslan", "zabita", 3, 20),
    ("plaj-temizligi", "fener", "temizlik", 3, 30),
])
def test_routed_by_rule(world, subject, neighbourhood, department, priority, rule):
    number = world.opener.open(subject=subject, neighbourhood=neighbourhood)
    state = world.reader.wait_status(number, "routed")
    assert (state["department"], state["priority"], state["version"]) == (department, priority, 2)
    kind, record = world.reader.records(number)[-1]
    assert kind == "ticket.routed" and record.actor == f"rule:{record.step.rule}"
    assert rule is None or record.step.rule == rule
    assert record.step.service_due_us == state["service_due_us"]
    assert record.subject == number and record.source == "router"
    assert world.stack.sql("select department, previous_department from turunc.event_log "
                           "where ticket_id = %s order by seq desc limit 1",
                           Opener.id_of(number)) == [(department, None)]
    assert world.stack.sql("select from_department, to_department from turunc.ticket_hop "
                           "where ticket_id = %s", Opener.id_of(number)) == [("", department)]


@pytest.mark.parametrize("subject, reason", [("", "no_subject"), ("yok-boyle", "unknown_subject")])
def test_triage_when_nobody_can_know(world, subject, reason):
    number = world.opener.open(subject=subject, basis=1)
    state = world.reader.wait_status(number, "triage")
    assert (state["department"], state["reason"], state["priority"]) == ("", reason, 2)
    assert state["service_due_us"] is None and state["legal_due_us"] is not None
    assert world.reader.types(number) == ["ticket.opened", "ticket.triaged"]


def test_a_damaged_record_does_not_stop_the_log(world):
    def counted():
        return [world.stack.metric("router", name) for name in (
            "turunc_router_records_damaged_total",
            'turunc_dead_letters_total{consumer="router",reason="undecodable"}')]
    before = counted()
    damaged = world.opener.open(raw_event=b"\xff\xff\xff")
    world.opener.say(damaged, "withdraw", raw_event=b"\x0a\xff")
    after = world.opened_now()
    # What was reported is in the ticket's row, so it is routed all the same; what the citizen
    # wanted later stood in the record alone.
    assert world.reader.state(damaged)["status"] == "routed"
    assert world.reader.state(after)["status"] == "routed"
    assert counted() == [before[0] + 1, before[1] + 1]


def test_what_citizens_say(world):
    withdrawn, follow = world.opened(), world.opened()
    world.opener.say(withdrawn, "withdraw")
    world.opener.say(follow, "follow_up")
    world.reader.wait_status(withdrawn, "withdrawn")
    solved, version = world.brought_to("resolved")
    world.opener.say(solved, "not_solved")
    state = world.reader.wait_status(solved, "routed")
    assert state["ended_us"] is None and state["answered_us"] is not None
    assert world.reader.records(solved)[-1][1].actor == "citizen"
    # Not from here: it stays something people read.
    world.opener.say(withdrawn, "not_solved")
    last = world.opened_now()
    assert world.reader.state(withdrawn)["status"] == "withdrawn"
    assert world.reader.state(follow)["version"] == 2
    assert world.reader.state(last)["version"] == 2


# --- the table -----------------------------------------------------------------------------------

@pytest.mark.parametrize("status", list(WAYS))
def test_every_verb_from(world, status):
    """Each verb in this status by department, operator and somebody else's department."""
    for verb, (sources, target, who) in TABLE.items():
        how = {"basis": 2} if verb == "extend" else {}
        number, version = world.brought_to(status, **how)
        more = dict(world.fields.get(verb, {}))
        if verb == "join":
            more["primary"] = world.opened()
        foreign = world.parks.command(number, version, verb, **more)
        refused(foreign, "FORBIDDEN")
        assert (foreign.current_version, foreign.current_status) == (0, 0), "how it stands is not theirs to know"
        answer = world.cleaning.command(number, version, verb, **more)
        allowed = status in sources
        if not allowed:
            refused(answer, "NOT_ALLOWED_NOW")
            refused(world.operator.command(number, version, verb, **more), "NOT_ALLOWED_NOW")
            continue
        if "d" not in who:
            refused(answer, "FORBIDDEN")
        if who == "":
            refused(world.operator.command(number, version, verb, **more), "FORBIDDEN")
            continue
        if "d" not in who:
            answer = world.operator.command(number, version, verb, **more)
        assert done(answer).version == version + 1, verb
        assert world.reader.state(number)["status"] == (target or status), verb


# --- what a command must bring --------------------------------------------------------------------

@pytest.mark.parametrize("status, verb, fields, says", [
    ("routed", "transfer", {"department": "yok", "reason_code": "x"}, "department"),
    ("routed", "transfer", {"department": "temizlik", "reason_code": "x"}, "there already"),
    ("routed", "transfer", {"department": "park"}, "reason_code"),
    ("routed", "transfer", {"department": "park", "reason_code": "with space"}, "reason_code"),
    ("routed", "transfer", {"department": "park", "reason_code": "ş"}, "reason_code"),
    ("routed", "triage", {}, "reason_code"),
    ("triage", "route", {}, "department"),
    ("triage", "route", {"department": "temizlik", "subject_code": "yok"}, "subject_code"),
    ("routed", "resolve", {}, "reason_code"),
    ("routed", "resolve", {"reason_code": "yok"}, "reason_code"),
    ("routed", "reject", {"reason_code": "yapildi"}, "explain"),
    ("routed", "forward", {"reason_code": "kurum-disi", "institution": "yok"}, ""),
    ("accepted", "wait", {"reason_code": "yok"}, "reasons to wait"),
    ("accepted", "wait", {"reason_code": "hava", "until_us": 5}, "until_us"),
    ("accepted", "wait", {"reason_code": "hava", "until_us": 2**62}, "until_us"),
    ("routed", "answer", {}, "text"),
    ("routed", "answer", {"text": "x" * 8001}, "8,000"),
    ("routed", "note", {"text": ""}, "text"),
    ("routed", "note", {"text": "a\x1bb"}, "control"),
    ("routed", "answer", {"text": "satır\nsekme\t\x7f"}, "control"),
    ("routed", "amend", {}, "amend"),
    ("routed", "amend", {"priority": 5}, "priority"),
    ("routed", "amend", {"subject_code": "yok"}, "subject_code"),
    ("routed", "join", {}, "primary"),
    ("routed", "join", {"primary": "26-9999999-0"}, "primary"),
    ("routed", "extend", {"reason_code": "x"}, "4982"),
    ("routed", "note", {"text": "x", "actor": "Ayşe Yılmaz"}, "actor"),
    ("routed", "note", {"text": "x", "actor": "user:ayse@example.org"}, "actor"),
    ("routed", "fly", {}, "verb"),
    ("routed", "note ", {"text": "x"}, "verb"),
])
def test_bad_fields(world, status, verb, fields, says):
    number, version = world.brought_to(status)
    answer = refused(world.operator.command(number, version, verb, **fields), "BAD_FIELD")
    assert says in answer.text, answer.text
    assert answer.current_version == version
    assert world.reader.state(number)["version"] == version


def test_numbers_ids_and_versions(world):
    number, version = world.brought_to("routed")
    wrong_check = number[:-1] + str((int(number[-1]) + 1) % 10)
    for bad in ("", "x", "26-9999998-1", wrong_check):
        refused(world.operator.command(bad, 1, "note", text="x"), "NO_SUCH_TICKET")
    for bad_id in ("", "1", "00000000-0000-0000-0000-000000000000", "zz" + str(uuid.uuid4())[2:]):
        answer = world.operator.answer(world.operator.send(command=bus.Command(
            id=bad_id, ticket=number, expected_version=version, verb="note", text="x")))
        assert "id" in refused(answer, "BAD_FIELD").text
    for stale in (0, version - 1, version + 1, 2**31):
        answer = refused(world.operator.command(number, stale, "note", text="x"), "STALE_VERSION")
        assert answer.current_version == version


def test_text_is_kept_apart(world):
    number, version = world.brought_to("routed")
    said = "Kişiye özel söz: çğıöşü"
    done(world.operator.command(number, version, "answer", text=said, actor="user:ayse"))
    kind, body, actor = world.stack.sql(
        "select kind, body, actor from turunc.ticket_text where ticket_id = %s",
        Opener.id_of(number))[0]
    assert (kind, body, actor) == ("answer", said, "client:operator/user:ayse")
    record = world.reader.records(number)[-1][1]
    assert len(record.step.text_digest) == 32 and record.step.text_id
    everything = b"".join(bytes(row[0]) for row in world.stack.sql(
        "select event from turunc.event_log"))
    assert "Kişiye".encode() not in everything
    assert world.reader.state(number)["answered_us"] is not None


# --- once ------------------------------------------------------------------------------------------

def test_repeats(world):
    number, version = world.brought_to("routed")
    command_id = str(uuid.uuid4())
    first = done(world.cleaning.command(number, version, "accept", command_id=command_id))
    done(world.cleaning.command(number, version + 1, "start"))
    again = done(world.cleaning.command(number, version, "accept", command_id=command_id))
    assert again == first
    refused(world.cleaning.command(number, version, "start", command_id=command_id), "ID_REUSED")
    # An id is the client's own: another may use it too.
    done(world.operator.command(number, version + 2, "note", text="x", command_id=command_id))
    # A refusal is a first answer as well, whatever became possible meanwhile.
    command_id = str(uuid.uuid4())
    refused(world.cleaning.command(number, 99, "note", text="x", command_id=command_id),
            "STALE_VERSION")
    refused(world.cleaning.command(number, 99, "note", text="x", command_id=command_id),
            "STALE_VERSION")
    assert world.reader.state(number)["version"] == version + 3


def test_many_at_once_on_one_ticket(world):
    """Of commands that name the same version, one wins; a chain sent without waiting goes through
    in order."""
    number, version = world.brought_to("routed")
    clients = [world.operator, world.cleaning]
    sent = [(c, c.send_command(number, version, "note", text=f"{i}"))
            for i in range(20) for c in clients]
    answers = [c.answer(request) for c, request in sent]
    assert sum(isinstance(a, bus.Done) for a in answers) == 1
    for answer in answers:
        if not isinstance(answer, bus.Done):
            refused(answer, "STALE_VERSION")
    number, version = world.brought_to("routed")
    sent = [world.operator.send_command(number, version + i, "note", text=f"{i}")
            for i in range(50)]
    assert [done(world.operator.answer(r)).version for r in sent] \
        == list(range(version + 1, version + 51))


def test_the_same_id_twice_in_one_go(world):
    number, version = world.brought_to("routed")
    command_id = str(uuid.uuid4())
    sent = [world.operator.send_command(number, version, "note", command_id, text="x")
            for _ in range(10)]
    assert {done(world.operator.answer(r)).version for r in sent} == {version + 1}


def test_an_alias_is_followed(world):
    number, version = world.brought_to("routed")
    alias = world.opener.next_id
    world.opener.next_id += 1
    world.stack.sql("insert into turunc.ticket_alias values (%s, %s)", alias, Opener.id_of(number))
    assert done(world.operator.command(printed(alias), version, "note", text="x")).version \
        == version + 1


def test_joins_stay_one_deep(world):
    a, b, c = (world.opened() for _ in range(3))
    done(world.operator.command(a, 2, "join", primary=b))
    assert world.reader.state(a)["primary"] == Opener.id_of(b)
    refused(world.operator.command(c, 2, "join", primary=a), "BAD_FIELD")
    refused(world.operator.command(b, 2, "join", primary=c), "BAD_FIELD")
    refused(world.operator.command(c, 2, "join", primary=c), "BAD_FIELD")
    done(world.operator.command(a, 3, "separate"))
    assert world.reader.state(a)["primary"] is None
    done(world.operator.command(b, 2, "join", primary=c))
    # Crosswise at the same moment: one of the two at most.
    d, e = world.opened(), world.opened()
    sent = [world.operator.send_command(d, 2, "join", primary=e),
            world.operator.send_command(e, 2, "join", primary=d)]
    answers = [world.operator.answer(r) for r in sent]
    assert sum(isinstance(answer, bus.Done) for answer in answers) == 1


# --- rights ----------------------------------------------------------------------------------------

def test_rights_are_looked_at_when_deciding(world):
    number, version = world.brought_to("routed")
    done(world.operator.command(number, version, "transfer", department="park",
                                reason_code="not_ours"))
    refused(world.cleaning.command(number, version + 1, "accept"), "FORBIDDEN")
    state = world.reader.state(number)
    assert (state["department"], state["status"]) == ("park", "routed")
    assert world.stack.sql("select department, previous_department from turunc.event_log where "
                           "ticket_id = %s order by seq desc limit 1",
                           Opener.id_of(number)) == [("park", "temizlik")]
    done(world.parks.command(number, version + 1, "accept"))


def test_a_client_without_the_verb(world):
    reader = Client(world.stack, add_client(world.stack, "reader", verbs=("subscribe",)))
    number, version = world.brought_to("routed")
    answer = reader.command(number, version, "note", text="x")
    assert isinstance(answer, bus.Error) and answer.code == bus.ERROR_FORBIDDEN
    reader.close()


def test_narrowed_and_revoked(world):
    who = add_client(world.stack, "soon-gone", departments=("temizlik",))
    client = Client(world.stack, who)
    number, version = world.brought_to("routed")
    done(client.command(number, version, "note", text="x"))
    change_rights(world.stack, "update turunc.client_grant set departments = '{park}' "
                               "where name = 'soon-gone'")
    refused(client.command(number, version + 1, "note", text="x"), "FORBIDDEN")
    change_rights(world.stack, "update turunc.client_grant set revoked_us = 1 "
                               "where name = 'soon-gone'")
    fatal = client.receive(5)
    assert fatal.WhichOneof("body") == "error" and fatal.error.fatal
    assert fatal.error.code == bus.ERROR_REVOKED
    client.close()


# --- clocks through the door -------------------------------------------------------------------------

def test_clocks_follow_the_steps(world):
    number = world.opened(basis=2)
    legal, service = world.reader.clock(number, 1), world.reader.clock(number, 2)
    assert (legal["state"], service["state"]) == (1, 1)
    done(world.cleaning.command(number, 2, "accept"))
    done(world.cleaning.command(number, 3, "wait", reason_code="hava",
                                until_us=world.opener.now_us() + DAY_US))
    paused = world.reader.clock(number, 2)
    assert paused["state"] == 2 and paused["next_alarm_us"] is None
    assert world.reader.state(number)["service_due_us"] is None
    assert world.reader.clock(number, 1)["due_us"] == legal["due_us"]
    done(world.operator.command(number, 4, "extend", reason_code="many_records"))
    assert world.reader.clock(number, 1)["due_us"] > legal["due_us"]
    refused(world.operator.command(number, 5, "extend", reason_code="again"), "BAD_FIELD")
    done(world.cleaning.command(number, 5, "resume"))
    resumed = world.reader.clock(number, 2)
    assert resumed["state"] == 1 and resumed["due_us"] >= service["due_us"]
    done(world.operator.command(number, 6, "transfer", department="zabita", reason_code="x"))
    moved = world.reader.clock(number, 2)
    assert moved["calendar"] == "nobet" and moved["promise_ms"] == service["promise_ms"]
    done(world.operator.command(number, 7, "resolve", **world.fields["resolve"]))
    assert world.reader.clock(number, 2)["state"] == 3
    assert world.reader.clock(number, 1)["state"] == 3
    done(world.operator.command(number, 8, "reopen", reason_code="not_done"))
    assert world.reader.clock(number, 2)["state"] == 1
    assert world.reader.clock(number, 1)["state"] == 3  # it was answered
    assert world.reader.state(number)["department"] == "zabita"


# --- the door ----------------------------------------------------------------------------------------

def test_frames_the_door_does_not_take(world):
    answer = world.operator.ask(publish=bus.Publish())
    assert isinstance(answer, bus.Error) and answer.code == bus.ERROR_PROTOCOL
    assert not answer.fatal


def test_pages(world):
    assert world.stack.http("router", "GET", "/healthz").status == 200
    assert world.stack.http("router", "GET", "/readyz").json()["ready"]
    assert world.stack.http("router", "GET", "/desk/").status == 401
    text = world.stack.http("router", "GET", "/metrics").text
    for name in ('turunc_router_commands_total{verb="accept",outcome="done"}',
                 'turunc_router_routed_total{by="rule"}', "turunc_router_lag_records",
                 'turunc_bus_events_total{what="admitted"}', "turunc_db_"):
        assert name in text, name


def test_parallel_clients(world):
    """Four clients at once, each with tickets of its own and a share in a common one."""
    common, _ = world.brought_to("routed")
    numbers = [[world.opened() for _ in range(5)] for _ in range(4)]
    clients = [Client(world.stack, add_client(world.stack, f"worker-{i}")) for i in range(4)]
    won = []

    def work(client, own):
        for number in own:
            done(client.command(number, 2, "accept"))
            done(client.command(number, 3, "start"))
            done(client.command(number, 4, "resolve", **world.fields["resolve"]))
        version = 2
        for _ in range(10):
            answer = client.command(common, version, "note", text="x")
            if isinstance(answer, bus.Done):
                won.append(answer.version)
            version = answer.version if isinstance(answer, bus.Done) else answer.current_version

    threads = [threading.Thread(target=work, args=pair) for pair in zip(clients, numbers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == list(range(3, 3 + len(won)))
    assert world.reader.state(common)["version"] == 2 + len(won)
    for client in clients:
        client.close()
