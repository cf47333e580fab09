"""The call-taker's page while the record is away: who was let in goes on registering, into the spool."""
import re

import pytest

from intake_world import check_log, ticket_id
from people import Browser
from process import wait_until
from stack import Stack
from test_intake_call import SAID, Desk
from test_intake_spool import drained


@pytest.fixture
def stack(make_stack):
    made = make_stack(services=["intake"], own_postgres=True)
    made.password, made.other = made.user("ayse", "call-taker"), made.user("veli", "call-taker")
    made.start()
    made.wait(lambda: (made.metric("intake", "turunc_intake_numbers_aside") or 0) > 0, 20)
    return made


def test_registering_goes_on(stack):
    ayse = Desk(stack, "ayse", stack.password)
    token_before = ayse.hidden()["token"]
    stack.kill9("postgres")
    wait_until(lambda: "ulaşılamıyor" in ayse.get("/call/?lang=tr").text, 20, "the page says that the record is away")
    ayse.open()
    assert "arama yapılamaz" in ayse.page and 'name="service_code"' in ayse.page
    assert ayse.send("look", q="0532 987 65 40").status == 200 and "arama yapılamaz" in ayse.page
    assert ayse.send("join", join="26-0000001-4").status == 503
    assert ayse.get("/call/live?lang=tr").status == 503
    assert ayse.post("/call/draft", {**ayse.hidden(), **SAID}).status == 503, "the browser keeps it"
    sent = ayse.open().send("ticket", **SAID)
    assert sent.status == 303 and "done=later" in sent.headers["Location"], sent
    assert "kendiliğinden" in ayse.page
    number = ayse.number()
    ended = ayse.open().send("end", phone="0532 987 65 41", disposition="information")
    assert ended.status == 303
    # A form from before, sent twice: one ticket.
    twice = [ayse.post("/call/ticket?lang=tr", {**ayse.hidden(), **SAID, "token": token_before}) for _ in range(2)]
    assert {a.status for a in twice} == {303}
    again, = {re.search(r"no=([0-9-]+)", a.headers["Location"]).group(1) for a in twice}
    stranger = Browser(stack, "intake", "/call/")
    assert stranger.try_to_sign_in("veli", stack.other).status == 503, "nobody new is let in"
    stack.kill9("intake")
    stack.restart("postgres")
    stack.restart("intake")
    drained(stack)
    assert stack.sql("select ticket_id from turunc.ticket order by 1") == \
        sorted([(ticket_id(number),), (ticket_id(again),)])
    assert sorted(stack.sql("select agent, disposition, ticket_id, caller from turunc.call"), key=str) == sorted([
        ("ayse", "ticket", ticket_id(number), SAID["phone"]), ("ayse", "ticket", ticket_id(again), SAID["phone"]),
        ("ayse", "information", None, "+905329876541")], key=str)
    assert {actor for actor, in stack.sql("select actor from turunc.event_log where type in ('ticket.opened', 'call.ended')")} \
        == {"user:ayse"}
    check_log(stack)


def test_a_restart_without_the_record_lets_nobody_in(stack):
    ayse = Desk(stack, "ayse", stack.password)
    stack.kill9("postgres")
    stack.kill9("intake")
    stack.restart("intake", wait=False)
    wait_until(lambda: stack.http("intake", "GET", "/healthz").status == 200, 20, "intake answers")
    assert ayse.get("/call/?lang=tr").status == 503
    assert ayse.post("/call/ticket", {**ayse.hidden(), **SAID}).status == 503
