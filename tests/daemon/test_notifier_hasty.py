"""A gateway that is quicker than the record: it tells what became of a text, or brings what a citizen answers to it,
before the notifier has written down that the text was taken."""
import concurrent.futures
import contextlib
import json
import threading
import time

import psycopg2
import pytest
from notifier_world import World
from process import within
from router_world import Opener
from sms_providers import Hasty

SECRET = "acele-eden-bir-saglayici"
HELD = 8            # callbacks that wait for the record at one time
phones = iter(range(5331000000, 5331999999))


class Quick:
    def __init__(self, folder):
        self.gateway = Hasty()
        secret = folder / "call"
        secret.write_text(SECRET + "\n")
        secret.chmod(0o600)
        self.world = World(TURUNC_SMS_URL=self.gateway.url, TURUNC_SMS_CALLBACK_SECRET_FILE=str(secret),
                           TURUNC_SMS_STORE_DIR=str(folder / "texts"))
        self.stack = self.world.stack
        self._pool = concurrent.futures.ThreadPoolExecutor(32)

    def open(self, before):
        """A ticket of a new phone; before(its first text's id) is called while the notifier waits for the answer."""
        phone = f"+90{next(phones)}"
        self.gateway.before[phone] = before
        return self.world.open(phone=phone)[0], phone

    @contextlib.contextmanager
    def being_sent(self):
        """The number and first text's id of a ticket that is being told of its opening, for as long as this lasts."""
        go, ids = threading.Event(), []

        def before(own_id):
            ids.append(own_id)
            go.wait(300)
        number, _ = self.open(before)
        try:
            self.stack.wait(lambda: ids, what="it is being sent")
            yield number, ids[0]
        finally:
            go.set()

    def say(self, *said):
        return self.stack.http("notifier", "POST", f"/receipts/generic/{SECRET}", body=json.dumps(said),
                               headers={"Content-Type": "application/json"})

    def say_until_taken(self, *said):
        """What it was answered: as often as it had to come again, and that it was taken."""
        answers = [self.say(*said).status]
        while answers[-1] == 503 and len(answers) < 100:
            answers.append(self.say(*said).status)
        return answers

    def beside(self, call, *said):
        return self._pool.submit(call, *said)

    def held(self):
        return self.stack.metric("notifier", "turunc_notifier_callbacks_held_total") or 0

    def early(self):
        return self.stack.metric("notifier", 'turunc_notifier_callbacks_total{outcome="early"}')

    def kinds(self, own_id):
        return [kind for kind, _ in self.world.outcomes().get(own_id, [])]

    def close(self):
        clean = self.world.close()
        self.gateway.stop()
        self._pool.shutdown()
        return clean


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    one = Quick(tmp_path_factory.mktemp("quick"))
    yield one
    assert one.gateway.refused == []
    assert one.close(), "a service did not stop cleanly"


@pytest.fixture(autouse=True)
def settled(quick):
    yield
    quick.world.wait_settled()


def failed(own_id):
    return {"id": own_id, "status": "failed"}


def check_failed_once(quick, number, receipt):
    own_id = quick.world.wait_state(number, "opened", "dead")[3]
    assert quick.say(receipt).status == 200, "what is known is taken again"
    assert quick.kinds(own_id) == ["notification.sent", "notification.failed"]


def test_a_receipt_before_the_answer_counts(quick):
    before, calls = quick.held(), []

    def tell(own_id):
        calls.append(quick.beside(quick.say_until_taken, failed(own_id)))
        quick.stack.wait(lambda: quick.held() > before or calls[0].done(), what="the callback is held")
    number, _ = quick.open(tell)
    check_failed_once(quick, number, failed(quick.world.wait_state(number, "opened", "dead")[3]))
    answers = calls[0].result()
    assert answers[-1] == 200 and quick.held() == before + len(answers)


@pytest.mark.parametrize("name", ["id", "reference"])
def test_a_receipt_by_a_reference_that_is_not_written_down_yet_counts(quick, name):
    """Its answer is here; the log's lock is another's."""
    ids, before = [], quick.held()
    holder = psycopg2.connect(quick.stack.conninfo())

    def hold_log(own_id):
        holder.cursor().execute("select pg_advisory_xact_lock(7301)")
        ids.append(own_id)
    try:
        number, _ = quick.open(hold_log)
        quick.stack.wait(lambda: quick.stack.waiting("WITH u AS%"), what="its outcome is being written down")
        receipt = {name: Hasty.reference(ids[0]), "status": "failed"}
        call = quick.beside(quick.say_until_taken, receipt)
        # Its look may also stand behind what waits for the lock, on the same connection.
        within(lambda: quick.held() > before or call.done(), 3)
        holder.rollback()
    finally:
        holder.close()
    check_failed_once(quick, number, receipt)
    assert call.result()[-1] == 200


def test_who_is_still_waiting_for_the_record_comes_again(quick):
    """As does one that tells before it answers, and waits for us meanwhile."""
    other, _ = quick.open(lambda own_id: None)
    other_id = quick.world.wait_state(other, "opened", "sent")[3]
    with quick.being_sent() as (number, own_id):
        early, phone, began = quick.early() or 0, f"+90{next(phones)}", time.monotonic()
        answer = quick.say({"id": Hasty.reference(own_id), "status": "failed"})
        assert answer.status == 503 and int(answer.headers["Retry-After"]) >= 1
        assert time.monotonic() - began >= 1, "it was held"
        # What can be taken is.
        assert quick.say({"id": other_id, "status": "delivered"}, failed(own_id),
                         {"from": phone, "text": "merhaba", "id": "m1"}).status == 503
        assert quick.world.state(other, "opened") == "delivered" and quick.world.state(number, "opened") == "sending"
        quick.stack.wait(lambda: quick.stack.one("select count(*) from turunc.contact where phone = %s", phone) == 1,
                         what="the text is kept")
        assert quick.early() == early + 2
        assert quick.say({"id": own_id, "status": "accepted"}).status == 200 and quick.early() == early + 2, \
            "what its answer will say is no news"
    quick.world.wait_state(number, "opened", "sent")
    assert quick.say(failed(own_id)).status == 200
    check_failed_once(quick, number, failed(own_id))


def test_nobodys_reference_is_taken_however_much_is_being_sent(quick):
    stranger, newcomer = ({"id": f"baskasinin-{n}", "status": "failed"} for n in range(2))
    assert quick.say(stranger).status == 200, "nothing is being sent"
    with contextlib.ExitStack() as later:
        with quick.being_sent() as (first, own_id):
            assert quick.say(stranger).status == 503, "it may be of this one"
            second, _ = later.enter_context(quick.being_sent())
            assert quick.say(stranger).status == 503
        quick.world.wait_state(first, "opened", "sent")
        early = quick.early()
        assert quick.say(stranger).status == 200, "what was being sent when it first came has ended"
        assert quick.say(newcomer).status == 503 and quick.early() == early + 1
        assert quick.say(failed(own_id)).status == 200 and quick.world.state(first, "opened") == "dead"
        assert quick.world.state(second, "opened") == "sending"


def test_who_is_held_leaves_room_for_others(quick):
    number, _ = quick.open(lambda own_id: None)
    own_id = quick.world.wait_state(number, "opened", "sent")[3]
    with quick.being_sent():
        before = quick.held()
        calls = [quick.beside(quick.say, {"id": f"yabanci-{n}", "status": "failed"}) for n in range(2 * HELD)]
        quick.stack.wait(lambda: quick.held() >= before + HELD and sum(call.done() for call in calls) >= HELD,
                         what="half of them are held, and the others were sent away")
        assert quick.say(failed(own_id)).status == 200
        assert {call.result().status for call in calls} == {503}
    check_failed_once(quick, number, failed(own_id))


def test_what_a_citizen_answers_at_once_belongs_to_their_ticket(quick):
    phone, answers = f"+90{next(phones)}", []
    quick.gateway.before[phone] = lambda own_id: answers.append(
        quick.say({"from": phone, "text": "Çok çabuk oldu", "id": "m2"}).status)
    number = quick.world.open(phone=phone)[0]
    quick.world.wait_state(number, "opened", "sent")
    assert answers == [200]
    texts = "select description, ticket_id from turunc.contact where kind = 'sms' and phone = %s"
    quick.stack.wait(lambda: quick.stack.sql(texts, phone), what="it is on file")
    assert quick.stack.sql(texts, phone) == [("Çok çabuk oldu", Opener.id_of(number))]
