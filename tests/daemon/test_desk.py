"""The desk: what a clerk and an operator see, do, and may not do."""
import re
import uuid

import pytest
from desk_world import DeskWorld, text_of
from router_world import Client, add_client, done
from stack import Stack


@pytest.fixture(scope="module")
def world():
    with Stack(services=["router"]) as stack:
        made = DeskWorld(stack)
        stack.start()
        made.sign_everybody_in()
        yield made
        made.reader.check()


def forms(page):
    """verb -> the hidden fields of its form."""
    found = {}
    for form in re.findall(r"<form.*?</form>", page.text, re.S):
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
        if "verb" in fields:
            found[fields["verb"]] = fields
    return found


# --- seeing ----------------------------------------------------------------------------------------

def test_a_queue_shows_what_waits_there_and_nothing_else(world):
    mine = world.routed("cop-alinmadi", "fener")
    others = world.routed("yol-cukur")
    assert world.reader.state(others)["department"] == "fen"
    page = world.ayse.get("/desk/?lang=tr")
    assert page.status == 200 and mine in page.text and others not in page.text
    assert "Çöp toplanmadı" in page.text and "Fener" in page.text and "what was said" in page.text
    assert others in world.fatma.get("/desk/").text
    both = world.iki.get("/desk/").text
    assert mine in both and others in both
    only = world.iki.get("/desk/?department=fen").text
    assert mine not in only and others in only
    # The operator sees any, once chosen.
    assert others in world.oya.get("/desk/?department=fen").text


def test_filters_and_orders(world):
    a = world.routed("cop-alinmadi", "fener")
    b = world.routed("cadde-supurme", "balbey")
    page = world.ayse.get("/desk/?neighbourhood=balbey&lang=tr").text
    assert b in page and a not in page
    page = world.ayse.get("/desk/?subject=cop-alinmadi&lang=tr").text
    assert a in page and b not in page
    assert world.ayse.step(a, "accept", 2).status == 303
    page = world.ayse.get("/desk/?status=4&lang=tr").text
    assert a in page and b not in page
    by_place = world.ayse.get("/desk/?order=2").text
    assert by_place.index(b) < by_place.index(a)
    by_subject = world.ayse.get("/desk/?order=3").text
    assert by_subject.index(b) < by_subject.index(a)


def test_pages_follow_each_other_without_a_gap(world):
    world.opener.open("konteyner-hasar", count=130)
    world.stack.wait(lambda: world.stack.one(
        "select count(*) from turunc.ticket_state where subject_code = 'konteyner-hasar'") >= 130)
    for order in (1, 2, 3):
        seen, path = [], f"/desk/?subject=konteyner-hasar&order={order}&lang=tr"
        while path:
            page = world.ayse.get(path)
            assert page.status == 200
            seen += re.findall(r'<tr id="t-([\d-]+)"', page.text)
            more = re.search(r'class="button" href="([^"]+)">Sonraki', page.text)
            path = more and more.group(1).replace("&amp;", "&")
        assert len(seen) == len(set(seen)) == 130, order


def test_a_ticket_with_all_that_happened(world):
    number = world.routed("cop-alinmadi", "fener", basis=2)
    assert world.ayse.step(number, "accept", 2).status == 303
    assert world.ayse.step(number, "wait", 3, reason="hava", until="2031-01-31",
                           text="Yağmur dinince.").status == 303
    assert world.ayse.step(number, "transfer", 4, department="fen", reason="konu-yanlis").status == 303
    assert world.ayse.ticket(number).status == 403
    assert world.fatma.step(number, "answer", 5, text="Ekip\r\nyolda <b>").status == 303
    page = world.fatma.ticket(number)
    said = text_of(page)
    for expected in ("Yönlendirildi", "İncelemeye alındı", "Hava koşulları", "31.01.2031", "Yağmur dinince.",
                     "Konusu yanlış seçilmiş", "ayse", "fatma", "Ekip\nyolda <b>", "Bilgi edinme, 4982",
                     "what was said", "A B", "Gezdiği birimler", "Temizlik İşleri Müdürlüğü"):
        assert expected in said, expected
    assert "Ekip\nyolda &lt;b&gt;" in page.text
    english = text_of(world.fatma.get(f"/desk/ticket/{number}?lang=en"))
    assert "Information, law 4982" in english and "The subject is wrong" in english


def test_neighbours_and_joins_are_shown_and_taken_back(world):
    first = world.routed("cop-alinmadi", "demircikara")
    second = world.routed("cop-alinmadi", "demircikara")
    assert second in world.ayse.ticket(first).text
    assert "join" not in forms(world.ayse.ticket(second)) and "join" in forms(world.cem.ticket(second))
    assert world.cem.step(second, "join", 2, primary=first.replace("-", " ")).status == 303
    assert world.reader.state(second)["status"] == "duplicate"
    assert "Bununla birleştirilenler" in world.oya.ticket(first).text
    assert f'asıl başvuru: <a class="no" href="/desk/ticket/{first}' in world.oya.ticket(second).text
    foreign = world.routed("yol-cukur", "demircikara")
    assert world.cem.step(foreign, "join", 2, primary=first).status == 303
    assert foreign in world.ayse.ticket(first).text and "başka birimde" in world.ayse.ticket(first).text
    assert f"/desk/ticket/{foreign}" not in world.ayse.ticket(first).text and world.ayse.ticket(foreign).status == 403
    assert f"/desk/ticket/{foreign}" in world.cem.ticket(first).text
    assert "separate" in forms(world.cem.ticket(second))
    assert world.cem.step(second, "separate", 3).status == 303
    assert world.reader.state(second)["status"] == "triage"


def test_what_is_typed_in_the_field_above_opens_the_ticket(world):
    number = world.routed()
    answer = world.ayse.get(f"/desk/search?q={number.replace('-', '')}&lang=tr")
    assert (answer.status, answer.headers["Location"]) == (303, f"/desk/ticket/{number}?lang=tr")
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert "Hiçbir başvuru bulunamadı" in world.ayse.get(f"/desk/search?q={wrong}&lang=tr").text
    assert world.ayse.ticket(wrong).status == 404
    assert world.ayse.ticket("26-9999999-9").status == 404


# --- doing -----------------------------------------------------------------------------------------

def test_the_forms_are_those_the_table_allows(world):
    number = world.routed()
    assert set(forms(world.ayse.ticket(number))) == {
        "accept", "start", "resolve", "answer", "note", "transfer", "triage", "forward", "reject", "amend"}
    assert set(forms(world.oya.ticket(number))) == set(forms(world.ayse.ticket(number))) | {"join", "withdraw"}
    assert set(forms(world.cem.ticket(number))) == {"note", "join"}
    assert forms(world.vedat.ticket(number)) == {}
    fields = forms(world.ayse.ticket(number))["accept"]
    answer = world.ayse.post(f"/desk/ticket/{number}?lang=tr", fields)
    assert answer.status == 303 and "done=accept" in answer.headers["Location"]
    page = world.ayse.get(answer.headers["Location"])
    assert "İncelemeye alındı." in page.text and "wait" in forms(page)
    kind, record = world.reader.records(number)[-1]
    assert (kind, record.actor, record.step.command_id) == ("ticket.accepted", "user:ayse", fields["id"])


def test_each_ending_has_its_reasons(world):
    page = world.ayse.ticket(world.routed()).text
    of = {verb: re.search(rf'value="{verb}">.*?</form>', page, re.S).group(0) for verb in ("resolve", "reject")}
    assert "yapildi" in of["resolve"] and "yapildi" not in of["reject"] and "asilsiz" in of["reject"]
    number = world.routed()
    refused = world.ayse.step(number, "resolve", 2, reason="asilsiz", text="Olmadı")
    assert refused.status == 422 and "Bu adıma uyan bir neden seçin." in refused.text
    assert "Olmadı" in refused.text
    assert world.ayse.step(number, "forward", 2, reason="ilgili-kuruma", institution="asat",
                           reference="2026/17").status == 303
    assert "2026/17" in world.ayse.ticket(number).text


def test_a_form_sent_twice_is_done_once(world):
    number = world.routed()
    form = str(uuid.uuid4())
    assert world.ayse.step(number, "accept", 2, form_id=form).status == 303
    assert world.ayse.step(number, "accept", 2, form_id=form).status == 303
    assert world.version(number) == 3
    assert world.ayse.step(number, "start", 3, form_id=form).status == 409
    assert world.version(number) == 3
    # The same id of somebody else is another command.
    assert world.iki.step(number, "start", 3, form_id=form).status == 303


def test_somebody_changed_it(world):
    number = world.routed()
    assert world.iki.step(number, "accept", 2).status == 303
    page = world.ayse.step(number, "resolve", 2, reason="yapildi", text="Temizlendi <i>& bitti")
    assert page.status == 409 and "başka biri bu başvuruyu değiştirdi" in page.text
    assert "Temizlendi &lt;i&gt;&amp; bitti" in page.text
    assert re.search(r'value="yapildi" selected', page.text)
    assert '<li class="new"><b>İncelemeye alındı' in page.text
    again = forms(page)["resolve"]
    assert again["version"] == "3"
    assert world.ayse.step(number, "resolve", 3, reason="yapildi", text="Temizlendi").status == 303


def test_the_bus_and_the_desk_see_each_other(world):
    number = world.routed()
    bus = Client(world.stack, add_client(world.stack, "temizlik-sistemi", departments=("temizlik",)))
    done(bus.command(number, 2, "accept"))
    assert "temizlik-sistemi" in world.ayse.ticket(number).text
    assert world.ayse.step(number, "accept", 2).status == 409
    assert world.ayse.step(number, "start", 3).status == 303
    done(bus.command(number, 4, "resolve", reason_code="yapildi"))
    bus.close()


# --- many at once ----------------------------------------------------------------------------------

def bulk(person, chosen, form_id=None, **fields):
    body = [("csrf", person.csrf), ("id", form_id or str(uuid.uuid4())), *fields.items(),
            *(("t", one) for one in chosen)]
    return person._take(person.stack.http("router", "POST", "/desk/bulk?lang=tr", form=body,
                                          headers=person.headers()))


def test_many_are_accepted_each_by_itself(world):
    numbers = [world.routed() for _ in range(3)]
    assert world.iki.step(numbers[2], "accept", 2).status == 303
    form = str(uuid.uuid4())
    page = bulk(world.ayse, [f"{n}:2" for n in numbers], form, verb="accept")
    assert page.status == 409 and "Seçilen: 3, yapılan: 2." in page.text
    assert "başka biri" in page.text
    assert [world.version(n) for n in numbers] == [3, 3, 3]
    again = bulk(world.ayse, [f"{n}:2" for n in numbers[:2]], form, verb="accept")
    assert again.status == 200 and [world.version(n) for n in numbers] == [3, 3, 3]


def undo(person, page):
    """Presses the page's button: the form's fields as they stand."""
    form = re.search(r'<form method="post" class="undo".*?</form>', page.text, re.S).group(0)
    fields = re.findall(r'name="(\w+)" value="([^"]*)"', form)
    answer = person.stack.http("router", "POST", "/desk/bulk?lang=tr", form=fields, headers=person.headers())
    return fields, answer


def test_an_acceptance_of_many_can_be_taken_back_until_work_begins(world):
    numbers = [world.routed() for _ in range(3)]
    due = [world.reader.state(n)["service_due_us"] for n in numbers]
    page = bulk(world.ayse, [f"{n}:2" for n in numbers], verb="accept")
    assert page.status == 200 and "İncelemeye almayı geri al" in page.text
    assert world.ayse.step(numbers[2], "start", 3).status == 303
    fields, back = undo(world.ayse, page)
    assert dict(fields)["verb"] == "release" and back.status == 409 and "yapılan: 2." in back.text
    assert 'class="undo"' not in back.text
    states = [world.reader.state(n) for n in numbers]
    assert [(s["department"], s["version"]) for s in states] == [("temizlik", 4)] * 3
    assert [s["status"] for s in states] == ["routed", "routed", "in_progress"], "two wait in the queue again, one is being worked on"
    assert [s["service_due_us"] for s in states] == due, "the promise runs on"


def test_a_transfer_of_many_can_be_taken_back_by_whoever_may(world):
    numbers = [world.routed() for _ in range(2)]
    page = bulk(world.ayse, [f"{n}:2" for n in numbers], verb="transfer", department="fen", reason="konu-yanlis")
    assert page.status == 200 and 'class="undo"' not in page.text, "it is not hers any more"
    more = [world.routed() for _ in range(2)]
    page = bulk(world.iki, [f"{n}:2" for n in more], verb="transfer", department="fen", reason="konu-yanlis")
    fields, back = undo(world.iki, page)
    assert sorted(value for name, value in fields if name == "t") == sorted(f"{n}:3:temizlik" for n in more)
    assert back.status == 200
    assert [world.reader.state(n)["department"] for n in numbers + more] == ["fen"] * 2 + ["temizlik"] * 2


def test_many_at_once_is_offered_to_whom_it_is_not_refused(world):
    number = world.routed()
    for person, path, offered in ((world.cem, "/desk/?department=temizlik&lang=tr", False),
                                  (world.vedat, "/desk/?lang=tr", False), (world.ayse, "/desk/?lang=tr", True),
                                  (world.oya, "/desk/?department=temizlik&lang=tr", True)):
        page = person.get(path).text
        assert number in page
        assert ('action="/desk/bulk' in page) == ('name="t"' in page) == offered, person.name
    refused = bulk(world.cem, [f"{number}:2"], verb="accept")
    assert refused.status == 409 and world.version(number) == 2


def test_too_many_and_none(world):
    number = world.routed()
    assert bulk(world.ayse, [], verb="accept").status == 400
    assert bulk(world.ayse, [f"{number}:2"], verb="resolve").status == 400
    many = [f"26-{i:07d}-" for i in range(101)]
    assert bulk(world.ayse, many, verb="accept").status == 400
    assert world.version(number) == 2


# --- triage ----------------------------------------------------------------------------------------

def test_triage_is_the_operators_and_guesses_by_words(world):
    number = world.opener.open("", "fener")
    world.reader.wait_status(number, "triage")
    world.stack.sql("update turunc.contact set description = 'Konteyner kırılmış, kapağı da yok' "
                    "where ticket_id = %s", world.opener.id_of(number))
    assert number not in world.ayse.get("/desk/").text
    assert world.ayse.get("/desk/?department=-").status == 403
    page = world.oya.get("/desk/?department=-&lang=tr")
    assert page.status == 200 and number in page.text and "Konusu yok" in page.text
    entry = re.search(rf"<li>(?:(?!</li>).)*{number}.*?</li>", page.text, re.S).group(0)
    guess = re.search(r"<form.*?</form>", entry, re.S).group(0)
    assert "Çöp konteyneri kırık" in guess
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', guess))
    answer = world.oya.post(f"/desk/ticket/{number}?lang=tr", fields)
    assert answer.status == 303 and answer.headers["Location"].startswith("/desk/?")
    state = world.reader.state(number)
    assert (state["status"], state["department"], state["subject"]) == ("routed", "temizlik", "konteyner-hasar")


# --- special categories ----------------------------------------------------------------------------

def viewed(world, number):
    return [record.actor for kind, record in world.reader.records(number) if kind == "ticket.viewed"]


def test_every_look_at_a_special_category_is_in_the_log_first(world):
    number = world.routed("evde-saglik")
    department = world.reader.state(number)["department"]
    world.stack.user("hemsire", "clerk", department)
    nurse = type(world.oya)(world.stack, "hemsire").sign_in("hemsire", "four small words here")
    queue = nurse.get("/desk/?lang=tr")
    assert number in queue.text and "what was said" not in queue.text and "Özel nitelikli" in queue.text
    assert viewed(world, number) == []
    page = nurse.ticket(number)
    assert page.status == 200 and "what was said" in page.text
    assert viewed(world, number) == ["user:hemsire"]
    nurse.ticket(number)
    world.oya.ticket(number)
    assert viewed(world, number) == ["user:hemsire", "user:hemsire", "user:oya"]
    # Another department is told that it is there, and nothing else; nobody looked.
    page = world.ayse.ticket(number)
    assert page.status == 403 and "what was said" not in page.text and "Evde" not in page.text
    assert len(viewed(world, number)) == 3


def test_a_subject_that_has_left_the_catalogue_is_held_as_special(world):
    """Nobody can say any more that it was not."""
    number = world.routed()
    world.stack.sql("update turunc.ticket_state set subject_code = 'kalkan-konu' where ticket_id = %s",
                    world.opener.id_of(number))
    assert "what was said" not in world.ayse.get("/desk/?lang=tr").text.split(number)[1].split("</tr>")[0]
    assert world.ayse.ticket(number).status == 200
    assert viewed(world, number) == ["user:ayse"]


def test_a_viewer_sees_no_person(world):
    number = world.routed()
    page = world.vedat.ticket(number)
    assert page.status == 200 and "what was said" in page.text
    assert "A*** B***" in page.text and ">A B<" not in page.text
    assert world.vedat.step(number, "note", 2, text="x").status == 403
    assert world.version(number) == 2


# --- who may not -----------------------------------------------------------------------------------

def test_another_departments_clerk_neither_reads_nor_acts(world):
    number = world.routed()
    page = world.fatma.ticket(number)
    assert page.status == 403 and "what was said" not in page.text and "A B" not in page.text
    assert world.fatma.step(number, "accept", 2).status == 403
    assert "what was said" not in world.fatma.step(number, "accept", 2).text
    assert world.fatma.get("/desk/?department=temizlik").status == 403
    assert bulk(world.fatma, [f"{number}:2"], verb="accept").status == 409
    assert world.version(number) == 2


def test_rights_are_those_of_the_moment_of_deciding(world):
    """A right that is taken away between the request and the decision is not there any more."""
    number = world.routed()
    world.stack.user("gecici", "clerk", "temizlik")
    someone = type(world.oya)(world.stack, "gecici").sign_in("gecici", "four small words here")
    world.stack.sql("update turunc.person set departments = '{fen}' where name = 'gecici'")
    assert someone.step(number, "accept", 2).status == 403
    assert world.version(number) == 2


def test_a_form_from_elsewhere_does_nothing(world):
    number = world.routed()
    for wrong in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = world.ayse.post(f"/desk/ticket/{number}", {
            "id": str(uuid.uuid4()), "version": 2, "verb": "accept"}, **wrong)
        assert answer.status == 403
    answer = world.ayse.post(f"/desk/ticket/{number}", {
        "id": str(uuid.uuid4()), "version": 2, "verb": "accept", "csrf": "x"})
    assert answer.status == 403 and world.version(number) == 2
    stranger = type(world.oya)(world.stack, "nobody")
    assert stranger.get("/desk/").status == 303
    assert stranger.ticket(number).headers["Location"].startswith("/desk/sign-in?")
    assert world.stack.http("router", "GET", "/desk/events").status == 401


@pytest.mark.parametrize("fields, status", [
    ({"version": "-1"}, 409), ({"version": "99999999999"}, 409), ({"version": ""}, 409),
    ({"id": "x"}, 422), ({"verb": "close"}, 409), ({"verb": "drop table"}, 422),
    ({"verb": "note", "text": ""}, 422), ({"verb": "note", "text": "x" * 9000}, 422),
    ({"verb": "transfer", "department": "yok", "reason": "x"}, 422),
    ({"verb": "wait", "reason": "hava", "until": "31.12.2031"}, 409),
])
def test_forged_fields(world, fields, status):
    number = world.routed()
    answer = world.oya.step(number, fields.get("verb", "accept"), fields.get("version", 2),
                            form_id=fields.get("id"),
                            **{k: v for k, v in fields.items() if k not in ("verb", "version", "id")})
    assert answer.status == status, answer
    assert world.version(number) == 2


def test_nothing_typed_becomes_markup(world):
    nasty = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'"
    number = world.routed()
    world.stack.sql("update turunc.contact set description = %s, address = %s, name = %s, phone = %s, email = %s, "
                    "media_url = %s, answers = %s where ticket_id = %s", nasty, nasty, nasty, nasty, nasty,
                    "javascript:alert(1)//" + nasty, '{"' + nasty.replace('"', "") + '": ["<b>x</b>"]}',
                    world.opener.id_of(number))
    for verb in ("note", "answer"):
        assert world.ayse.step(number, verb, world.version(number), text=nasty).status == 303
    pages = [world.ayse.ticket(number), world.ayse.get("/desk/"), world.vedat.ticket(number),
             world.ayse.step(number, "wait", 99, text=nasty, reason=nasty, until=nasty),
             world.oya.step(number, "forward", 99, reference=nasty, institution=nasty, text=nasty),
             world.oya.step(number, "join", 99, primary=nasty),
             world.ayse.get("/desk/?department=" + "%22%3E%3Cscript%3E"),
             world.ayse.get("/desk/?subject=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&k=%22%3E%3Cscript%3E")]
    for page in pages:
        without = page.text.replace('<script type="module" src="/desk/assets/desk.js"></script>', "")
        assert "<script" not in without and "<img" not in without and "<b>x" not in without
        assert 'href="javascript' not in without
        assert "default-src 'self'" in page.headers["Content-Security-Policy"]


# --- while the record is away ----------------------------------------------------------------------

def test_files_come_with_the_program(world):
    for name, kind in (("desk.css", "text/css"), ("desk.js", "text/javascript"), ("icon.svg", "image/svg+xml")):
        answer = world.stack.http("router", "GET", f"/desk/assets/{name}")
        assert answer.status == 200 and answer.headers["Content-Type"].startswith(kind)
