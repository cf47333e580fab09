"""Digests: in working time, one a recipient and window, whatever dies and whatever is down."""
import datetime

import pytest

from process import wait_until
from router_world import DAY_US, Opener
from stack import Stack
from standing_clock import StandingClock

HOUR_US = 3600 * 10**6
MINUTE_US = 60 * 10**6
ISTANBUL = datetime.timezone(datetime.timedelta(hours=3))
WEDNESDAY = int(datetime.datetime(2026, 11, 25, 8, 50, tzinfo=ISTANBUL).timestamp()) * 10**6
ABOVE, DESK = "baskan-yardimcisi@muratpasa.example", "halkla-iliskiler@muratpasa.example"


def address(department):
    return f"{department}@muratpasa.example"


class World:
    def __init__(self, stack, clock):
        self.stack, self.clock = stack, clock
        self.opener = Opener(stack, clock=clock)
        self.seen = 0

    def to(self, day, hour, minute=0):
        """Forward to that time of day, so many days after the Wednesday; then all have looked there."""
        at = WEDNESDAY + day * DAY_US + (hour * 60 + minute - 530) * MINUTE_US
        self.clock.advance(at - self.clock.at_us)
        # Alarms that have come by then go off first, for they are what is reminded of.
        wait_until(lambda: self.stack.one("""select count(*) from turunc.ticket_clock
            where state = 1 and next_alarm_us <= %s""", at) == 0, 20, "the alarms have gone off")

    def reminders(self):
        return self.stack.sql("""select recipient, state, tickets, attempts from turunc.reminder
            order by window_us desc, recipient""")

    def window_made(self, count_of_windows):
        """Every department that works has its rows of so many windows, and nothing waits to be sent."""
        def made():
            self.clock.advance(10**5)   # pauses before another try are those of this clock
            return self.stack.one("""select count(distinct window_us) from turunc.reminder
                where recipient = 'yazi@muratpasa.example'""") == count_of_windows and self.stack.one(
                    "select count(*) from turunc.reminder where state in (1, 2)") == 0
        wait_until(made, 20, "the window was made")

    def start_sink(self):
        self.stack.start("sink", wait=False)

        def answers():
            try:
                return self.stack.messages() is not None
            except ValueError:     # nobody there
                return False
        wait_until(answers, 20, "the sink is back")

    def tried(self, times):
        """The digests are queued, and fen's was tried so often; its pauses are those of a clock that stands."""
        self.clock.advance(10**6)
        return any(r == address("fen") and s == 1 and a >= times for r, s, _, a in self.reminders())

    def mails(self):
        """{recipient: mail} of those that came since the last time, one to each."""
        came = self.stack.messages(self.seen)
        new = [m for m in came if m["kind"] == "mail"]
        self.seen = max([self.seen] + [m["number"] for m in came])
        by = {m["to"][0]: m for m in new}
        assert len(by) == len(new), "one digest a recipient"
        return by


@pytest.fixture(scope="module")
def world(request, tmp_path_factory):
    clock = StandingClock(str(tmp_path_factory.mktemp("clock") / "clock"), WEDNESDAY)
    stack = Stack(services=["sink", "router", "notifier"], env={
        "TURUNC_CLOCK_FILE": clock.path,
        "notifier": {"TURUNC_REMINDERS_LOOK": "50ms", "TURUNC_NOTIFIER_RETRY_FIRST": "100ms"}})
    stack.start()
    yield World(stack, clock)
    stack.keep = request.session.testsfailed > 0
    assert stack.close() or stack.keep


def test_a_day_of_digests(world):
    stack = world.stack
    soon = world.opener.open("dilekce", basis=1, arrived_us=WEDNESDAY - 27 * DAY_US)      # yazi
    fen = world.opener.open("yol-cokme", "fener")       # four working hours
    quiet = world.opener.open("agac-budama")            # park: far from due
    special = world.opener.open("evde-saglik", basis=1, arrived_us=WEDNESDAY - 28 * DAY_US)
    nobodys = world.opener.open("diger", arrived_us=WEDNESDAY - DAY_US)                   # triage
    given_back = world.opener.open("dilekce", basis=1, arrived_us=WEDNESDAY - 27 * DAY_US)
    stack.sql("insert into turunc.cimer_application (ticket_id, reference, kind, unit, received_us) values (%s, %s, '', '', 0)",
              world.opener.id_of(soon), "CM-77")
    wait_until(lambda: stack.one("select count(*) from turunc.ticket_state where status in (2, 3)") == 6, 20, "routed")
    # As router leaves one that yazi says is not theirs.
    stack.sql("update turunc.ticket_state set status = 2 where ticket_id = %s", world.opener.id_of(given_back))
    assert stack.one("select count(*) from turunc.reminder") == 0, "ten to nine is before the first window"
    stack.sql("""insert into turunc.reminder (reminder_id, recipient, window_us, tickets, state, created_us, updated_us)
        select gen_random_uuid(), 'Park@muratpasa.example', %s - day * 86400000000, 0, 6, 0, 0 from unnest(array[399, 402]) as day""",
              WEDNESDAY)

    world.to(0, 9, 1)
    world.window_made(1)
    mails = world.mails()
    assert set(mails) == {address("yazi"), address("saglik"), DESK}
    own, applications = mails[address("yazi")]["text"].split("=== CİMER BAŞVURULARI ===")
    assert soon in own and "CİMER CM-77" in own and soon in applications
    assert "yasal sürenin son günü 28.11.2026" in applications
    assert "kaydın süresi dolmak üzere" in mails[address("yazi")]["subject"] and "CİMER" in mails[address("yazi")]["subject"]
    triage = mails[DESK]["text"]
    assert mails[DESK]["subject"] == "2 kayıt birim seçilmesini bekliyor"
    assert f"{nobodys}  geliş 24.11.2026 08:50, Diğer" in triage.replace("\r", "")
    assert "iade eden: Yazı İşleri Müdürlüğü" in triage and given_back in triage and given_back not in own
    assert "X-Turunc-Ticket" not in mails["yazi@muratpasa.example"]["headers"]
    assert mails["yazi@muratpasa.example"]["headers"]["Auto-Submitted"] == "auto-generated"
    health = mails["saglik@muratpasa.example"]
    assert special in health["text"] and "(özel nitelikli konu)" in health["text"]
    assert "Evde" not in health["text"] + health["subject"]
    states = {r: (s, n) for r, s, n, _ in world.reminders()}
    assert states[address("park")] == (6, 0) and states[ABOVE] == (6, 0), "nothing to say, and that is known"
    assert states[address("yazi")] == (3, 2)
    assert stack.metric("notifier", 'turunc_notifier_reminders_total{as="empty"}') >= 18
    assert stack.one("select count(*) from turunc.reminder where state = 3 and body is not null") == 0
    assert quiet not in str(mails)
    old = stack.sql("delete from turunc.reminder where created_us = 0 returning window_us")
    assert old == [(WEDNESDAY - 399 * DAY_US,)], "what is older than 400 days went"


def test_nothing_twice_after_a_kill(world):
    before = world.reminders()
    for _ in range(3):
        world.stack.kill9("notifier")
        world.stack.restart("notifier")
    world.to(0, 10, 30)
    world.stack.wait(lambda: world.stack.metric("notifier", "turunc_notifier_log_position") is not None, 10)
    assert world.reminders() == before and world.mails() == {}


def test_overdue_in_the_next_window_and_not_at_lunch(world):
    world.to(0, 12, 30)
    count = len(world.reminders())
    world.to(0, 14, 5)
    world.window_made(2)
    mails = world.mails()
    body = mails["fen@muratpasa.example"]["text"]
    assert "SÜRESİ GEÇENLER (1)" in body and "Yolda çökme, açık rögar, Fener" in body and "hizmet süresi 25.11.2026 13:50" in body
    assert "/desk/ticket/26-" in body
    assert len(world.reminders()) > count
    assert ABOVE not in mails, "not overdue for long"


def test_a_server_that_is_down_delays_a_digest_but_not_into_the_night(world):
    world.stack.process["sink"].terminate()
    world.to(1, 9, 0)
    wait_until(lambda: world.tried(2), 20, "it is tried again")
    world.start_sink()
    world.to(1, 9, 40)
    world.window_made(3)
    assert address("fen") in world.mails()
    world.stack.process["sink"].terminate()
    world.to(1, 14, 0)
    wait_until(lambda: world.tried(1), 20, "it is tried")
    world.to(1, 16, 30)
    wait_until(lambda: world.stack.one("select count(*) from turunc.reminder where state = 5 and detail = 'late'") > 0,
               20, "it is given up")
    world.start_sink()
    world.window_made(4)
    assert world.mails() == {}


def test_long_overdue_goes_above_and_nothing_on_a_day_off(world):
    world.to(3, 9, 30)      # Saturday: of those that have something only the health office works
    wait_until(lambda: world.stack.one("""select count(*) from turunc.reminder where recipient like 'saglik@%%'
        and state = 3 and window_us > %s""", WEDNESDAY + 3 * DAY_US) == 1, 20, "it is reminded")
    # Of the desk it is the operators' as well, who are there day and night.
    wait_until(lambda: world.stack.one("select count(*) from turunc.reminder where state in (1, 2)") == 0, 20, "sent")
    assert set(world.mails()) == {address("saglik"), DESK}
    world.stack.sql("""update turunc.ticket_clock set due_us = %s, next_alarm = 3, next_alarm_us = null where ticket_id =
        (select ticket_id from turunc.ticket_state where department = 'park')""", WEDNESDAY)
    world.to(5, 9, 0)       # Monday
    world.window_made(5)
    mails = world.mails()
    assert ABOVE in mails and "fen@muratpasa.example" in mails
    assert "2 kaydın süresi uzun zamandır geçmiş: 2 birim" in mails[ABOVE]["subject"], "one mail, not one a department"
    assert "Fen İşleri Müdürlüğü: 1" in mails[ABOVE]["text"] and "Park ve Bahçeler Müdürlüğü: 1" in mails[ABOVE]["text"]
    saturday = world.stack.one("""select count(*) from turunc.reminder where recipient like 'fen@%%'
        and window_us between %s and %s""", WEDNESDAY + 2.5 * DAY_US, WEDNESDAY + 4.5 * DAY_US)
    assert saturday == 0
