"""Kills under load lose nothing and do nothing twice; and the checker that says so can see."""
import copy
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from ledger import count, ticket_id  # noqa: E402
from storm import Storm  # noqa: E402

KILLS = 1000 if os.environ.get("TURUNC_TEST_LONG") else 200


@pytest.fixture(scope="module")
def storm():
    made = Storm(seed=int(os.environ.get("TURUNC_TEST_SEED", "1")))
    try:
        made.begin()
        made.rage(KILLS)
        made.calm()
        yield made
    except BaseException:
        print(made.stack.failure_report())
        raise
    finally:
        made.close()


def test_nothing_lost_nothing_twice(storm, capsys):
    findings = storm.findings()
    with capsys.disabled():
        print("\n" + storm.table(findings), flush=True)
    assert sum(storm.kills.values()) >= KILLS
    assert findings == []


# --- the checker is shown each kind of damage once -------------------------------------------------

def caught(storm, kind, messages=None):
    return count(storm.findings(messages))[kind]


def test_a_row_removed_from_postgresql_is_caught(storm):
    number = next(number for number in storm.ledger.answers.values() if number)
    row = storm.stack.sql("delete from turunc.ticket where ticket_id = %s returning *", ticket_id(number))[0]
    assert caught(storm, "lost") == 1
    storm.stack.sql(f"insert into turunc.ticket values ({', '.join(['%s'] * len(row))})", *row)
    assert caught(storm, "lost") == 0


def test_a_record_removed_from_a_subscribers_receipts_is_caught(storm):
    for name in ("temizlik", "seyirci"):
        receipts = storm.ledger.receipts[name]
        storm.ledger.receipts[name] = [r for r in receipts if r.seq != receipts[len(receipts) // 2].seq]
        assert caught(storm, "delivery lost") == 1
        storm.ledger.receipts[name] = receipts


def test_records_out_of_order_are_caught(storm):
    receipts = storm.ledger.receipts["park"]
    first = {}
    for receipt in receipts:
        first.setdefault(receipt.seq, receipt)
    storm.ledger.receipts["park"] = list(first.values())[:-2] + list(first.values())[:-3:-1]
    assert caught(storm, "reorder") == 1
    storm.ledger.receipts["park"] = receipts


def test_a_record_of_another_department_is_caught(storm):
    receipts = storm.ledger.receipts["fen-masked"]
    storm.ledger.receipts["fen-masked"] = receipts + [receipts[-1]._replace(department="zabita", previous="")]
    assert caught(storm, "wrong department") == 1
    storm.ledger.receipts["fen-masked"] = receipts + [receipts[-1]._replace(personal=True)]
    assert caught(storm, "personal data") == 1
    storm.ledger.receipts["fen-masked"] = receipts


def test_a_mail_removed_from_the_sink_is_caught(storm):
    messages = storm.messages()
    assert caught(storm, "message lost", messages[1:]) == 1
    assert caught(storm, "told twice", messages + messages[:1]) == 1
    stranger = copy.deepcopy(messages[0])
    stranger.update(fields={}, message_id="<00000000-0000-0000-0000-000000000000@example>")
    assert caught(storm, "message phantom", messages + [stranger]) == 1


def test_a_ticket_nobody_asked_for_is_caught(storm):
    storm.stack.sql("insert into turunc.ticket select 269999999, contact_id, channel, subject_code,"
                    " neighbourhood, legal_basis, public, arrived_us, recorded_us, client"
                    " from turunc.ticket limit 1")
    assert caught(storm, "phantom") == 1
    storm.stack.sql("delete from turunc.ticket where ticket_id = 269999999")


def test_a_step_applied_twice_is_caught(storm):
    ticket = storm.stack.one("select ticket_id from turunc.ticket_state where version > 2 limit 1")
    storm.stack.sql("update turunc.ticket_state set version = version - 1 where ticket_id = %s", ticket)
    assert caught(storm, "applied twice") == 1
    storm.stack.sql("update turunc.ticket_state set version = version + 1 where ticket_id = %s", ticket)


def test_an_answer_that_changed_is_caught(storm):
    key, number = next((k, n) for k, n in storm.ledger.answers.items() if n)
    storm.ledger.changed_answers.append((key, number, "26-0000001-4"))
    assert caught(storm, "applied twice") == 1
    storm.ledger.changed_answers.clear()


def test_an_edited_or_removed_record_of_the_log_is_caught(storm):
    seq = storm.stack.one("select max(seq) / 2 from turunc.event_log")
    storm.stack.sql("update turunc.event_log set actor = actor || 'x' where seq = %s", seq)
    assert caught(storm, "gap") == 1
    storm.stack.sql("update turunc.event_log set actor = left(actor, -1) where seq = %s", seq)
    assert caught(storm, "gap") == 0


def test_a_name_in_the_log_is_caught(storm):
    storm.stack.sql("update turunc.event_log set event = event || 'Defter'::bytea where seq = 1")
    assert caught(storm, "personal data") == 1
