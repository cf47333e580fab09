"""What failed and waits for an operator at the desk: messages and dead letters."""
import uuid

import pytest
from desk_world import DeskWorld
from stack import Stack


@pytest.fixture(scope="module")
def world():
    with Stack(services=["router"]) as stack:
        made = DeskWorld(stack)
        stack.start()
        made.sign_everybody_in()
        yield made


def message(world, state, recipient="+905321234567"):
    number, made = world.routed(), str(uuid.uuid4())
    world.stack.sql("""insert into turunc.notification (notification_id, ticket_id, about_seq, about_type, channel,
                         language, recipient, body, state, last_error, created_us, updated_us)
                       values (%s, %s, %s, 'ticket.resolved', 'sms', 'tr', %s, 'x', %s, 'refused <b>', 1, 1)""",
                    made, world.opener.id_of(number), world.opener.id_of(number), recipient, state)
    return number, made


def letter(world, state=1, consumer="notifier"):
    number = world.routed()
    seq = world.stack.one("select max(seq) from turunc.event_log where ticket_id = %s", world.opener.id_of(number))
    world.stack.sql("""insert into turunc.dead_letter (consumer, seq, type, ticket_id, reason, first_us, last_us, in_row,
                         state) values (%s, %s, 'ticket.routed', %s, 'misfit', 1, 1, 1, %s)""",
                    consumer, seq, world.opener.id_of(number), state)
    return number, f"{consumer}:{seq}"


def state_of(world, kind, what):
    if kind == "message":
        return world.stack.sql("select state, last_error, next_attempt_us is not null from turunc.notification "
                               "where notification_id = %s", what)[0]
    return world.stack.sql("select state, who, why from turunc.dead_letter where consumer || ':' || seq = %s", what)[0]


def decide(person, kind, what, do, why=""):
    return person.post("/desk/failed?lang=tr", {"kind": kind, "what": what, "do": do, "why": why})


def test_only_operators_see_what_failed(world):
    number, made = message(world, 5)
    other, _ = message(world, 3)
    where, what = letter(world)
    page = world.oya.get("/desk/failed?lang=tr")
    assert page.status == 200 and number in page.text and made in page.text and other not in page.text
    assert what in page.text and where in page.text and "refused &lt;b&gt;" in page.text
    assert "+905321234567" not in page.text
    for person in (world.ayse, world.cem, world.vedat):
        assert person.get("/desk/failed").status == 403
        assert decide(person, "message", made, "again").status == 403
    assert state_of(world, "message", made)[0] == 5


@pytest.mark.parametrize("was, do, may", [(5, "again", True), (4, "again", True), (3, "again", False), (2, "discard", False),
                                          (1, "discard", True), (5, "discard", True), (7, "again", False)])
def test_messages_are_decided_as_masa_decides(world, was, do, may):
    _, made = message(world, was)
    answer = decide(world.oya, "message", made, do, "numara yanlış")
    assert answer.status == (303 if may else 409)
    state, error, due = state_of(world, "message", made)
    assert state == ((1 if do == "again" else 7) if may else was)
    if may and do == "discard":
        assert error == "user:oya: numara yanlış" and not due
    if may and do == "again":
        assert due and decide(world.oya, "message", made, "again").status == 409


def test_an_erased_message_is_not_sent_again(world):
    _, made = message(world, 5, recipient=None)
    assert decide(world.oya, "message", made, "again").status == 409


@pytest.mark.parametrize("was, do, may", [(1, "again", True), (4, "again", True), (3, "again", False), (1, "discard", True),
                                          (2, "discard", True), (3, "discard", False)])
def test_letters_are_decided_as_masa_decides(world, was, do, may):
    _, what = letter(world, was, "metrics")
    assert decide(world.oya, "letter", what, do, "bozuk kayıt").status == (303 if may else 409)
    state, who, why = state_of(world, "letter", what)
    assert state == ((2 if do == "again" else 4) if may else was)
    if may:
        assert (who, why) == ("user:oya", "bozuk kayıt" if do == "discard" else None)


@pytest.mark.parametrize("fields", [
    {"do": "discard"}, {"do": "discard", "why": "  "}, {"do": "discard", "why": "x" * 900}, {"do": "explode"},
    {"do": "again", "what": "nothing"}, {"do": "again", "what": "router:"}, {"do": "again", "what": "router:-1"},
    {"do": "again", "what": "router:99999999999999999999"}, {"do": "again", "kind": "person"}])
def test_forged_decisions(world, fields):
    _, what = letter(world)
    body = {"kind": "letter", "what": what, "why": "", **fields}
    assert world.oya.post("/desk/failed", body).status == 422
    assert state_of(world, "letter", what)[0] == 1
