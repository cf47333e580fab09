"""Texts by two SMS providers: each is taken once, receipts come back, and citizens answer."""
import json
import os
import subprocess
import time

import pytest
from notifier_world import World
from router_world import Opener
from servers import BUILD
from sms_providers import IletiMerkezi, Netgsm, Verimor

# Providers here answer at once or hang for half a minute: in between is when they are waited for no longer.
QUICK = {"TURUNC_NOTIFIER_SEND_TIMEOUT": "5s", "TURUNC_SMS_ASK_DOUBT": "200ms", "TURUNC_SMS_ASK_RECEIPT": "200ms", "TURUNC_SMS_ASK_RATE": "100000",
         "TURUNC_SMS2_ASK_RATE": "100000"}
OURS, THEIRS = "bizim-uzun-bir-sir", "oteki-uzun-bir-sir"
phones = iter(range(5321000000, 5321999999))


def secret_file(folder, name, text):
    path = folder / name
    path.write_text(text + "\n")
    path.chmod(0o600)
    return str(path)


class Two:
    """Verimor first, Netgsm when Verimor will not."""

    def __init__(self, folder):
        self.first, self.second = Verimor(), Netgsm()
        self.world = World(
            TURUNC_SMS_GATEWAY="verimor", TURUNC_SMS_URL=self.first.url, TURUNC_SMS_USER=Verimor.USER,
            TURUNC_SMS_PASSWORD_FILE=secret_file(folder, "first", Verimor.PASSWORD), TURUNC_SMS_RATE="100000",
            TURUNC_SMS_CALLBACK_SECRET_FILE=secret_file(folder, "call", OURS),
            TURUNC_SMS2_GATEWAY="netgsm", TURUNC_SMS2_URL=self.second.url + "/", TURUNC_SMS2_USER=Netgsm.USER,
            TURUNC_SMS2_PASSWORD_FILE=secret_file(folder, "second", Netgsm.PASSWORD),
            TURUNC_SMS2_RATE="100000",
            TURUNC_SMS2_CALLBACK_SECRET_FILE=secret_file(folder, "call2", THEIRS),
            TURUNC_SMS_STORE_DIR=str(folder / "texts"), **QUICK)
        self.stack = self.world.stack

    def open(self):
        """A ticket of a new phone, and that phone's ten digits."""
        phone = str(next(phones))
        return self.world.open(phone="+90" + phone)[0], phone

    def told(self, phone):
        """What both took for it."""
        return [t for t in self.first.taken + self.second.taken if t[0].endswith(phone)]

    def column(self, number, name, about="opened"):
        return self.stack.one(f"select {name} from turunc.notification where ticket_id = %s and about_type = %s",
                              Opener.id_of(number), f"ticket.{about}")

    def call(self, gateway, secret, body, **headers):
        data = body if isinstance(body, (bytes, str)) else json.dumps(body)
        path = f"/receipts/{gateway}" + (f"/{secret}" if secret else "")
        return self.stack.http("notifier", "POST", path, body=data,
                               headers={"Content-Type": "application/json", **headers})

    def close(self):
        clean = self.world.close()
        self.first.stop()
        self.second.stop()
        return clean


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    one = Two(tmp_path_factory.mktemp("secrets"))
    yield one
    assert one.first.refused == [] and one.second.refused == [], "a provider did not understand us"
    assert one.close(), "a service did not stop cleanly"


@pytest.fixture(autouse=True)
def kind_providers(request):
    if "two" in request.fixturenames:
        one = request.getfixturevalue("two")
        for provider in (one.first, one.second):
            provider.mode, provider.status = "ok", "delivered"
        one.world.wait_settled()
    yield


def kinds(two, number, about="opened"):
    return [kind for kind, _ in two.world.outcomes()[two.world.rows(number)[(about, "sms")][3]]]


def test_a_text_is_taken_once_and_its_receipt_asked_for(two):
    number, phone = two.open()
    two.world.wait_state(number, "opened", "delivered")
    two.world.wait_state(number, "routed", "delivered")
    assert len(two.told(phone)) == 2 and two.second.texts(number) == []
    assert kinds(two, number) == ["notification.sent", "notification.delivered"]
    assert two.column(number, "gateway") == "verimor" and two.column(number, "gateway_reference") >= "20001"
    assert two.column(number, "ask_us") is None, "what has arrived is asked about no more"


def test_what_cannot_be_delivered_is_given_up(two):
    two.first.status = "failed"
    number, _ = two.open()
    row = two.world.wait_state(number, "opened", "dead")
    assert "NOT_DELIVERED" in row[2]
    assert kinds(two, number) == ["notification.sent", "notification.failed"]


def test_after_a_timeout_the_provider_is_asked_and_nothing_is_sent_again(two):
    two.first.mode, two.first.status = "hang", "waiting"
    number, phone = two.open()
    two.world.wait_state(number, "opened", "sent")
    two.first.mode, two.first.status = "ok", "delivered"
    two.world.wait_state(number, "opened", "delivered")
    two.world.wait_state(number, "routed", "delivered")
    assert len(two.told(phone)) == 2, "each once"
    assert kinds(two, number) == ["notification.failed", "notification.sent", "notification.delivered"]


def test_after_a_timeout_what_it_never_had_is_sent_again(two):
    two.first.mode, two.first.status = "lost", "mute"   # it does not say so before it takes texts again
    number, phone = two.open()
    two.world.wait_state(number, "opened", "unknown")
    assert two.told(phone) == []
    two.first.mode = "ok"
    two.first.status = "delivered"
    two.world.wait_state(number, "opened", "delivered")
    assert len([t for t in two.told(phone)]) <= 2 and len(two.first.texts(number)) >= 1
    assert two.world.rows(number)[("opened", "sms")][1] == 2
    assert len(set(two.told(phone))) == len(two.told(phone))


def test_while_it_does_not_say_nobody_sends(two):
    two.first.mode, two.first.status = "hang", "mute"
    number, phone = two.open()
    two.world.wait_state(number, "opened", "unknown")
    asked = two.first.asked
    two.stack.wait(lambda: two.first.asked >= asked + 2, 15, "it is asked again")
    assert two.world.state(number, "opened") == "unknown"
    mine = two.world.rows(number)[("opened", "sms")][3]
    assert len([t for t in two.told(phone) if t[2] == mine]) == 1 and two.second.texts(number) == []
    two.first.mode, two.first.status = "ok", "delivered"
    two.world.wait_state(number, "opened", "delivered", 30)


def test_a_definite_no_is_the_second_ones_turn(two):
    two.first.mode = "no"
    number, phone = two.open()
    two.world.wait_state(number, "routed", "delivered")
    assert len(two.second.texts(number)) == 2 and two.first.texts(number) == []
    assert two.column(number, "gateway") == "netgsm" and two.column(number, "refused_by") == 1
    assert kinds(two, number) == ["notification.sent", "notification.delivered"]


def test_one_that_does_not_know_us_is_gone_around(two):
    two.first.mode = "login"
    numbers = [two.open()[0] for _ in range(6)]
    for number in numbers:
        two.world.wait_state(number, "routed", "delivered", 20)
        assert len(two.second.texts(number)) == 2 and two.first.texts(number) == []
    assert two.stack.metric("notifier", "turunc_notifier_gateway_changes_total") >= 1
    two.first.mode = "ok"
    def back():
        number = two.open()[0]
        two.world.wait_state(number, "opened", "delivered", 20)
        return two.column(number, "gateway") == "verimor"
    two.stack.wait(back, 40, "the first one is used again")


def test_two_definite_noes_are_the_end(two):
    two.first.mode = two.second.mode = "no"
    number, phone = two.open()
    row = two.world.wait_state(number, "opened", "dead")
    assert row[1] == 2 and two.told(phone) == [] and two.column(number, "refused_by") == 3
    assert kinds(two, number) == ["notification.failed"]


@pytest.mark.parametrize("mode", ["garbage", "broken"])
def test_what_was_answered_with_rubbish_is_asked_about(two, mode):
    two.first.mode = mode
    number, phone = two.open()
    two.world.wait_state(number, "opened", "delivered")
    two.world.wait_state(number, "routed", "delivered")
    assert len(two.told(phone)) == 2 and two.second.texts(number) == []


def test_receipts_that_come_by_themselves(two):
    two.first.status = "mute"
    number, phone = two.open()
    two.world.wait_state(number, "routed", "sent")
    place, taken = next((n, t) for n, t in enumerate(two.first.taken) if t[0].endswith(phone))
    receipt = [Verimor.report(place, taken, "DELIVERED")]
    for gateway, secret in (("verimor", "yanlis"), ("netgsm", OURS), ("nosuch", OURS),
                            ("verimor", "")):
        assert two.call(gateway, secret, receipt).status == 404
    assert two.call("netgsm", THEIRS, {"jobid": str(20001 + place), "status": 1}).status == 200
    assert two.world.state(number, "opened") == "sent", "another provider's word is none"
    for _ in range(2):
        assert two.call("verimor", OURS, receipt).status == 200
    assert two.world.state(number, "opened") == "delivered"
    assert kinds(two, number) == ["notification.sent", "notification.delivered"]
    other = [Verimor.report(place, (taken[0], "", two.world.rows(number)[("routed", "sms")][3]), "EXPIRED")]
    assert two.call("verimor", "", other, **{"X-Turunc-Secret": OURS}).status == 200
    assert two.world.state(number, "routed") == "dead"


@pytest.mark.parametrize("body, status", [
    ("", 400), ("[", 400), (b"\xff\xfe", 400), ("[1, null, {}]", 200), ("{}", 200), ("[" * 3000, 400),
    (json.dumps([{}] * 201), 400), ("x" * 300000, 413)])
def test_a_call_of_rubbish_harms_nobody(two, body, status):
    assert two.call("verimor", OURS, body).status == status
    assert two.stack.ready("notifier")


def test_wrong_secrets_are_bounded(two):
    guesser = {"X-Forwarded-For": "198.51.100.7"}
    seen = [two.call("verimor", f"yanlis-bir-tahmin-{n}", "[]", **guesser).status for n in range(40)]
    assert set(seen) == {404, 429} and seen.count(404) <= 12
    network = [two.call("verimor", f"baska-bir-tahmin-{n}", "[]", **{"X-Forwarded-For": f"2001:db8::{n:x}"}).status
               for n in range(1, 41)]
    assert network.count(404) <= 12, "one network has as many addresses as it likes"
    answer = two.call("verimor", OURS, "[]", **guesser)
    assert answer.status == 429 and int(answer.headers["Retry-After"]) >= 1, "a right guess is not told either"
    for _ in range(20):
        assert two.call("verimor", OURS, "[]", **{"X-Forwarded-For": "198.51.100.8"}).status == 200, \
            "who knows it is not kept out, however often"


@pytest.mark.parametrize("prefix", ["TURUNC_SMS_", "TURUNC_SMS2_"])
def test_a_short_secret_is_refused_at_the_start(tmp_path, prefix):
    for secret, code in (("fifteen-letters", 78), ("sixteen-letters-", 0)):
        env = {**os.environ, f"{prefix}CALLBACK_SECRET_FILE": secret_file(tmp_path, "s", secret)}
        done = subprocess.run([os.path.join(BUILD, "bin", "turunc-notifier"), "--check-config"], env=env,
                              capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == code and secret not in done.stdout + done.stderr
        assert ("16" in done.stderr) == (code == 78)


def inbound(key, phone, text):
    return [{"message_id": key, "type": "inbound", "received_at": "2026-01-01 09:00:00", "network": "TURKCELL",
             "source_addr": "90" + phone, "destination_addr": "908501234567", "keyword": "", "content": text}]


def texts_of(two, phone, count=1):
    """What intake has from there, when it has so many."""
    two.stack.wait(lambda: len(kept_texts(two, phone)) >= count, 20, f"{count} texts of {phone}")
    return kept_texts(two, phone)


def kept_texts(two, phone):
    return two.stack.sql("""select description, ticket_id, channel from turunc.contact
                            where kind = 'sms' and phone = %s order by contact_id""", "+90" + phone)


def test_what_a_citizen_answers_belongs_to_their_ticket(two):
    number, phone = two.open()
    two.world.wait_state(number, "opened", "delivered")
    for _ in range(2):  # it calls again when it did not hear us
        assert two.call("verimor", OURS, inbound(71, phone, "Teşekkürler 🌳\r\nAyşe")).status == 200
    assert texts_of(two, phone) == [("Teşekkürler 🌳\nAyşe", Opener.id_of(number), 8)]
    records = two.stack.sql("select ticket_id from turunc.event_log where type = 'sms.received' and ticket_id = %s",
                            Opener.id_of(number))
    assert len(records) == 1


def test_two_texts_stay_two_whatever_their_ids_and_bytes(two):
    phone = str(next(phones))
    before = two.stack.metric("notifier", 'turunc_notifier_texts_received_total{outcome="rejected"}')
    long = "0123456789" * 7
    told = [("a b", "bir"), ("a_b", "iki"), (long + "1", "uc"), (long + "2", "dort"), ("x", "be\x7fs\x01"), ("x", "alti")]
    for key, text in told:
        for _ in range(2):
            assert two.call("verimor", OURS, inbound(key, phone, text)).status == 200
    wanted = ["alti", "be s ", "bir", "dort", "iki", "uc"]
    assert sorted(row[0] for row in texts_of(two, phone, len(wanted))) == wanted
    assert two.stack.metric("notifier", 'turunc_notifier_texts_received_total{outcome="rejected"}') == before
    # Once more when the first ones have been answered: what is known is known, and nobody has to look at it.
    for key, text in told:
        assert two.call("verimor", OURS, inbound(key, phone, text)).status == 200
    assert two.call("verimor", OURS, inbound("after", phone, "sonra")).status == 200
    assert "sonra" in [row[0] for row in texts_of(two, phone, len(wanted) + 1)]
    assert "intake rejected a text" not in two.stack.log("notifier")


def test_a_number_from_a_stranger_proves_nothing(two):
    number, phone = two.open()
    other, _ = two.open()
    two.world.wait_state(number, "opened", "delivered")
    two.world.wait_state(other, "opened", "delivered")
    stranger = str(next(phones))
    assert two.call("verimor", OURS, inbound(72, stranger, f"{number} ne oldu")).status == 200
    assert texts_of(two, stranger) == [(f"{number} ne oldu", None, 8)]
    assert two.call("verimor", OURS, inbound(73, phone, f"{other} benim degil")).status == 200
    assert texts_of(two, phone)[0][1] == Opener.id_of(number), "their own, not the one they name"


def join(two, number, phone):
    """As a call-taker does with somebody who reports what is on file already."""
    two.stack.sql("""insert into turunc.contact (contact_id, ticket_id, kind, channel, arrived_us, recorded_us,
                         language, name, phone, salt)
                     values (gen_random_uuid(), %s, 'joined', 1, 1, 1, 'tr', 'Can Er', %s, 's')""",
                  Opener.id_of(number), "+90" + phone)


def opens(two, number, phone):
    """Whether the ticket's page opens by that phone's last digits."""
    page = two.stack.http("intake", "POST", "/track", form={"no": number, "digits": phone[-4:]})
    assert page.status in (200, 404) and ('name="token"' in page.text) == (page.status == 200)
    return page.status == 200


def test_who_was_joined_cannot_write_themselves_into_the_ticket(two):
    number, phone = two.open()
    joined = "53400" + phone[-5:-1] + str((int(phone[-1]) + 1) % 10)
    join(two, number, joined)
    assert opens(two, number, phone) and not opens(two, number, joined)
    assert two.call("verimor", OURS, inbound(81, joined, f"{number} tesekkurler")).status == 200
    assert texts_of(two, joined) == [(f"{number} tesekkurler", None, 8)], "named, but it is another's"
    assert not opens(two, number, joined)
    two.world.end(number)
    two.world.wait_state(number, "routed", "delivered")
    two.stack.wait(lambda: len(two.told(joined)) == 1, 20, "they hear how it ended")
    two.world.wait_settled()
    assert two.call("verimor", OURS, inbound(82, joined, "sag olun")).status == 200
    assert texts_of(two, joined, 2)[1] == ("sag olun", None, 8), "what they were told is not theirs to answer in"
    assert not opens(two, number, joined)
    assert two.call("verimor", OURS, inbound(83, phone, f"{number} oldu")).status == 200
    assert texts_of(two, phone)[0][1] == Opener.id_of(number) and opens(two, number, phone), "the opener's own"


def test_who_wants_no_texts_gets_none_until_they_do(two):
    number, phone = two.open()
    two.world.wait_state(number, "routed", "delivered")
    assert two.call("verimor", OURS, inbound(74, phone, " Ret. ")).status == 200
    two.world.end(number)
    row = two.world.wait_state(number, "resolved", "discarded")
    assert "no text" in row[2]
    assert two.world.outcomes()[row[3]] == [("notification.failed", "unwanted")]
    two.stack.wait(lambda: len(confirmed(two, phone)) == 1, 20, "their wish is confirmed, as the last they hear")
    assert "artık SMS gönderilmeyecektir" in confirmed(two, phone)[0] and len(two.told(phone)) == 3
    assert two.call("verimor", OURS, inbound(75, phone, "BAŞLA")).status == 200
    again = two.world.open(phone="+90" + phone)[0]
    two.world.wait_state(again, "opened", "delivered")
    assert not wants_none(two, phone)
    two.stack.wait(lambda: len(confirmed(two, phone)) == 2, 20, "as is the other one")
    assert "yeniden SMS ile bildirilecektir" in confirmed(two, phone)[1]
    sent = two.stack.one("""select notification_id from turunc.notification where about_type = 'sms.received'
        and ticket_id = %s order by created_us desc limit 1""", Opener.id_of(number))
    two.stack.wait(lambda: two.world.outcomes().get(str(sent)) is not None, 20, "and the record says so")
    assert two.call("verimor", OURS, inbound(74, phone, "tamam")).status == 200
    assert (texts_of(two, phone, 3)[2][1]) == Opener.id_of(again), "a confirmation is about no ticket"
    assert sorted(t[0] for t in texts_of(two, phone, 3)) == [" Ret. ", "BAŞLA", "tamam"], "they are on file all the same"


def confirmed(two, phone):
    """The confirmations of their wishes that went out, the first one first."""
    return [t[1] for t in two.told(phone) if "tarihli isteğiniz" in t[1]]


def wants_none(two, phone):
    return two.stack.one("select count(*) from turunc.sms_opt_out where phone = %s", "+90" + phone) == 1


def test_a_wish_that_is_said_again_does_not_undo_a_newer_one(two):
    number, phone = two.open()
    two.world.wait_state(number, "routed", "delivered")
    wish = 'turunc_notifier_sms_wishes_total{outcome="%s"}'
    before = {name: two.stack.metric("notifier", wish % name) for name in ("stopped", "started", "repeated", "stranger")}
    stop, start = inbound(91, phone, "RET"), inbound(92, phone, "BAŞLA")
    for body, none, told in ((stop, True, 1), (stop, True, 1), (start, False, 2), (stop, False, 2), (start, False, 2),
                             (inbound(93, phone, "RET"), True, 3), (start, True, 3), (stop, True, 3)):
        assert two.call("verimor", OURS, body).status == 200
        assert wants_none(two, phone) == none, body
        two.stack.wait(lambda: len(confirmed(two, phone)) == told, 20, "what changed something is confirmed, once")
        two.world.wait_settled()
    def grown(name):
        return two.stack.metric("notifier", wish % name) - before[name]
    assert {name: grown(name) for name in before} == {"stopped": 2, "started": 1, "repeated": 5, "stranger": 0}
    assert two.call("verimor", OURS, inbound(97, phone, "DUR")).status == 200
    for key in range(4):
        assert two.call("verimor", OURS, inbound(910 + key, phone, ("START", "STOP")[key % 2])).status == 200
    assert wants_none(two, phone)
    two.world.wait_settled()
    assert two.stack.one("""select count(*) from turunc.notification where about_type = 'sms.received'
        and recipient = %s""", "+90" + phone) == 3, "who wished so already, and the fifth time in a day: not"


def confirmations(two, phone):
    """[(state, error, id)] of the confirmations of their wishes, the first one first."""
    return two.stack.sql("""select state, last_error, notification_id::text from turunc.notification
        where about_type = 'sms.received' and recipient = %s order by created_us""", "+90" + phone)


def test_the_last_text_says_what_was_wished_last(two):
    number, phone = two.open()
    two.world.wait_state(number, "routed", "delivered")
    two.first.mode = two.second.mode = "login"  # nothing leaves
    for key, text in ((1001, "RET"), (1002, "BAŞLA"), (1003, "RET"), (1004, "BAŞLA")):
        assert two.call("verimor", OURS, inbound(key, phone, text)).status == 200
    assert len(confirmations(two, phone)) == 4
    # One that was begun before the last wish is still about to be refused.
    two.stack.wait(lambda: all(state != 2 for state, _, _ in confirmations(two, phone)[:3]), what="none of the former is on its way")
    two.first.mode = two.second.mode = "ok"
    two.world.wait_settled()
    assert ["yeniden SMS ile bildirilecektir" in text for text in confirmed(two, phone)] == [True], "and only that"
    states = confirmations(two, phone)
    assert [state for state, _, _ in states[:3]] == [7, 7, 7] and states[3][0] in (3, 6)
    assert all("wished otherwise" in why for _, why, _ in states[:3])
    told = two.world.outcomes()
    assert all(told[name][-1] == ("notification.failed", "unwanted") for _, _, name in states[:3])


def test_no_message_waits_behind_a_confirmation(two):
    number, phone = two.open()
    two.world.wait_state(number, "routed", "delivered")
    # One that waits long: its about_seq is smaller than all of the ticket's.
    assert two.call("verimor", OURS, inbound(1011, phone, "RET")).status == 200
    two.stack.wait(lambda: len(confirmed(two, phone)) == 1, 20, "it is stopped")
    two.world.wait_settled()
    two.stack.sql("""update turunc.notification set state = 1, next_attempt_us = 9000000000000000
        where about_type = 'sms.received' and recipient = %s""", "+90" + phone)
    assert two.call("verimor", OURS, inbound(1012, phone, "BAŞLA")).status == 200
    two.world.end(number)
    two.stack.wait(lambda: len(confirmed(two, phone)) == 2, 20, "the newer wish is confirmed")
    two.world.wait_state(number, "resolved", "delivered")
    two.stack.sql("""update turunc.notification set next_attempt_us = 0
        where about_type = 'sms.received' and recipient = %s and state = 1""", "+90" + phone)
    two.world.wait_settled()
    assert len(confirmed(two, phone)) == 2 and confirmations(two, phone)[0][0] == 7


def test_a_wish_without_an_id_counts_again_after_a_while(two):
    number, phone = two.open()
    two.world.wait_state(number, "routed", "delivered")
    def say(text):
        assert two.call("netgsm", THEIRS, {"no": phone, "msg": text}).status == 200
    say("DUR"), say("START"), say("DUR")
    assert not wants_none(two, phone), "within minutes it is the gateway that says it again"
    two.stack.sql("update turunc.sms_wish set at_us = at_us - 21 * 60000000::bigint where phone = %s", "+90" + phone)
    say("DUR")
    assert wants_none(two, phone)


def test_a_wish_of_a_stranger_is_counted_and_left(two):
    stranger, before = str(next(phones)), two.stack.metric("notifier", 'turunc_notifier_sms_wishes_total{outcome="stranger"}')
    for key in (95, 96):  # the second finds the first among our contacts
        assert two.call("verimor", OURS, inbound(key, stranger, "STOP")).status == 200
        texts_of(two, stranger, key - 94)
    assert not wants_none(two, stranger)
    assert two.stack.one("select count(*) from turunc.sms_wish where phone = %s", "+90" + stranger) == 0
    assert two.stack.metric("notifier", 'turunc_notifier_sms_wishes_total{outcome="stranger"}') == before + 2


def test_the_wish_of_who_is_erased_goes_with_them(two):
    number, phone = two.open()
    two.world.wait_state(number, "routed", "delivered")
    assert two.call("verimor", OURS, inbound(76, phone, "STOP")).status == 200
    assert wants_none(two, phone)
    texts_of(two, phone)
    two.stack.sql("update turunc.contact set phone = null where phone = %s", "+90" + phone)
    assert not wants_none(two, phone)
    assert two.stack.one("select count(*) from turunc.sms_wish where phone = %s", "+90" + phone) == 0


def test_a_shared_number_wants_a_keyword_which_is_no_part_of_the_text(two):
    two.world.configure(keyword="MASA")
    number, phone = two.open()
    two.world.wait_state(number, "routed", "delivered")
    assert two.call("verimor", OURS, inbound(110, phone, f"masa {number} hâlâ akıyor")).status == 200
    assert two.call("verimor", OURS, inbound(110, phone, f"masa {number} hâlâ akıyor")).status == 200
    assert texts_of(two, phone) == [(f"{number} hâlâ akıyor", Opener.id_of(number), 8)]
    assert two.call("verimor", OURS, inbound(111, phone, "MASA Dur")).status == 200
    assert wants_none(two, phone)
    two.stack.wait(lambda: len(confirmed(two, phone)) == 1, 20, "it is confirmed")
    assert "3344 numarasına BAŞLA" in confirmed(two, phone)[0] and "MASA" in confirmed(two, phone)[0]
    two.world.configure()


def test_a_text_is_safe_while_intake_is_away(two):
    two.stack.kill9("intake")
    phone = str(next(phones))
    assert two.call("verimor", OURS, inbound(77, phone, "geldi mi")).status == 200, "it is on disk"
    two.stack.kill9("notifier")
    two.stack.restart("intake")
    two.stack.restart("notifier")
    assert len(texts_of(two, phone)) == 1, "what was kept arrived"
    assert two.call("verimor", OURS, inbound(77, phone, "geldi mi")).status == 200
    assert len(texts_of(two, phone)) == 1


def test_a_repeat_of_our_own_is_success_and_the_rate_is_kept(tmp_path):
    provider = IletiMerkezi()
    world = World(TURUNC_SMS_GATEWAY="iletimerkezi", TURUNC_SMS_URL=provider.url,
                  TURUNC_SMS_USER=IletiMerkezi.KEY,
                  TURUNC_SMS_PASSWORD_FILE=secret_file(tmp_path, "hash", IletiMerkezi.HASH),
                  TURUNC_NOTIFIER_IN_FLIGHT="2", TURUNC_SMS_RATE="240",
                  TURUNC_SMS2_GATEWAY="verimor", TURUNC_SMS2_URL="",
                  TURUNC_SMS2_CALLBACK_SECRET_FILE=secret_file(tmp_path, "call", OURS), **QUICK)
    try:
        provider.mode = "later"
        number = world.open(phone="+905329990001")[0]
        row = world.wait_state(number, "opened", "sent")
        assert row[1] == 2 and len([t for t in provider.texts(number) if "Alındı" in t[1]]) == 1
        provider.mode = "ok"
        # Taken, no answer, and no way to ask by our own id: a person decides, and "again" is success.
        provider.mode = "hang"
        number = world.open(phone="+905329990002")[0]
        row = world.wait_state(number, "opened", "unknown")
        provider.mode = "ok"
        time.sleep(0.5)
        assert world.state(number, "opened") == "unknown"
        world.stack.sql("select turunc.decide_message(%s::uuid, true, 'user:oya', '', 1)", row[3])
        world.wait_state(number, "opened", "sent")
        assert len([t for t in provider.texts(number) if "Alındı" in t[1]]) == 1
        world.wait_settled()
        began_us = time.time_ns() // 1000
        numbers = world.open(5, phone="+9053299911{n:02d}")
        for number in numbers:
            world.wait_state(number, "routed", "delivered", 30)
        # When each was handed over, not when a busy provider looked.
        spent = world.stack.one("select max(started_us) - min(started_us) from turunc.notification_attempt"
                                " where started_us >= %s", began_us) / 1e6
        assert spent >= (10 - 2) / 4 * 0.8, f"ten at four a second, two at once: {spent:.2f} s"
        assert provider.refused == []
        # With no folder of its own the notifier holds a text no longer than its gateway waits.
        world.stack.kill9("intake")
        text = json.dumps(inbound(1, "5329990009", "merhaba"))
        assert world.stack.http("notifier", "POST", f"/receipts/verimor/{OURS}", body=text,
                                headers={"Content-Type": "application/json"}).status == 503
        world.stack.restart("intake")
    finally:
        clean = world.close()
        provider.stop()
    assert clean
