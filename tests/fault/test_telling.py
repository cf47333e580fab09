"""Tickets told through gateways that fail in every way: none lost, none doubled; and that would show."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import telling  # noqa: E402

TICKETS = 10_000 if os.environ.get("TURUNC_TEST_LONG") else 250


@pytest.fixture(scope="module")
def played():
    made = telling.Played(TICKETS, seed=int(os.environ.get("TURUNC_TEST_SEED", "1")))
    try:
        made.play()
        yield made
    except BaseException:
        print(made.world.stack.failure_report())
        raise
    finally:
        made.close()


def test_nothing_is_lost_or_doubled(played):
    figures, findings = played.account()
    print(telling.table(figures))
    shown = dict(figures)
    assert findings == [] and shown["doubled"] == shown["lost"] == 0
    assert shown["received, say the servers"] == shown["sent, says the record"] > 2.5 * TICKETS
    assert shown["kills of the notifier"] >= 1 and shown["  deferred"] > TICKETS / 10, "it was no test"
    assert shown["by SMS because mail did not reach the address"] > 0


def test_the_account_would_show_it(played):
    sent = {row[0] for row in played.rows() if row[4] == 3}  # what came back, or is in doubt, may be missing
    twice, gone = [mail for mail in played.world.mail.taken if mail.id in sent][:2]
    played.world.mail.taken.append(twice)
    figures, findings = played.account()
    assert dict(figures)["doubled"] >= 1 and any("arrived 2 times" in finding for finding in findings)
    played.world.mail.taken[:] = [mail for mail in played.world.mail.taken[:-1] if mail.id != gone.id]
    figures, findings = played.account()
    assert dict(figures)["lost"] >= 1 and any("never arrived" in finding for finding in findings)
    played.world.mail.taken.append(gone)
