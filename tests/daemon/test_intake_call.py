"""The call-taker's page: who calls and what they have, a ticket while they speak, joining, ending, drafts."""
import concurrent.futures
import contextlib
import re
import time
import uuid

import psycopg2
import pytest

from intake_world import Publisher, call, check_log, ticket_id, ticket_request
from people import Browser
from stack import Stack

CALLER = "+905329876501"
SAID = {"first_name": "Işıl Çağrı", "phone": CALLER, "service_code": "yol-cukur", "address_id": "fener",
        "address_string": "1964 Sk. No: 5", "description": "Derin çukur,\r\nlastik patlattı"}


@pytest.fixture(scope="module")
def stack():
    with Stack(services=["intake", "router"]) as made:
        made.pbx = made.client("pbx")
        made.password = made.user("ayse", "call-taker")
        made.other = made.user("veli", "call-taker,operator")
        made.looker = made.user("bakan", "viewer,clerk", "temizlik")
        made.head = made.user("mudur", "administrator")
        made.start()
        yield made
        assert made.terminate("router") == 0
        check_log(made)
        assert made.terminate("intake") == 0  # nothing left behind, nothing leaked


@pytest.fixture
def ayse(stack):
    return Desk(stack, "ayse", stack.password)


class Desk(Browser):
    """A call-taker's browser without scripts: it sends what stands in the page's form."""

    def __init__(self, stack, name, password):
        super().__init__(stack, "intake", "/call/")
        self.sign_in(name, password)
        self.page = ""
        self.open()

    def open(self, **query):
        words = "&".join(f"{k}={v}" for k, v in {"lang": "tr", **query}.items())
        answer = self.get(f"/call/?{words}")
        assert answer.status == 200, answer
        self.page = answer.text
        return self

    def hidden(self):
        return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', self.page.split('id="call"')[1]))

    def send(self, where, follow=True, **fields):
        answer = self.post(f"/call/{where}?lang=tr", {**self.hidden(), **fields})
        self.page = answer.text
        if answer.status == 303 and follow:
            self.page = self.get(answer.headers["Location"]).text
        return answer

    def number(self):
        return re.search(r'class="number">([0-9-]+)<', self.page).group(1)

    def section(self, heading):
        """The text of the list under that heading."""
        found = re.search(rf"<h[23]>{heading}</h[23]>(.*?)(?:<h[23]|</section>|</form>)", self.page, re.S)
        return found.group(1) if found else None


def ring(stack, agent="ayse", caller=CALLER, *steps):
    """A call of the exchange; its id."""
    call_id = f"pbx-{uuid.uuid4().hex}"
    with Publisher(stack, stack.pbx) as pbx:
        for step in steps or ("offered",):
            one = call(step, caller=caller, agent=agent, queue="masa")
            one.call.call_id = call_id
            assert pbx.publish(one)[0].status == 1
    return call_id


def ledger(stack, call_id):
    return stack.sql("select agent, disposition, ticket_id, caller from turunc.call where call_id = %s", call_id)


def key_of(stack, call_id):
    return str(stack.one("select call_key from turunc.call where call_id = %s", call_id))


def routed(stack, number):
    stack.wait(lambda: stack.one("select count(*) from turunc.ticket_state where ticket_id = %s", ticket_id(number)), 20)
    return number


# --- who may ---

def test_nobody_else_gets_in(stack):
    stranger = Browser(stack, "intake", "/call/")
    assert stranger.get("/call/").headers["Location"].startswith("/call/sign-in")
    for path in ("look", "hints", "ticket", "join", "end", "draft"):
        assert stranger.post(f"/call/{path}", {"x": "y"}).status == 401, path
    looker = Browser(stack, "intake", "/call/").sign_in("bakan", stack.looker)
    assert looker.get("/call/").status == 403 and looker.get("/call/live").status == 403
    ayse = Desk(stack, "ayse", stack.password)
    before = stack.one("select count(*) from turunc.ticket")
    for answer in (ayse.post("/call/ticket", {**ayse.hidden(), **SAID, "csrf": "x" * 43}, csrf=False),
                   ayse.post("/call/ticket", {**ayse.hidden(), **SAID}, Origin="https://evil.example")):
        assert answer.status == 403
    assert stack.one("select count(*) from turunc.ticket") == before


def test_an_administrator_may_do_all_of_it(stack):
    head = Desk(stack, "mudur", stack.head)
    assert head.send("ticket", **{**SAID, "phone": "0532 987 65 70", "address_string": "1972 sokak 1"}).status == 303
    number = routed(stack, head.number())
    form = {**head.open().hidden(), **SAID, "phone": "0532 987 65 71"}
    assert head.post("/call/draft", form).status == 204
    assert head.send("join", **{**SAID, "phone": "0532 987 65 71", "join": number}).status == 303
    call_id = ring(stack, "mudur", "0532 987 65 72", "offered", "answered")
    assert head.open(call=key_of(stack, call_id)).send("end", disposition="information").status == 303
    assert ledger(stack, call_id) == [("mudur", "information", None, "+905329876572")]
    assert stack.sql("select distinct actor from turunc.event_log where ticket_id = %s and type in "
                     "('ticket.opened', 'contact.recorded', 'call.ended')", ticket_id(number)) == [("user:mudur",)]


# --- registering ---

def test_a_call_becomes_a_ticket(stack, ayse):
    call_id = ring(stack)
    assert "Çalıyor" in ayse.open().section("Çağrılarım") and CALLER in ayse.page
    ring_id = key_of(stack, call_id)
    with Publisher(stack, stack.pbx) as pbx:
        answered = call("answered", agent="ayse")
        answered.call.call_id = call_id
        pbx.publish(answered)
    ayse.open(call=ring_id)
    assert f'name="phone" type="tel" maxlength="30" autocomplete="off" value="{CALLER}"' in ayse.page
    sent = ayse.send("ticket", **SAID)
    assert sent.status == 303 and "Kayıt açıldı" in ayse.page
    number = ayse.number()
    row = stack.sql("""select c.kind, c.channel, c.name, c.phone, c.description, t.subject_code, t.neighbourhood,
                           t.client, c.information_version, t.arrived_us
                       from turunc.contact c join turunc.ticket t using (ticket_id) where ticket_id = %s""",
                    ticket_id(number))[0]
    assert row[:4] == ("report", 1, "Işıl Çağrı", CALLER) and row[4].splitlines() == ["Derin çukur,", "lastik patlattı"]
    assert row[5:9] == ("yol-cukur", "fener", "", "2026-01")
    assert row[9] == answered.time_us, "it arrived with the call"
    assert ledger(stack, call_id) == [("ayse", "ticket", ticket_id(number), CALLER)]
    assert stack.sql("select type, actor from turunc.event_log where ticket_id = %s and type <> 'ticket.routed' order by seq",
                     ticket_id(number)) == [("ticket.opened", "user:ayse"), ("call.ended", "user:ayse")]
    assert CALLER not in ayse.open().section("Çağrılarım"), "nothing is left to finish"


def test_without_an_exchange(stack, ayse):
    sent = ayse.send("ticket", **{**SAID, "phone": "0532 987 65 02", "address_string": "Başka cadde 9"})
    assert sent.status == 303
    assert stack.sql("select agent, disposition, caller, answered_us is not null from turunc.call where ticket_id = %s",
                     ticket_id(ayse.number())) == [("ayse", "ticket", "+905329876502", True)]


def test_sent_twice_is_once(stack, ayse):
    call_id = ring(stack, "ayse", "+905329876503", "offered", "answered")
    ayse.open(call=key_of(stack, call_id))
    form = {**ayse.hidden(), **SAID, "phone": "0532 987 65 03"}
    first, again = (ayse.post("/call/ticket?lang=tr", form) for _ in range(2))
    assert first.status == again.status == 303 and first.headers["Location"] == again.headers["Location"]
    changed = ayse.post("/call/ticket?lang=tr", {**form, "description": "başka"})
    assert changed.status == 409 and "daha önce" in changed.text and "başka" in changed.text
    assert stack.one("select count(*) from turunc.event_log where type = 'call.ended' and position(%s::bytea in event) > 0",
                     call_id) == 1


def test_what_is_wrong_is_named_and_what_was_typed_is_kept(stack, ayse):
    answer = ayse.send("ticket", **{**SAID, "phone": "12", "address_id": "", "address_string": ""})
    assert answer.status == 400 and "Kaydedilmedi" in answer.text
    for words in ("<li>Telefonu</li>", "<li>Mahalle ya da adres</li>", 'value="12"', "Derin çukur", "Işıl Çağrı"):
        assert words in answer.text, words
    evil = '"><script>alert(1)</script>'
    answer = ayse.send("ticket", **{**SAID, "phone": "12", "first_name": evil, "description": evil})
    assert "<script>alert" not in answer.text and "&lt;script&gt;" in answer.text
    assert ayse.send("ticket", **SAID).status == 303, "mended, the same form goes"
    assert ayse.send("ticket", **{**SAID, "service_code": ""}).status == 400
    assert "<li>Konu</li>" in ayse.page


def test_questions_need_not_all_be_answered(stack, ayse):
    ayse.send("look", **{**SAID, "service_code": "cop-alinmadi"})
    assert 'name="attribute[tur]"' in ayse.page and "Derin çukur" in ayse.page
    assert ayse.send("ticket", **{**SAID, "service_code": "cop-alinmadi"}).status == 303
    assert ayse.open().send("ticket", **{**SAID, "service_code": "cop-alinmadi", "attribute[tur]": "yok"}).status == 400


# --- looking up ---

def test_the_caller_s_tickets_are_shown(stack, ayse):
    ayse.send("ticket", **{**SAID, "phone": "0532 987 65 10"})
    number = ayse.number()
    call_id = ring(stack, "ayse", "0532 987 65 10")
    ayse.open(call=key_of(stack, call_id))
    assert number in ayse.section("Bu kişinin kayıtları")
    assert 'value="Işıl Çağrı"' in ayse.page and 'value="1964 Sk. No: 5"' in ayse.page
    ayse.open().send("look", q="0532 987 65 10")
    assert number in ayse.section("Bu kişinin kayıtları")
    ayse.open().send("look", q="0532 987 65 11")
    assert "kayıt yok" in ayse.section("Bu kişinin kayıtları")


def test_a_number_misheard_is_told(stack, ayse):
    ayse.send("ticket", **{**SAID, "phone": "0532 987 65 12"})
    number = ayse.number()
    ayse.open().send("look", q=number)
    assert number in ayse.section("Bulunanlar")
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    ayse.open().send("look", q=wrong)
    assert "yanlış duyulmuş" in ayse.page and ayse.section("Bulunanlar") is None
    ayse.open().send("look", q="26-9999999-8")
    assert "Bulunamadı" in ayse.section("Bulunanlar")


def test_special_matters_show_no_detail(stack, ayse):
    ayse.send("ticket", **{**SAID, "phone": "0532 987 65 13", "service_code": "evde-saglik",
                           "description": "yatağa bağımlı", "address_string": "Gizli sokak 1"})
    number = ayse.number()
    routed(stack, number)
    ayse.open().send("look", q=number)
    assert "Özel nitelikli" in ayse.section("Bulunanlar")
    assert "yatağa" not in ayse.page and "Gizli" not in ayse.section("Bulunanlar") and "Evde sağlık hizmeti</strong>" not in ayse.page
    ayse.open().send("look", **{**SAID, "service_code": "evde-saglik", "address_string": "Gizli sokak 1"})
    assert number not in ayse.page


# --- what is like it ---

def test_similar_tickets_by_street_and_distance(stack, ayse):
    with Publisher(stack, stack.pbx) as pbx:
        def opened(**fields):
            made = ticket_request(subject_code="sokak-tabelasi", description="Tabela düşmüş", **fields)
            return made
        near = opened(neighbourhood="fener")
        near.ticket_request.position.latitude, near.ticket_request.position.longitude = 36.8510, 30.7600
        street = opened(neighbourhood="fener", address="Fener Mah. 1966. sokak no:7")
        far = opened(neighbourhood="fener", address="1967 sokak")
        elsewhere = opened(neighbourhood="sinan", address="1966 sokak 7")
        numbers = [pbx.publish(one)[0].ticket for one in (near, street, far, elsewhere)]
        other = pbx.publish(ticket_request(subject_code="yol-cukur", address="1966 sokak", neighbourhood="fener",
                                           description="x"))[0].ticket
    for number in (*numbers, other):
        routed(stack, number)
    ayse.send("look", **{**SAID, "service_code": "sokak-tabelasi", "address_string": "1966 SOKAK No 7", "lat": "36.8500",
                         "long": "30.7600"})
    similar = ayse.section("Benzer kayıtlar")
    assert numbers[0] in similar and numbers[1] in similar and "aynı kapı" in similar and "111 m" in similar
    assert similar.index(numbers[1]) < similar.index(numbers[0]), "the same house first"
    for number in (*numbers[2:], other):
        assert number not in similar, number


def test_whose_business_it_is(stack, ayse):
    ayse.send("look", **{**SAID, "address_string": "Atatürk Blv. 12"})
    assert "Antalya Büyükşehir Belediyesi" in ayse.page and "Ana arter" in ayse.page
    ayse.open().send("look", **{**SAID, "address_string": "1964 sokak"})
    assert "class=\"business" not in ayse.page
    ayse.open().send("look", **{**SAID, "service_code": "agac-devrilme"})
    assert '<p class="business ours"><strong>Bizim' in ayse.page


def test_joining_records_the_caller_and_opens_nothing(stack, ayse):
    ayse.send("ticket", **{**SAID, "phone": "0532 987 65 20", "address_string": "1970 sokak 3"})
    number = routed(stack, ayse.number())
    call_id = ring(stack, "ayse", "0532 987 65 21", "offered", "answered")
    before = stack.one("select count(*) from turunc.ticket")
    ayse.open(call=key_of(stack, call_id))
    ayse.send("look", **{**SAID, "phone": "0532 987 65 21", "address_string": "1970 Sk. No 3"})
    assert f'name="join" value="{number}" data-key="b"' in ayse.page
    joined = ayse.send("join", **{**SAID, "phone": "0532 987 65 21", "join": number})
    assert joined.status == 303 and ayse.number() == number and "ona da bildirilecek" in ayse.page
    assert stack.one("select count(*) from turunc.ticket") == before
    assert stack.sql("""select kind, phone, name, channel from turunc.contact where ticket_id = %s
                        order by recorded_us""", ticket_id(number))[-1] == ("joined", "+905329876521", "Işıl Çağrı", 1)
    assert ledger(stack, call_id) == [("ayse", "joined", ticket_id(number), "+905329876521")]
    assert stack.one("select count(*) from turunc.event_log where type = 'contact.recorded' and ticket_id = %s and "
                     "actor = 'user:ayse'", ticket_id(number)) == 1
    tracked = [stack.http("intake", "POST", "/track", form={"no": number, "digits": digits}).body.decode()
               for digits in ("6520", "6521")]
    assert "1970 sokak" not in tracked[1] and 'name="token"' in tracked[0] and 'name="token"' not in tracked[1], \
        "who was joined hears how it ends; the page is who reported it"
    ayse.open().send("look", q="0532 987 65 21")
    assert number in ayse.section("Bu kişinin kayıtları"), "it is theirs from now on"
    for wrong, status in (("26-9999999-8", 404), ("26-0000001-9", 400), ("", 400)):
        assert ayse.open().send("join", **{**SAID, "join": wrong}).status == status, wrong
    stack.wait(lambda: stack.ready("router"), 10)


@pytest.mark.parametrize("phone, mobile, ended", [("", False, False), ("0242 311 11 11", False, False),
                                                  ("0532 987 65 23", True, True), ("0532 987 65 23", True, False)])
@pytest.mark.parametrize("through_a_duplicate", [False, True])
def test_a_message_is_promised_only_to_whom_one_goes(stack, ayse, phone, mobile, ended, through_a_duplicate):
    ayse.send("ticket", **{**SAID, "phone": "0532 987 65 22", "address_string": "1971 sokak 3"})
    number = asked = routed(stack, ayse.number())
    if through_a_duplicate:
        ayse.open().send("ticket", **{**SAID, "phone": "0532 987 65 24", "address_string": "1971 sokak 3"})
        asked = routed(stack, ayse.number())
        stack.sql("update turunc.ticket_state set status = 10, primary_id = %s, ended_us = updated_us where ticket_id = %s",
                  ticket_id(number), ticket_id(asked))
    if ended:
        stack.sql("update turunc.ticket_state set status = 7, ended_us = updated_us where ticket_id = %s", ticket_id(number))
    joined = ayse.open().send("join", **{**SAID, "phone": phone, "join": asked})
    assert joined.status == 303 and ayse.number() == number
    promised = mobile and not ended
    assert ("ona da bildirilecek" in ayse.page) == promised and ("ona iletilmeyecek" in ayse.page) == (not promised)


# --- ending ---

@pytest.mark.parametrize("disposition", ["information", "transferred", "nuisance"])
def test_every_call_ends_with_a_disposition(stack, ayse, disposition):
    caller = f"0532 111 22 {len(disposition):02}"
    call_id = ring(stack, "ayse", caller, "offered", "answered", "ended")
    assert "Bitirilecek" in ayse.open().section("Çağrılarım")
    ayse.open(call=key_of(stack, call_id))
    assert ayse.send("end", disposition=disposition).status == 303
    assert "Çağrı bitirildi" in ayse.page
    assert ledger(stack, call_id)[0][:3] == ("ayse", disposition, None)
    assert key_of(stack, call_id) not in ayse.open().page


def test_an_end_must_be_one(stack, ayse):
    for wrong in ("ticket", "", "hung_up"):
        assert ayse.open().send("end", disposition=wrong).status == 400


def test_calls_of_others_wait_and_an_abandoned_one_is_gone(stack, ayse):
    mine, theirs = ring(stack, "ayse", "02423111111"), ring(stack, "veli", "02423222222")
    ayse.open()
    assert "+902423111111" in ayse.section("Çağrılarım") and "+902423222222" in ayse.section("Sırada bekleyenler")
    with Publisher(stack, stack.pbx) as pbx:
        for call_id in (mine, theirs):
            gone = call("abandoned")
            gone.call.call_id = call_id
            pbx.publish(gone)
    live = ayse.get("/call/live?lang=tr").text
    assert "+902423111111" not in live and "+902423222222" not in live


# --- drafts ---

def test_a_draft_outlives_browser_and_service(stack, ayse):
    saved = ayse.post("/call/draft", {**ayse.hidden(), **SAID, "phone": "0532 987 65 30"})
    assert saved.status == 204
    stack.kill9("intake")
    stack.restart("intake")
    again = Desk(stack, "ayse", stack.password)
    form_id = stack.one("select form_id from turunc.call_draft where caller = '+905329876530'")
    assert f"draft={form_id}" in again.page
    again.open(draft=form_id)
    assert "Derin çukur" in again.page and 'value="0532 987 65 30"' in again.page
    assert re.search(r'value="yol-cukur" selected', again.page)
    assert Desk(stack, "veli", stack.other).open(draft=form_id).page.count("Derin çukur") == 0, "nobody else's"
    assert again.send("ticket", **{**SAID, "phone": "0532 987 65 30"}).status == 303
    stack.wait(lambda: stack.one("select fields from turunc.call_draft where form_id = %s", form_id) == "", 10)
    assert f"draft={form_id}" not in Desk(stack, "ayse", stack.password).page


SAVE = "select turunc.save_draft('ayse', 'gec', %s, %s, %s)"
DRAFT = "select saved_us, caller, fields from turunc.call_draft where form_id = 'gec'"


def save(stack, at_us, fields):
    stack.sql(SAVE, at_us, CALLER if fields else "", fields, user="turunc_intake")


def test_a_draft_that_is_committed_late_does_not_come_back(stack, ayse):
    """Its intake was killed while it was being kept, and the next one has taken the form."""
    now = time.time_ns() // 1000
    late = psycopg2.connect(stack.conninfo("turunc_intake"))
    with contextlib.closing(late), concurrent.futures.ThreadPoolExecutor(1) as pool:
        late.cursor().execute(SAVE, (now, CALLER, "description=Unutulan"))
        dropped = pool.submit(save, stack, now + 1, None)
        stack.wait(lambda: dropped.done() or len(stack.waiting("%turunc.save_draft%")) == 1,
                   what="it is done with, or waits for the draft")
        late.commit()
        dropped.result(60)
    assert stack.sql(DRAFT) == [(now + 1, "", "")]
    save(stack, now, "description=Unutulan")
    assert stack.sql(DRAFT) == [(now + 1, "", "")], "nor when it comes last"
    assert "draft=gec" not in ayse.open().page


def test_what_is_done_with_goes_and_takes_no_place(stack, ayse):
    now = time.time_ns() // 1000
    stack.sql("delete from turunc.call_draft")
    for n in range(12):
        stack.sql("select turunc.save_draft('ayse', %s, %s, '', null)", f"bitti-{n}", now + n, user="turunc_intake")
    for n in range(8):
        stack.sql("select turunc.save_draft('ayse', %s, %s, '', 'x=y')", f"duran-{n}", now - n, user="turunc_intake")
    kept = dict(stack.sql("select fields, count(*) from turunc.call_draft group by 1"))
    assert kept == {"": 12, "x=y": 8}
    save(stack, now + 3 * 86_400_000_000 + 100, "x=y")
    assert stack.one("select count(*) from turunc.call_draft") == 1
    stack.sql("delete from turunc.call_draft")


def test_drafts_are_bounded(stack, ayse):
    for _ in range(12):
        assert ayse.open().post("/call/draft", {**ayse.hidden(), **SAID}).status == 204
    assert stack.one("select count(*) from turunc.call_draft where agent = 'ayse' and fields <> ''") == 8
    assert ayse.post("/call/draft", {**ayse.hidden(), "description": "x" * 40000}).status == 503
    assert ayse.post("/call/draft", {**ayse.hidden(), "token": "x" * 64}).status == 400
    stack.sql("update turunc.call_draft set saved_us = 1")
    assert ayse.open().post("/call/draft", {**ayse.hidden(), **SAID}).status == 204
    assert stack.one("select count(*) from turunc.call_draft") == 1, "old ones go by themselves"


# --- how fast ---

def test_registering_is_quick(stack, ayse):
    took = []
    for n in range(200):
        form = {**ayse.open().hidden(), **SAID, "phone": f"0533 000 {n // 100:02} {n % 100:02}"}
        begun = time.monotonic()
        assert ayse.post("/call/ticket?lang=tr", form).status == 303
        took.append(time.monotonic() - begun)
    took.sort()
    print(f"registered p50={took[100] * 1000:.1f} ms p99={took[197] * 1000:.1f} ms")
    assert took[100] < 2, "others share the machine here; tests/bench measures it"


# --- by name and street ---

def found(stack, ayse, number, **look):
    """The search follows the log a moment behind."""
    stack.wait(lambda: number in (ayse.open().send("look", **look) and ayse.section("Bulunanlar") or ""), 20, f"{look} finds {number}")


def test_found_by_folded_name_and_street(stack, ayse):
    ayse.send("ticket", **{**SAID, "phone": "0532 987 65 50", "first_name": "Şükrü Ağaoğlu", "address_string": "Kızıltoprak Sk. No: 14"})
    number = routed(stack, ayse.number())
    for words in ("sukru agaoglu", "ŞÜKRÜ AĞA", "kiziltoprak sokak", "Kızıltoprak sokağı 14", "987 65 50"):
        found(stack, ayse, number, q=words)
    ayse.open().send("look", q="böyle biri yok")
    assert "Bulunamadı" in ayse.section("Bulunanlar")
    ayse.open().send("look", **{**SAID, "phone": "", "address_string": "KIZILTOPRAK SOKAK NO 14"})
    assert number in ayse.section("Bu adresin kayıtları")
    for elsewhere in ("Kızıltoprak Sokak no 141", "Kızıltoprak Caddesi 14"):
        ayse.open().send("look", **{**SAID, "phone": "", "address_string": elsewhere})
        assert number not in ayse.section("Bu adresin kayıtları"), elsewhere
    for odd in ("'", "a' | 'b", "&&&", ":*", "\\", "()", "<script>"):
        assert ayse.open().send("look", q=odd).status == 200, odd


def test_a_name_does_not_tell_of_special_matters(stack, ayse):
    ayse.send("ticket", **{**SAID, "phone": "0532 987 65 51", "first_name": "Zekeriya Gizlioğlu", "service_code": "evde-saglik",
                           "address_string": "Sırlı sokak 3"})
    special = routed(stack, ayse.number())
    ayse.open().send("ticket", **{**SAID, "phone": "0532 987 65 51", "first_name": "Zekeriya Gizlioğlu", "address_string": "Sırlı sokak 3"})
    plain = routed(stack, ayse.number())
    found(stack, ayse, plain, q="zekeriya gizlioglu")
    stack.wait(lambda: stack.one("select count(*) from turunc.contact_search where ticket_id = %s", ticket_id(special)) == 1, 20)
    ayse.open().send("look", q="zekeriya gizlioglu")
    assert special not in ayse.section("Bulunanlar")
    ayse.open().send("look", **{**SAID, "phone": "", "address_string": "Sırlı sokak 3"})
    assert plain in ayse.section("Bu adresin kayıtları") and special not in ayse.page


def test_a_search_that_takes_too_long_leaves_the_page(stack, ayse):
    with_lock = __import__("psycopg2").connect(stack.conninfo())
    with with_lock.cursor() as cursor:
        cursor.execute("lock table turunc.contact_search in access exclusive mode")
        answer = ayse.open().send("look", **{**SAID, "q": "kimse"})
        assert answer.status == 200 and "çok uzun sürdü" in answer.text and "Derin çukur" in answer.text
        assert ayse.send("ticket", **{**SAID, "phone": "0532 987 65 60"}).status == 303, "registering does not wait for it"
    with_lock.rollback()
    with_lock.close()
