"""masa log verify: a superuser tampers with the history in each way there is, and it says where."""
import json
import os

import pytest

OK, FAILED, USAGE = 0, 1, 2
BATCHES, SIZE = 12, 3

EDIT = "update turunc.event_log set {} where seq = {}"
# What an attacker who knows the scheme does after an edit: every hash from a batch on is computed anew.
RECHAIN = """do $$
declare b record; former bytea;
begin
  select hash into former from turunc.log_batch where last_seq < {0} order by last_seq desc limit 1;
  for b in select * from turunc.log_batch where last_seq >= {0} order by last_seq loop
    select sha256(coalesce(former, ''::bytea) || string_agg(turunc.record_hash(seq, committed_at_us, type,
             ticket_id, department, previous_department, actor, event), ''::bytea order by seq))
      into former from turunc.event_log where seq between b.first_seq and b.last_seq;
    update turunc.log_batch set hash = former where last_seq = b.last_seq;
  end loop;
end $$"""


@pytest.fixture(scope="module")
def record():
    """A record whose log is BATCHES batches of SIZE records and nothing else."""
    from stack import Stack
    with Stack(services=(), config=None) as made:
        for batch in range(BATCHES):
            made.sql("select turunc.log_append(%s, array_fill('foreign'::text, array[3]), array[%s, null, 7]::bigint[],"
                     " array['fen', null, 'park'], array[null, null, 'fen'], array['user:a', 'user:b', 'user:c'],"
                     " array['one', 'two', 'three']::bytea[])", 1000 + batch, batch)
        made.sql("create table kept_log as table turunc.event_log")
        made.sql("create table kept_batch as table turunc.log_batch")
        yield made


@pytest.fixture(autouse=True)
def as_written(record):
    """The history as it was, and no head remembered."""
    yield
    record.sql("truncate turunc.event_log, turunc.log_batch")
    record.sql("insert into turunc.event_log select * from kept_log")
    record.sql("insert into turunc.log_batch select * from kept_batch")
    forget(record)


def forget(record):
    heads = record.path("state", "masa", "log-heads")
    if os.path.exists(heads):
        os.remove(heads)


def verify(record, *words):
    """(exit code, what it said)"""
    done = record.masa("log", "verify", "--json", *words, check=False)
    return done.returncode, json.loads(done.stdout)


def faults(said):
    return [(fault["from"], fault["through"], fault["fault"]) for fault in said["faults"]]


def test_a_history_as_written_is_right(record):
    code, said = verify(record)
    assert code == OK and said["right"] is True and said["faults"] == [] and said["fault"] == ""
    assert (said["records"], said["batches"]) == (BATCHES * SIZE, BATCHES)
    assert said["head_hash"] == record.one("select encode(hash, 'hex') from turunc.log_batch"
                                           " order by last_seq desc limit 1")


ONE = {
    "an actor edited": ([EDIT.format("actor = 'user:x'", 11)], (10, 12), "records of this batch"),
    "a time edited": ([EDIT.format("committed_at_us = committed_at_us + 1", 10)], (10, 12), "records of"),
    "a type edited": ([EDIT.format("type = 'ticket.opened'", 12)], (10, 12), "records of this batch"),
    "a ticket edited": ([EDIT.format("ticket_id = 8", 12)], (10, 12), "records of this batch"),
    "a department edited": ([EDIT.format("department = null", 12)], (10, 12), "records of this batch"),
    "a former department edited": ([EDIT.format("previous_department = 'fenx'", 12)], (10, 12), "records of"),
    "a body edited": ([EDIT.format("event = event || ' '::bytea", 11)], (10, 12), "records of this batch"),
    "two records swapped": (["update turunc.event_log e set actor = o.actor, event = o.event, ticket_id = o.ticket_id,"
                             " department = o.department, previous_department = o.previous_department"
                             " from turunc.event_log o where (e.seq, o.seq) in ((10, 11), (11, 10))"],
                            (10, 12), "records of this batch"),
    "the first batch edited": ([EDIT.format("actor = 'user:x'", 1)], (1, 3), "records of this batch"),
    "the last batch edited": ([EDIT.format("actor = 'user:x'", 36)], (34, 36), "does not fit its records"),
    "a record dropped": (["delete from turunc.event_log where seq = 11"], (11, 11), "record 11 is missing"),
    "a batch's first dropped": (["delete from turunc.event_log where seq = 10"], (10, 10), "10 is missing"),
    "a batch's last dropped": (["delete from turunc.event_log where seq = 12"], (12, 12), "12 is missing"),
    "the very last dropped": (["delete from turunc.event_log where seq = 36"], (36, 36), "36 is missing"),
    "the very first dropped": (["delete from turunc.event_log where seq = 1"], (1, 1), "1 is missing"),
    "a batch's records dropped": (["delete from turunc.event_log where seq between 10 and 12"],
                                  (10, 12), "3 records are missing"),
    "a batch dropped whole": (["delete from turunc.event_log where seq between 10 and 12",
                               "delete from turunc.log_batch where last_seq = 12"],
                              (10, 15), "3 of 3 records are missing"),
    "a batch and half its records dropped": (["delete from turunc.event_log where seq between 10 and 11",
                                              "delete from turunc.log_batch where last_seq = 12"],
                                             (10, 15), "2 of 3 records are missing"),
    "a batch's row dropped": (["delete from turunc.log_batch where last_seq = 12"], (10, 12), "its row is missing"),
    "the first batch's row dropped": (["delete from turunc.log_batch where last_seq = 3"],
                                      (1, 3), "its row is missing"),
    "two batches' rows dropped": (["delete from turunc.log_batch where last_seq in (12, 15)"],
                                  (10, 18), "its row is missing"),
    "the last batch's row dropped": (["delete from turunc.log_batch where last_seq = 36"],
                                     (34, 36), "records 34-36 belong to no batch"),
    "a record put behind the end": (["insert into turunc.event_log (seq, committed_at_us, type, actor, event)"
                                     " values (37, 0, 'foreign', 'x', '')"], (37, 37), "37 belongs to no batch"),
    "a record put before the start": (["insert into turunc.event_log (seq, committed_at_us, type, actor, event)"
                                       " values (0, 0, 'foreign', 'x', '')"], (0, 0), "0 belongs to no batch"),
    "a batch put behind the end": (["insert into turunc.log_batch values (38, 37, sha256('x'))"],
                                   (37, 38), "2 records are missing"),
    "a batch put over others": (["insert into turunc.log_batch values (11, 10, sha256('x'))",
                                 "delete from turunc.log_batch where last_seq = 12",
                                 "insert into turunc.log_batch values (12, 12, sha256('y'))"],
                                (10, 11), "does not fit"),
    "a batch put beside another": (["insert into turunc.log_batch values (14, 11, sha256('x'))"],
                                   (11, 14), "where 13 comes next"),
    "a hash edited": (["update turunc.log_batch set hash = sha256('x') where last_seq = 12"],
                      (10, 12), "the hash of this batch was changed"),
    "a hash cut short": (["update turunc.log_batch set hash = '\\x00' where last_seq = 12"],
                         (10, 12), "the hash of this batch was changed"),
    "the last hash edited": (["update turunc.log_batch set hash = sha256('x') where last_seq = 36"],
                             (34, 36), "does not fit its records"),
}


@pytest.mark.parametrize("name", ONE)
def test_it_says_where(record, name):
    statements, where, words = ONE[name]
    for statement in statements:
        record.sql(statement)
    code, said = verify(record)
    assert code == FAILED and said["right"] is False
    first = faults(said)[0]
    assert first[:2] == where and words in first[2], faults(said)
    assert f"{where[0]}-{where[1]}" in said["fault"]
    # Nothing but the place itself is blamed.
    if name not in ("a batch put over others",):
        assert len(said["faults"]) == 1, faults(said)
    assert not os.path.exists(record.path("state", "masa", "log-heads"))


def test_a_record_slipped_in_between_shows_from_there_on(record):
    """All later records and batches moved by one: each number is part of what was hashed."""
    record.sql("update turunc.event_log set seq = seq + 1001 where seq > 11")
    record.sql("update turunc.event_log set seq = seq - 1000 where seq > 1000")
    record.sql("insert into turunc.event_log select 12, committed_at_us, type, ticket_id, department,"
               " previous_department, actor, event from turunc.event_log where seq = 2")
    record.sql("update turunc.log_batch set last_seq = -last_seq - 1, first_seq = first_seq + (last_seq > 12)::int"
               " where last_seq > 11")
    record.sql("update turunc.log_batch set last_seq = -last_seq where last_seq < 0")
    code, said = verify(record)
    assert code == FAILED
    assert [fault[:2] for fault in faults(said)] == [(10, 13)] + [(n, n + 2) for n in range(14, 37, 3)]


def test_each_of_several_places_is_named(record):
    record.sql(EDIT.format("actor = 'user:x'", 5))
    record.sql("delete from turunc.event_log where seq = 20")
    record.sql("update turunc.log_batch set hash = sha256('x') where last_seq = 30")
    _, said = verify(record)
    assert [fault[:2] for fault in faults(said)] == [(4, 6), (20, 20), (28, 30)]


def test_a_history_computed_anew_shows_against_a_head_that_was_seen(record):
    _, before = verify(record)
    forget(record)
    record.sql(EDIT.format("actor = 'user:x'", 11))
    record.sql(RECHAIN.format(12))
    code, said = verify(record)
    assert code == OK, "the chain alone cannot know: the test no longer rewrites all of it"
    forget(record)
    code, said = verify(record, "--head", f"{before['records']}:{before['head_hash']}")
    assert code == FAILED and "written anew" in said["fault"] and faults(said)[0][:2] == (1, 36)
    assert verify(record, "--head", f"36:{record.one('select encode(hash, $$hex$$) from turunc.log_batch where last_seq = 36')}")[0] == OK


def test_earlier_checks_say_between_which_records_it_was_done(record):
    """Checks of the past are remembered outside the database: before batch 4, and at the end."""
    record.sql("delete from turunc.event_log where seq > 9")
    record.sql("delete from turunc.log_batch where last_seq > 9")
    assert verify(record)[0] == OK
    record.sql("insert into turunc.event_log select * from kept_log where seq > 9")
    record.sql("insert into turunc.log_batch select * from kept_batch where last_seq > 9")
    assert verify(record)[0] == OK
    record.sql(EDIT.format("actor = 'user:x'", 20))
    record.sql(RECHAIN.format(21))
    code, said = verify(record)
    assert code == FAILED and faults(said)[0][:2] == (10, 36) and "written anew" in said["fault"]
    assert said["witnesses"] == 2


def test_a_cut_end_shows_against_a_head_that_was_seen(record):
    _, before = verify(record)
    record.sql("delete from turunc.event_log where seq > 30")
    record.sql("delete from turunc.log_batch where last_seq > 30")
    code, said = verify(record)
    assert code == FAILED and faults(said) == [(31, 36, "the log ends at 30 but once reached 36")]
    forget(record)
    code, said = verify(record, "--head", f"36:{before['head_hash']}")
    assert code == FAILED and faults(said)[0][:2] == (31, 36)
    forget(record)
    assert verify(record)[0] == OK


def test_an_unbelievable_number_of_faults_ends_the_search(record):
    for batch in range(60):
        record.sql("select turunc.log_append(0, array['foreign'], array[null]::bigint[], array[null]::text[],"
                   " array[null]::text[], array['user:a'], array['x']::bytea[])")
    record.sql("delete from turunc.event_log where seq > 36")
    _, said = verify(record)
    assert len(said["faults"]) == 50


def test_dry_run_remembers_nothing_and_heads_are_checked_for_shape(record):
    verify(record, "--dry-run")
    assert not os.path.exists(record.path("state", "masa", "log-heads"))
    for head in ("36", "36:abc", ":" + "0" * 64, "0:" + "0" * 64, "x:" + "0" * 64, "36:" + "g" * 64):
        done = record.masa("log", "verify", "--head", head, check=False)
        assert done.returncode == USAGE and "--head is SEQ:HASH" in done.stderr, head


def test_the_heads_kept_have_a_bound_and_damage_to_them_is_passed_over(record):
    verify(record)
    heads = record.path("state", "masa", "log-heads")
    with open(heads, encoding="ascii") as file:
        line = file.read()
    verify(record)
    with open(heads, encoding="ascii") as file:
        assert file.read() == line, "the same head is noted once"
    with open(heads, "w", encoding="ascii") as file:
        file.write("nonsense\n" * 2000 + "x" * 5000 + "\n")
    code, said = verify(record)
    assert code == OK and said["witnesses"] == 0
    with open(heads, encoding="ascii") as file:
        lines = file.read().splitlines()
    assert len(lines) <= 512 and lines[-1] + "\n" == line
