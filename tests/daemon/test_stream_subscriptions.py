"""Subscriptions: taking them, taking them over, moving them, and what rights and histories do."""
import concurrent.futures
import contextlib
import time
import uuid

import psycopg2
import pytest

from proxy import Links
from router_world import bus
from stream_world import (Reader, allow, append, cursor_of, errs, grant,  # noqa: F401
                          head, reader, router)


def test_where_a_subscription_begins(router, reader):
    who = reader().who
    last = append(router, count=10)
    cases = [("resume", {}, last + 1), ("latest", {}, last + 1), ("earliest", {}, 1),
             ("seq", {"from_seq": 3}, 4), ("seq", {"from_seq": 0}, 1),
             ("seq", {"from_seq": last}, last + 1), ("time", {"from_time_us": 0}, 1),
             ("time", {"from_time_us": 4_000_000_000_000_000}, last + 1)]
    for number, (start, more, want) in enumerate(cases):
        one = reader(who=who)
        held = one.subscribe(f"n{number}", start, **more)
        assert isinstance(held, bus.Subscribed) and held.from_seq == want, (start, more, held)
    errs(reader(who=who).subscribe("far", "seq", from_seq=last + 1), "MALFORMED")


def test_a_moment_is_found(router, reader):
    append(router, count=3)
    time.sleep(0.02)
    moment = time.time_ns() // 1000
    wanted = append(router)
    append(router, count=20)
    assert reader().subscribe(start="time", from_time_us=moment).from_seq == wanted


def test_a_moment_is_found_though_a_clock_was_set_back(make_stack):
    stack = make_stack(services=[])
    stack.start()
    moment, second = time.time_ns() // 1000, 1_000_000

    def written(from_s, count):
        """Records of so many seconds on end; the seq before them."""
        return [append(stack, at_us=moment + (from_s + n) * second) for n in range(count)][0] - 1

    written(-2000, 50)
    before = written(0, 30)
    written(-90, 95)                # set back by two minutes: for most of what follows it is earlier again
    assert stack.one("select turunc.seq_before(%s)", moment) == before
    assert stack.one("select turunc.seq_before(%s)", moment + 1000 * second) == head(stack)


MALFORMED = [
    {"name": ""}, {"name": "a" * 65}, {"name": "Büyük"}, {"name": "A"}, {"name": "a b"},
    {"types": ["tick*et"]}, {"types": [""]}, {"types": ["x" * 129]}, {"types": ["a"] * 257},
    {"departments": ["par*"]}, {"departments": [""]}, {"log_id": "not-a-uuid"},
    {"from_seq": 2 ** 63, "start": "seq"},
]


@pytest.mark.parametrize("bad", MALFORMED, ids=[str(i) for i in range(len(MALFORMED))])
def test_what_is_malformed_is_refused(router, reader, bad):
    one = reader()
    errs(one.subscribe(**bad), "MALFORMED")
    assert isinstance(one.subscribe("good"), bus.Subscribed), "the session goes on"


def test_one_subscription_a_session(router, reader):
    one = reader()
    one.subscribe("first")
    errs(one.subscribe("second"), "TOO_MUCH")
    assert cursor_of(router, one.who, "second") is None


def test_a_client_has_sixty_four_at_most(router, reader):
    one = reader()
    router.sql("insert into turunc.consumer_cursor (client, name, log_id, seq, updated_at_us) "
               "select %s, 's' || n, (select log_id from turunc.log_history), 0, 0 "
               "from generate_series(1, 64) n", one.who.name)
    errs(one.subscribe("another"), "TOO_MUCH")
    assert isinstance(one.subscribe("s7", "latest"), bus.Subscribed)


def test_another_filter_needs_replace_and_a_position(router, reader):
    who = reader().who
    first = reader(who=who)
    first.subscribe(types=["ticket.*", "call.ended"], start="latest")
    first.close()
    def again(**more):
        return reader(who=who).subscribe(take_over=True, **more)
    assert isinstance(again(types=["call.ended", "ticket.*", "call.ended"]), bus.Subscribed), \
        "the same in another order"
    errs(again(types=["ticket.*"]), "FILTER_DIFFERS")
    errs(again(types=["ticket.*"], start="latest"), "FILTER_DIFFERS")
    errs(again(types=["ticket.*"], replace=True), "FILTER_DIFFERS")
    errs(again(types=["ticket.*", "call.ended"], departments=["park"], start="latest"),
         "FILTER_DIFFERS")
    assert again(types=["ticket.*"], replace=True, start="earliest").from_seq == 1


def test_a_held_name(router, reader):
    one = reader()
    one.subscribe(start="latest")
    one.give(100)
    last = append(router, count=4)
    one.wait_records(4)
    other = reader(who=one.who)
    refused = errs(other.subscribe(), "IN_USE")
    assert refused.retry_ms > 0 and not refused.fatal
    held = other.subscribe(take_over=True)
    assert held.epoch == one.epoch + 1 and held.from_seq == last - 3
    assert one.wait_error("SUPERSEDED").fatal
    errs(one.ask(ack=bus.Ack(epoch=one.epoch, through_seq=last)), "NO_SESSION")
    assert cursor_of(router, one.who)[0] == last - 4


def test_the_same_instance_takes_over(router, reader):
    one = reader()
    one.subscribe()
    again = reader(who=one.who, instance=one.instance)
    assert again.subscribe().epoch == one.epoch + 1
    one.wait_error("SUPERSEDED")


def test_a_holder_that_says_nothing_is_not_alive(router, reader):
    one = reader()
    one.subscribe()
    begun = time.monotonic()
    other = reader(who=one.who)
    while not isinstance(other.subscribe(), bus.Subscribed):
        assert time.monotonic() - begun < 60
        time.sleep(0.25)
    assert time.monotonic() - begun > 4


def test_another_router_took_it_over(router, reader):
    """As far as this router sees: another instance stands in the record under a later epoch."""
    one = reader()
    one.subscribe(start="latest")
    one.give(10)
    last = append(router, count=2)
    one.wait_records(2)
    router.sql("update turunc.consumer_cursor set epoch = epoch + 1, instance = %s "
               "where client = %s", str(uuid.uuid4()), one.who.name)
    one.send(ack=bus.Ack(epoch=one.epoch, through_seq=last))
    one.wait_error("SUPERSEDED")
    assert cursor_of(router, one.who)[0] == last - 2


TAKE = ("select outcome, held_epoch from turunc.take_subscription(%s, 'all', '{}', '{}', 0::smallint, %s::uuid, 0::smallint, "
        "0, 0, null, false, 0, %s)")


def test_a_take_is_good_for_the_epoch_it_saw(router, reader):
    """Also where there is no row yet, and another one makes it at the same moment."""
    who, mine, late = reader().who, str(uuid.uuid4()), str(uuid.uuid4())
    take = lambda instance, expected: router.sql(TAKE, who.name, instance, expected, user="turunc_router")[0]
    first = psycopg2.connect(router.conninfo("turunc_router"))
    with contextlib.closing(first), concurrent.futures.ThreadPoolExecutor(1) as pool:
        first.cursor().execute(TAKE, (who.name, mine, 0))
        second = pool.submit(take, late, 0)
        router.wait(lambda: router.waiting("%turunc.take_subscription%"), what="the second one waits")
        first.commit()
        assert second.result(60) == (5, 0)
    assert take(late, 0) == (5, 0) and take(late, 7) == (5, 0)
    assert router.one("select instance from turunc.consumer_cursor where client = %s", who.name) == mine
    assert take(mine, 1) == (0, 2)
    assert take(mine, None) == (0, 3), "as the version before asks"


def test_a_take_that_another_one_was_faster_than_is_looked_at_again(router, reader):
    one = reader()
    one.subscribe()
    lost = router.metric("router", "turunc_stream_takes_lost_total")
    other = psycopg2.connect(router.conninfo())
    with contextlib.closing(other):
        other.cursor().execute("update turunc.consumer_cursor set epoch = epoch + 1, instance = %s where client = %s",
                               (str(uuid.uuid4()), one.who.name))
        again = reader(who=one.who, instance=one.instance)
        request = again.send(subscribe=bus.Subscribe(name="all"))
        router.wait(lambda: router.waiting("%turunc.take_subscription%"), what="the take waits")
        other.commit()
        assert again.answer(request).epoch == one.epoch + 2
    assert router.metric("router", "turunc_stream_takes_lost_total") == lost + 1


def test_who_is_never_fast_enough_is_told_to_come_again(make_stack):
    stack = make_stack(services=["router"])
    who = grant(stack, "dept")
    stack.sql("drop function turunc.take_subscription")
    stack.sql("create function turunc.take_subscription(text, text, text[], text[], smallint, uuid, smallint, bigint, bigint, "
              "uuid, boolean, bigint, bigint, out outcome smallint, out held_epoch bigint, out held_seq bigint, "
              "out common_seq bigint, out log uuid) language sql as 'select 5::smallint, 0::bigint, 0::bigint, 0::bigint, "
              "log_id from turunc.log_history'")
    stack.start()
    one = Reader(stack, who)
    refused = errs(one.subscribe(), "UNAVAILABLE")
    assert refused.retry_ms > 0 and not refused.fatal
    assert stack.metric("router", "turunc_stream_takes_lost_total") == 2
    one.close()


def test_a_take_that_the_record_runs_late(make_stack):
    """It was on its way when its router was killed, and its client with it: their successors keep what they took, and
    their position."""
    stack, links = make_stack(services=["router"]), Links()
    who = grant(stack, "dept")
    try:
        folder = stack.link_record(links)
        stack.restart("router", env={"TURUNC_DATABASE": stack.conninfo("turunc_router", folder)})
        former = Reader(stack, who)
        former.subscribe(start="latest")
        former.close()
        unread = append(stack, count=3)
        links.set("record", "withhold", statements=["stream_take"])
        late = Reader(stack, who, former.instance)
        late.send(subscribe=bus.Subscribe(name="all", **{"from": bus.FROM_LATEST}))
        stack.wait(lambda: links.state("record")["held"] == 1, what="the take is on its way")
        gone = [row[0] for row in stack.sql("select pid from pg_stat_activity where datname = current_database() "
                                            "and usename = 'turunc_router'")]
        stack.kill9("router")
        late.close()
        stack.restart("router", env={})
        now = Reader(stack, who)
        assert now.subscribe().from_seq == unread - 2
        links.set("record", "pass")
        stack.wait(lambda: stack.one("select count(*) from pg_stat_activity where pid = any(%s)", gone) == 0,
                   what="the record has heard of all that was on its way")
        now.give(100)
        last = append(stack)
        now.wait_through(last)
        assert now.seqs() == list(range(unread - 2, last + 1))
        assert isinstance(now.ack(), bus.Acked) and now.error is None
        assert cursor_of(stack, who)[:2] == (last, now.epoch)
        now.close()
    finally:
        links.close()


def test_masa_moves_a_live_subscription(router, reader):
    one = reader()
    one.subscribe(start="latest")
    one.give(10)
    last = append(router, count=6)
    one.wait_records(6)
    one.ack()
    router.masa("subs", "seek", one.who.name, "all", last - 3)
    assert one.wait_error("NO_SUBSCRIPTION").fatal
    again = reader(who=one.who, instance=one.instance)
    assert again.subscribe().from_seq == last - 2
    router.masa("subs", "delete", one.who.name, "all")
    again.wait_error("NO_SUBSCRIPTION")
    assert cursor_of(router, one.who) is None


def test_rights_bound_a_filter(router, reader):
    one = reader(types=["ticket.*"], departments=["park", "fen"], personal=0)
    for name, wanted in (("a", {"types": ["call.*"]}), ("b", {"types": ["*"]}),
                         ("c", {"departments": ["temizlik"]}), ("d", {"departments": ["*"]})):
        errs(one.subscribe(name, **wanted), "FORBIDDEN")
        assert cursor_of(router, one.who, name) is None
    assert isinstance(one.subscribe("e", types=["ticket.routed"], departments=["fen"]),
                      bus.Subscribed)
    errs(reader(verbs=["command"]).subscribe(), "FORBIDDEN")
    errs(reader(departments=[]).subscribe(), "FORBIDDEN")


def test_an_empty_filter_is_everything_allowed(router, reader):
    one = reader(types=["ticket.*"], departments=["park"])
    one.subscribe(start="latest")
    one.give(100)
    want = [append(router, "ticket.routed", "park")]
    append(router, "ticket.routed", "fen")
    append(router, "call.ended")
    append(router, "call.ended", "park")
    want.append(append(router, "ticket.transferred", "fen", previous="park"))
    append(router, "ticket.opened")
    one.wait_through(head(router))
    assert one.seqs() == want


def test_rights_narrowed_under_a_subscription(router, reader):
    one = reader(departments=["park", "fen"])
    one.subscribe(start="latest", departments=["park", "fen"])
    one.give(100)
    last = append(router, "ticket.routed", "park")
    one.wait_records(1)
    one.ack()
    allow(router, one.who, departments=["park"])
    assert one.wait_error("FORBIDDEN").fatal
    router.wait(lambda: cursor_of(router, one.who)[2] is not None)
    missed = append(router, "ticket.routed", "fen")
    errs(reader(who=one.who).subscribe(departments=["park", "fen"]), "FORBIDDEN")
    allow(router, one.who, departments=["fen", "park", "zabita"])
    again = reader(who=one.who)
    assert again.subscribe(departments=["park", "fen"]).from_seq == last + 1
    assert cursor_of(router, one.who)[2] is None
    again.give(10)
    again.wait_records(1)
    assert again.seqs() == [missed], "nothing was skipped"


def test_rights_narrowed_while_away(router, reader):
    one = reader()
    one.subscribe(start="latest", types=["call.*"])
    one.close()
    allow(router, one.who, types=["ticket.*"])
    errs(reader(who=one.who, instance=one.instance).subscribe(types=["call.*"]), "FORBIDDEN")
    router.wait(lambda: cursor_of(router, one.who)[2] is not None)


def test_rights_widened_under_a_subscription(router, reader):
    one = reader(departments=["park"])
    one.subscribe(start="latest")
    one.give(10)
    allow(router, one.who, departments=["park", "fen"])
    seq = append(router, "ticket.routed", "fen")
    one.wait_records(1)
    assert one.seqs() == [seq]


def test_everything_allowed_becomes_less(router, reader):
    """Also who asked for all that is allowed is told when that shrinks, and may go on with it."""
    one = reader()
    one.subscribe(start="latest")
    allow(router, one.who, departments=["park"])
    one.wait_error("FORBIDDEN")
    assert isinstance(reader(who=one.who).subscribe(), bus.Subscribed)


def test_a_revoked_key_hears_nothing_more(router, reader):
    one = reader()
    one.subscribe(start="latest", types=["call.*"])
    one.give(100)
    allow(router, one.who, revoked_us=1)
    one.wait_error("REVOKED")
    append(router)
    one.quiet(0.3)
    assert not one.records


def test_the_log_has_another_history(make_stack):
    stack = make_stack(services=["router"])
    who = grant(stack, "dept")
    stack.start()
    append(stack, count=20)
    former = stack.one("select log_id::text from turunc.log_history")

    def open_and_take(name, seq, **more):
        made = Reader(stack, who)
        return made, made.subscribe(name, "seq", from_seq=seq, view=bus.VIEW_NONE, **more)

    ahead, _ = open_and_take("ahead", 18)
    behind, _ = open_and_take("behind", 12)
    stack.sql("insert into turunc.log_history (log_id, base_seq, started_at_us) "
              "values (%s, 15, 1)", str(uuid.uuid4()))
    append(stack)
    for one in (ahead, behind):
        assert one.wait_error("LOG_CHANGED").last_common_seq == 15
    one = Reader(stack, who)
    assert one.welcome.log_id != former
    assert errs(one.subscribe("new", log_id=former), "LOG_CHANGED").last_common_seq == 15
    assert errs(one.subscribe("new", log_id=str(uuid.uuid4())), "LOG_CHANGED").last_common_seq == 0
    assert errs(one.subscribe("ahead"), "LOG_CHANGED").last_common_seq == 15
    assert one.subscribe("behind", log_id=one.welcome.log_id).from_seq == 13
    one.give(100)
    one.wait_through(head(stack))
    assert one.seqs() == list(range(13, head(stack) + 1))
    other = Reader(stack, who)
    assert other.subscribe("ahead", "seq", from_seq=15).from_seq == 16
    for each in (ahead, behind, one, other):
        each.close()
