"""intake while its record is away: what is answered is spooled, told again to those who ask again,
and drained into the record without a loss, a double or a refusal."""
import os
import re
import subprocess
import time

import pytest

from intake_world import (Load, Publisher, add_api_key, call, check_log, event, number_of, post,
                          ticket_id, ticket_request)
from test_intake_faults import OPEN, check_nothing_lost_nothing_twice, drained, resend

SPOOLED, ACCEPTED, DUPLICATE, REJECTED = 2, 1, 3, 4


def spool_of(stack):
    return stack.path("state", "intake", "spool")


def begin(make_stack, **more):
    made = make_stack(services=["intake"], own_postgres=True, env={"intake": {**OPEN, **more}})
    made.key = add_api_key(made, "app")
    made.pbx = made.client("pbx")
    made.start()
    made.wait(lambda: post(made, made.key, headers={"Idempotency-Key": "first"}).status == 201)
    made.wait(lambda: made.metric("intake", "turunc_intake_numbers_aside") == 20000)
    return made


@pytest.fixture
def stack(make_stack):
    return begin(make_stack)


def keyed(stack, key, **fields):
    return post(stack, stack.key, headers={"Idempotency-Key": key}, **fields)


def away(stack):
    """PostgreSQL is killed; from here on answers come from the spool."""
    before = stack.metric("intake", 'turunc_intake_items_total{outcome="spooled"}')
    stack.kill9("postgres")
    stack.wait(lambda: keyed(stack, f"probe-{time.monotonic_ns()}").status == 201
               and stack.metric("intake", 'turunc_intake_items_total{outcome="spooled"}') > before,
               20, "answers from the spool")


def test_goes_on_while_the_record_is_away(stack):
    """Under load: nobody is turned away, and all of it is in the record when that is back."""
    pid = stack.process["intake"].pid
    with Load(stack.port["intake_http"], stack.key) as load:
        for round_number in range(1, 4):
            stack.wait(lambda n=round_number: len(load.created()) >= n * 200, 60)
            away(stack)
            assert stack.http("intake", "GET", "/readyz").status == 200
            before = len(load.created())
            stack.wait(lambda n=before: len(load.created()) > n + 200, 60, "spooled answers")
            stack.restart("postgres")
            drained(stack)
    assert stack.process["intake"].pid == pid
    assert load.statuses() == {201}, "nobody may be turned away"
    stored = dict(stack.sql("select id, ticket_id from turunc.inbound_item where source = 'http'"))
    created = {**load.created(), **{key: number for key, number in stored.items()
                                    if key.startswith(("probe-", "first"))}}
    assert set(created) == set(stored)
    check_nothing_lost_nothing_twice(stack, load.created())
    assert stack.metric("intake", 'turunc_intake_spool_drained_total{as="written"}') > 600


def test_repeats_are_answered_from_the_spool(stack):
    away(stack)
    first = keyed(stack, "again", description="bir")
    again = keyed(stack, "again", description="bir")
    assert number_of(again) == number_of(first)
    assert again.headers["Idempotency-Replayed"] == "true"
    other = keyed(stack, "again", description="iki")
    assert other.status == 400 and "ID_REUSED" in other.body.decode()
    with Publisher(stack, stack.pbx) as bus:
        asked = ticket_request("bus-1", description="Çukur")
        results = [bus.publish(asked)[0] for _ in range(2)]
        assert [result.status for result in results] == [SPOOLED, DUPLICATE]
        assert results[0].ticket == results[1].ticket != ""
        foreign = event("sensor.reading", "s-1")
        foreign.foreign.data = b"\x00\xff"
        assert [r.status for r in bus.publish(call("offered", "c-1"), foreign)] == [SPOOLED] * 2
        stack.restart("postgres")
        drained(stack)
        assert bus.publish(asked)[0].ticket == results[0].ticket
    assert number_of(keyed(stack, "again", description="bir")) == number_of(first)
    stored = {kind: count for kind, count in stack.sql(
        "select type, count(*) from turunc.event_log group by 1")}
    assert stored["call.offered"] == stored["foreign"] == 1
    assert bytes(stack.one("select body from turunc.published_body where type = 'foreign'"
                           " or content_type = 'application/octet-stream'")) == b"\x00\xff"
    check_log(stack)


def test_a_person_s_words_come_through_the_spool_whole(stack):
    away(stack)
    said = {"description": "Işıklar yanmıyor\nşimdi 🕳", "first_name": "Işıl", "last_name": "Çağrı",
            "phone": "0532 123 45 67", "email": "isil@example.org",
            "address_string": "Fener Mah. 1964 Sok."}
    number = number_of(keyed(stack, "words", **said))
    stack.restart("postgres")
    drained(stack)
    row = stack.sql("""select description, name, phone, email, address, latitude, kind
                       from turunc.contact where ticket_id = %s""", ticket_id(number))
    assert row == [(said["description"], "Işıl Çağrı", "+905321234567", said["email"],
                    said["address_string"], 36.872345, "report")]


def test_the_citizens_pages_while_the_record_is_away(stack):
    """A form is taken and gives its number; looking up says that nothing is lost."""
    form = stack.http("intake", "GET", "/report?subject=cadde-supurme").body.decode()
    token = re.search(r'name="token" value="([^"]+)"', form).group(1)
    away(stack)
    sent = [stack.http("intake", "POST", "/report", form={
        "token": token, "service_code": "cadde-supurme", "description": "Süpürülmedi",
        "address_id": "fener", "phone": "0532 123 45 67"}) for _ in range(2)]
    assert [answer.status for answer in sent] == [201, 201]
    numbers = {re.search(r'class="number">([0-9-]+)<', answer.body.decode()).group(1) for answer in sent}
    assert len(numbers) == 1, "sent twice, it is one report"
    look = {"no": numbers.copy().pop(), "digits": "4567"}
    shown = stack.http("intake", "POST", "/track", form=look)
    assert shown.status == 503 and "güvende" in shown.body.decode()
    stack.restart("postgres")
    drained(stack)
    stack.wait(lambda: stack.http("intake", "POST", "/track", form=look).status == 200, 20)


def test_killed_while_the_record_is_away_it_starts_and_goes_on(stack):
    """From its cached catalogue and keys, with numbers set aside, and what it had promised."""
    away(stack)
    told = {f"k-{n}": number_of(keyed(stack, f"k-{n}")) for n in range(20)}
    for _ in range(3):
        stack.kill9("intake")
        stack.start("intake")
        assert number_of(keyed(stack, "k-3")) == told["k-3"], "a repeat, after the restart"
        key = f"k-{len(told)}"
        told[key] = number_of(keyed(stack, key))
    assert len(set(told.values())) == len(told), "a number was given twice"
    assert stack.http("intake", "GET", "/open311/v2/services.json").status == 200
    assert post(stack, "not-a-key").status == 403, "the cached rights are in force"
    with Publisher(stack, stack.pbx) as bus:
        assert bus.publish(call("offered"))[0].status == SPOOLED
    stack.restart("postgres")
    drained(stack)
    check_nothing_lost_nothing_twice(stack, told)


def test_killed_while_draining(stack):
    """kill -9 in the middle of it: each item is in the record once."""
    away(stack)
    with Load(stack.port["intake_http"], stack.key) as load:
        stack.wait(lambda: len(load.created()) >= 1500, 60)
    stack.restart("postgres")
    for _ in range(6):
        stack.wait(lambda: stack.metric("intake", "turunc_intake_spool_items") >= 0)
        stack.kill9("intake")
        stack.start("intake")
    drained(stack)
    check_nothing_lost_nothing_twice(stack, load.created())
    resend(stack, load)
    check_nothing_lost_nothing_twice(stack, load.created())


def test_a_repeat_that_only_the_record_knows_gets_another_name_of_its_ticket(stack):
    first = number_of(keyed(stack, "old"))
    away(stack)
    second = number_of(keyed(stack, "old"))
    assert second != first, "the spool cannot know it"
    reused = number_of(keyed(stack, "first", description="başka bir şey"))
    stack.restart("postgres")
    drained(stack)
    assert stack.sql("select alias_id, ticket_id from turunc.ticket_alias") == [
        (ticket_id(second), ticket_id(first))]
    shown = stack.http("intake", "GET", f"/open311/v2/requests/{second}.json").json()
    assert shown[0]["service_request_id"] == first
    assert stack.one("select count(*) from turunc.ticket where ticket_id = %s", ticket_id(second)) == 0
    # Promised under an identity that has another content in the record: written without it.
    assert stack.one("select description from turunc.contact where ticket_id = %s",
                     ticket_id(reused)) == "başka bir şey"
    assert stack.metric("intake", 'turunc_intake_spool_drained_total{as="alias"}') == 1
    assert stack.metric("intake", 'turunc_intake_spool_drained_total{as="id_reused"}') == 1
    check_log(stack)


def test_a_drained_item_is_never_refused(stack):
    """What the record will not take becomes a raw ticket, under its number, with what was sent."""
    stack.sql("alter table turunc.contact add constraint no_poison "
              "check (description is distinct from 'poison')")
    away(stack)
    numbers = [number_of(keyed(stack, f"p-{n}", description="poison" if n % 3 == 0 else "iyi"))
               for n in range(9)]
    stack.restart("postgres")
    drained(stack)
    rows = stack.sql("""select t.ticket_id, t.subject_code, c.description, b.content_type, b.body
                        from turunc.ticket t join turunc.contact c using (contact_id)
                        left join turunc.published_body b on b.item_id = t.contact_id
                        where t.ticket_id = any(%s) order by 1""",
                     [ticket_id(number) for number in numbers])
    assert len(rows) == 9
    for n, (_, subject, description, content_type, body) in enumerate(rows):
        if n % 3:
            assert (subject, description, body) == ("cadde-supurme", "iyi", None)
        else:
            assert subject == "" and "saklanıyor" in description
            assert content_type == "application/x-protobuf; messageType=turunc.v1.SpooledItem"
            assert b"poison" in bytes(body)
    assert stack.metric("intake", 'turunc_intake_spool_drained_total{as="raw"}') == 3
    check_log(stack)


def test_what_the_record_takes_in_no_shape_stays_in_the_spool(stack):
    stack.sql("""alter table turunc.ticket add constraint none_of_these
                 check (client <> 'app' or recorded_us < 0) not valid""")
    away(stack)
    number = number_of(keyed(stack, "kept"))
    with Publisher(stack, stack.pbx) as bus:
        other = bus.publish(ticket_request(description="x"))[0]
        assert other.status == SPOOLED
    stack.restart("postgres")
    stack.wait(lambda: stack.metric("intake", "turunc_intake_spool_items_set_aside") >= 2, 20)
    stack.wait(lambda: stack.one("select count(*) from turunc.inbound_item where source = 'pbx'"))
    assert "in any shape" in stack.log("intake")
    assert number_of(keyed(stack, "kept")) == number, "it is promised still"
    stack.sql("alter table turunc.ticket drop constraint none_of_these")
    stack.kill9("intake")
    stack.start("intake")
    drained(stack)
    assert stack.one("select count(*) from turunc.ticket where ticket_id = %s", ticket_id(number)) == 1
    check_log(stack)


def test_a_full_spool_turns_away_and_loses_nothing(make_stack):
    stack = begin(make_stack, TURUNC_INTAKE_SPOOL_BYTES="1MiB")
    away(stack)
    with Load(stack.port["intake_http"], stack.key, threads=8) as load:
        stack.wait(lambda: 503 in load.statuses(), 60, "full")
    answer = keyed(stack, "late")
    assert answer.status == 503 and int(answer.headers["Retry-After"]) >= 1
    stack.wait(lambda: stack.http("intake", "GET", "/readyz").status == 503)
    with Publisher(stack, stack.pbx) as bus:
        told = bus.publish(ticket_request(description="x"))
        assert told.WhichOneof("body") == "busy"
    stack.restart("postgres")
    drained(stack)
    assert stack.http("intake", "GET", "/readyz").status == 200
    check_nothing_lost_nothing_twice(stack, load.created())
    resend(stack, load)
    check_nothing_lost_nothing_twice(stack, load.created())


def test_a_disk_that_fails_turns_away_and_heals(make_stack):
    """The spool's disk is full for real (a tiny file system): 503, nothing lost, and on again."""
    if os.geteuid() != 0:
        pytest.fail("mounting a file system needs root")
    stack = make_stack(services=["intake"], own_postgres=True, env={"intake": OPEN})
    stack.key = add_api_key(stack, "app")
    small = spool_of(stack)
    os.makedirs(small, mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "turunc-test", small], check=True)
    try:
        stack.start()
        stack.wait(lambda: keyed(stack, "first").status == 201)
        away(stack)
        with Load(stack.port["intake_http"], stack.key, threads=8) as load:
            stack.wait(lambda: 503 in load.statuses(), 60, "the disk is full")
            stack.wait(lambda: len(load.answers) > len(load.created()) + 20, 60)
        assert stack.metric("intake", 'turunc_intake_spool_refused_total{why="disk"}') > 0
        assert stack.process["intake"].running()
        stack.restart("postgres")
        drained(stack)
        check_nothing_lost_nothing_twice(stack, load.created())
        resend(stack, load)
        check_nothing_lost_nothing_twice(stack, load.created())
        away(stack)  # the space is there again
        stack.restart("postgres")
        drained(stack)
        assert stack.terminate("intake") == 0
    finally:
        subprocess.run(["umount", "--lazy", small], check=True)


def test_a_slow_record_is_not_waited_for(stack):
    """PostgreSQL answers to nobody but is there: after TURUNC_INTAKE_WAIT what waits is spooled."""
    stack.wait(lambda: stack.metric("intake", "turunc_intake_spool_items") == 0)
    pids = [row[0] for row in stack.sql(
        "select pid from pg_stat_activity where usename = 'turunc_intake'")]
    for pid in pids:
        os.kill(pid, 19)  # SIGSTOP
    try:
        began = time.monotonic()
        with Load(stack.port["intake_http"], stack.key, threads=8) as load:
            stack.wait(lambda: len(load.created()) >= 8, 20, "answers in spite of it")
            print(f"answers after {time.monotonic() - began:.1f} s")
    finally:
        for pid in pids:
            os.kill(pid, 18)  # SIGCONT
    drained(stack)
    stack.wait(lambda: stack.metric("intake", "turunc_intake_items_held") == 0)
    check_nothing_lost_nothing_twice(stack, load.created())
