"""The ledger of calls: a row for each, whatever order its events come in; and who called is erasable."""
import itertools
import json

import pytest

from intake_world import Publisher, add_api_key, call, check_log, post, ticket_id, ticket_request
from stack import Stack
from test_intake_spool import away, drained

ACCEPTED, DUPLICATE = 1, 3
CALLER, NUMBER = "0532 987 65 43", "+905329876543"
LEDGER = """select queue, agent, caller, offered_us, answered_us, abandoned_us, ended_us, disposition, ticket_id,
                   first_us from turunc.call where client = %s and call_id = %s"""


@pytest.fixture(scope="module")
def stack():
    with Stack(services=["intake"]) as made:
        made.pbx, made.other = made.client("pbx"), made.client("other")
        made.start()
        yield made


def life(call_id, base_us):
    """What an exchange and a call-taker say of one call, in the order in which it happened."""
    said = [call("offered", queue="masa", caller=CALLER, agent="ali"),
            call("offered", queue="masa", caller=CALLER, agent="ayse"),
            call("answered", queue="masa", agent="ayse"),
            call("ended", agent="ayse"),
            call("ended", agent="ayse", disposition="nuisance"),
            call("ended", agent="ayse", disposition="information")]
    for n, one in enumerate(said):
        one.call.call_id, one.time_us = call_id, base_us + n * 1_000_000
    return said


def ledger(stack, call_id, client="pbx"):
    return stack.sql(LEDGER, client, call_id)


def test_any_order_gives_the_same_row(stack):
    base = stack.one("select (extract(epoch from now()) * 1000000)::bigint") - 60_000_000
    with Publisher(stack, stack.pbx) as pbx:
        for n, order in enumerate(itertools.permutations(range(6))):
            if n % 24 == 0 or n < 24:  # 53 of 720, one by one and in one batch
                said = life(f"order-{n}", base)
                for part in ([said[k] for k in order],) if n % 2 else ([said[k]] for k in order):
                    assert {r.status for r in pbx.publish(*part)} == {ACCEPTED}
                assert {r.status for r in pbx.publish(*said)} == {DUPLICATE}
                assert ledger(stack, f"order-{n}") == [
                    ("masa", "ayse", NUMBER, base, base + 2_000_000, None, base + 3_000_000,
                     "information", None, base)], order
    assert stack.one("select count(*) from turunc.call") == 53
    check_log(stack)


def test_one_exchange_says_nothing_of_another_s_calls(stack):
    with Publisher(stack, stack.pbx) as pbx, Publisher(stack, stack.other) as other:
        for publisher, caller in ((pbx, "02423211111"), (other, "02423222222")):
            one = call("offered", caller=caller)
            one.call.call_id = "same-id"
            assert publisher.publish(one)[0].status == ACCEPTED
    assert [ledger(stack, "same-id", c)[0][2] for c in ("pbx", "other")] == ["+902423211111", "+902423222222"]


def test_the_ticket_of_a_call(stack):
    with Publisher(stack, stack.pbx) as pbx:
        number = pbx.publish(ticket_request(description="x", channel=1, call_id="c-5"))[0].ticket
        one = call("ended", disposition="ticket", ticket=number, caller="anonymous")
        one.call.call_id = "c-5"
        assert pbx.publish(one)[0].status == ACCEPTED
    row, = ledger(stack, "c-5")
    assert row[2] == "anonymous" and row[7:9] == ("ticket", ticket_id(number))


def test_what_is_refused_says_nothing(stack):
    with Publisher(stack, stack.pbx) as pbx:
        first = call("offered", caller="02423233333", queue="masa")
        first.call.call_id = "c-reused"
        changed = type(first).FromString(first.SerializeToString())
        changed.call.queue = "other"
        changed.time_us += 1
        results = pbx.publish(first, changed)
        assert results[0].status == ACCEPTED and results[1].error.startswith("ID_REUSED")
    assert ledger(stack, "c-reused")[0][0] == "masa"


def test_a_caller_is_exported_and_erased(stack):
    with Publisher(stack, stack.pbx) as pbx:
        said = call("offered", caller="0535 444 33 22", queue="masa")
        said.call.call_id = "c-erase"
        assert pbx.publish(said)[0].status == ACCEPTED
        stack.sql("insert into turunc.call_draft (agent, form_id, saved_us, caller, fields) values "
                  "('ayse', 'f', 1, '+905354443322', 'name=Ay%%C5%%9Fe')")
        held = json.loads(stack.masa("citizen", "export", "05354443322"))
        assert [c["caller"] for c in held["calls"]] == ["+905354443322"] and len(held["call_bodies"]) == 1
        assert held["drafts"][0]["agent"] == "ayse" and held["contacts"] == []
        done = json.loads(stack.masa("citizen", "erase", "05354443322", "--reason", "KVKK 11", "--confirm", "0", "--json"))
        assert done["calls"] == 1 and done["drafts"] == 1
        assert ledger(stack, "c-erase")[0][2] is None
        assert stack.one("select count(*) from turunc.published_body where position('4443322'::bytea in body) > 0") == 0
        assert stack.one("select count(*) from turunc.call_draft where caller <> ''") == 0
        told = json.loads(stack.masa("citizen", "destructions", "--json"))[0]
        assert (told["calls"], told["drafts"]) == (1, 1)
        late = call("answered", caller="0535 444 33 22", agent="ayse")
        late.call.call_id = "c-erase"
        assert pbx.publish(late)[0].status == ACCEPTED
    assert ledger(stack, "c-erase")[0][1:3] == ("ayse", None), "what comes late does not bring them back"
    assert stack.one("select count(*) from turunc.published_body where position('4443322'::bytea in body) > 0") == 0
    assert stack.masa("citizen", "export", "05354443322", check=False).returncode == 3


def test_calls_are_spooled_with_the_rest(make_stack):
    made = make_stack(services=["intake"], own_postgres=True)
    made.key, made.pbx = add_api_key(made, "app"), made.client("pbx")
    made.start()
    made.wait(lambda: post(made, made.key).status == 201)
    with Publisher(made, made.pbx) as pbx:
        base = made.one("select (extract(epoch from now()) * 1000000)::bigint") - 60_000_000
        away(made)
        said = life("c-spooled", base)
        assert {r.status for r in pbx.publish(*said)} == {2}
        made.kill9("intake")
    made.restart("postgres")
    made.restart("intake")
    drained(made)
    assert ledger(made, "c-spooled") == [("masa", "ayse", NUMBER, base, base + 2_000_000, None, base + 3_000_000,
                                          "information", None, base)]
    check_log(made)
