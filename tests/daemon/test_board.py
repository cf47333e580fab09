"""The live board: its alarms and who acknowledges them, its history, its pages without scripts, and screens that
see it by a key."""
import http.client
import json
import time

import pytest
from people import Browser
from router_world import Opener, event
from stack import Stack
from standing_clock import StandingClock

MINUTE_US = 60_000_000
DAY_US = 1440 * MINUTE_US
NOON_US = 1_772_442_000_000_000  # 2026-03-02 12:00 in Istanbul
AWAY = {"X-Forwarded-For": "203.0.113.9"}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    clock = StandingClock(str(tmp_path_factory.mktemp("board") / "clock"), NOON_US)
    with Stack(services=["router", "metrics"], env={"TURUNC_CLOCK_FILE": clock.path}) as stack:
        stack.start()
        yield stack, clock, Opener(stack, clock=clock)


def said(stack):
    return stack.http("metrics", "GET", "/live/state.json").json()


def alarms(stack, kind):
    return [alarm for alarm in said(stack)["alarms"] or [] if alarm["kind"] == kind]


def looked(stack):
    """The figures as they are now have been held against the rules."""
    looks = "turunc_metrics_board_alarm_looks_total"
    before = stack.metric("metrics", looks)
    stack.wait(lambda: stack.metric("metrics", looks) >= before + 2, 20, "a look that began after now")


def call(stack, clock, call_id, kind, ago_s=0):
    body = event.Event(type=f"call.{kind}", call=event.CallStep(call_id=call_id, at_us=clock.at_us - ago_s * 1_000_000))
    stack.sql("select turunc.log_append(%s, array[%s], '{null}', '{null}', '{null}', '{x}', array[%s])",
              clock.at_us, f"call.{kind}", body.SerializeToString())


def test_who_is_shown_no_board_is_told_so_and_cannot_pass_for_the_proxy(world):
    stack = world[0]
    refused = "turunc_metrics_board_forbidden_total"
    before = stack.metric("metrics", refused)
    page = {"Accept": "text/html,*/*", "Accept-Language": "tr"}
    told = stack.http("metrics", "GET", "/live/", headers={**AWAY, **page})
    assert told.status == 403 and "Bu sayfa burada gösterilmiyor" in told.text and 'href="/open-data/?lang=tr"' in told.text
    told = stack.http("metrics", "GET", "/reports/?lang=en", headers={**AWAY, **page})
    assert told.status == 403 and "This page is not shown here" in told.text
    assert "<" not in stack.http("metrics", "GET", "/live/state.json", headers=AWAY).text, "programs are told in words"
    nobody = ("unknown", "203.0.113.9:4711", "_hidden", "", "203.0.113.9,")
    for named in nobody:
        assert stack.http("metrics", "GET", "/live/", headers={"X-Forwarded-For": named}).status == 403, named
    assert stack.metric("metrics", refused) == before + 3 + len(nobody)
    assert stack.http("metrics", "GET", "/live/icon.svg", headers=AWAY).status == 200, "it stands on citizens' pages too"


def test_an_alarm_is_raised_acknowledged_by_a_person_and_ends(world):
    stack, clock, _ = world
    password = stack.user("oya", "operator")
    stack.user("ayse", "clerk", "fen", password=password)
    call(stack, clock, "short", "offered", 100)
    stack.wait(lambda: said(stack)["values"].get("calls.waiting") == 1, 10)
    looked(stack)
    assert said(stack)["values"]["state.wait"] == 1 and alarms(stack, "wait") == []
    call(stack, clock, "long", "offered", 200)
    stack.wait(lambda: alarms(stack, "wait"), 10, "the alarm is told")
    alarm = alarms(stack, "wait")[0]
    assert (alarm["value"], alarm["bound"], alarm["raised_us"]) == (200, 180, clock.at_us)
    assert alarm["acknowledged_us"] is None and alarm["place"] is None
    assert said(stack)["values"]["state.wait"] == 2
    assert stack.metric("metrics", "turunc_metrics_board_alarms_unacknowledged") == 1

    ayse = Browser(stack, "router", "/desk/").sign_in("ayse", password)
    assert ayse.get("/desk/alarms").status == 403
    assert ayse.post("/desk/alarms", {"alarm": str(alarm["id"])}).status == 403
    oya = Browser(stack, "router", "/desk/").sign_in("oya", password)
    page = oya.get("/desk/alarms?lang=tr")
    assert "Bekleyen çağrı" in page.text and "200 sn" in page.text and "Üstlen</button>" in page.text
    assert oya.post("/desk/alarms", {"alarm": str(alarm["id"])}, csrf=False).status == 403
    for wrong in ("", "x", "-1", "1" * 19, "1 or 1=1"):
        assert oya.post("/desk/alarms", {"alarm": wrong}).status == 422, wrong
    assert oya.post("/desk/alarms", {"alarm": "999999"}).status == 409
    assert oya.post("/desk/alarms?lang=tr", {"alarm": str(alarm["id"])}).status == 303
    # Once more is what it was; somebody else comes too late.
    clock.advance(1_000_000)
    assert oya.post("/desk/alarms", {"alarm": str(alarm["id"])}).status == 303
    stack.user("esra", "operator", password=password)
    esra = Browser(stack, "router", "/desk/").sign_in("esra", password)
    assert esra.post("/desk/alarms", {"alarm": str(alarm["id"])}).status == 409
    # The board may hang where anybody passes: it says that it is somebody's, and the desk says whose.
    stack.wait(lambda: alarms(stack, "wait")[0]["acknowledged_us"] == clock.at_us - 1_000_000, 10, "the board says when")
    assert "Üstlenen: oya" in oya.get("/desk/alarms?lang=tr").text
    for path in ("/live/state.json", "/live/tables?lang=tr"):
        page = stack.http("metrics", "GET", path).text
        assert "oya" not in page and (path.endswith("json") or "üstlenildi, " in page), path

    # It ends a minute after it was last so, not at once, and a restart changes nothing of it.
    call(stack, clock, "long", "answered")
    call(stack, clock, "short", "abandoned")
    stack.wait(lambda: said(stack)["values"]["calls.waiting"] == 0, 10)
    stack.kill9("metrics")
    stack.restart("metrics")
    stack.wait(lambda: alarms(stack, "wait"), 20, "the same alarm")
    assert alarms(stack, "wait")[0]["id"] == alarm["id"]
    clock.advance(2 * MINUTE_US)
    stack.wait(lambda: said(stack)["alarms"] == [], 20, "the alarm has ended")
    ended = stack.sql("select ended_us, acknowledged_by from turunc.board_alarm")
    assert ended == [(clock.at_us, "oya")]
    assert " – " in oya.get("/desk/alarms").text


def test_like_reports_of_one_neighbourhood_are_a_surge_unless_they_are_usual(world):
    stack, clock, opener = world
    # One that was raised before its subject became nobody's to read is told no more, and ends.
    stack.sql("insert into turunc.board_alarm (kind, about, value, bound, raised_us, seen_us) values"
              " ('surge', 'fener/evde-saglik', 9, 5, %s, %s), ('level', '', 1, 800, %s, %s)", *4 * [clock.at_us])
    stack.wait(lambda: alarms(stack, "level"), 20, "the alarms were read")
    assert alarms(stack, "surge") == [] and "evde-saglik" not in stack.http("metrics", "GET", "/live/state.json").text
    clock.advance(2 * MINUTE_US)
    stack.wait(lambda: stack.one("select count(*) from turunc.board_alarm where ended_us is null") == 0, 20, "both end")
    opener.open(count=20, subject="cadde-supurme", neighbourhood="fener")
    clock.advance(5 * 60 * MINUTE_US)
    # Four like ones are few; others are not for everybody; of the last kind as many are usual every hour.
    opener.open(count=4, subject="cop-alinmadi", neighbourhood="fener")
    opener.open(count=9, subject="evde-saglik", neighbourhood="fener")
    stack.wait(lambda: said(stack)["values"].get("hour.opened") == 13, 10)
    looked(stack)
    assert alarms(stack, "surge") == []
    opener.open(subject="cop-alinmadi", neighbourhood="fener")
    stack.wait(lambda: alarms(stack, "surge"), 10, "the surge is told")
    found = alarms(stack, "surge")
    assert [(a["value"], a["place"]["tr"], a["place"]["en"]) for a in found] == [
        (5, "Fener: Çöp toplanmadı", "Fener: Rubbish not collected")]
    assert not any(name.startswith(("surge.", "usual.")) for name in said(stack)["values"])
    page = stack.http("metrics", "GET", "/live/tables?lang=en").text
    assert "Surge of reports" in page and "Fener: Rubbish not collected" in page
    # In the seven days before there were 217 of them, of which four times an hour's share is more than five.
    stack.wait(lambda: stack.one("select count(*) from turunc.board_sample where at_us > %s", clock.at_us - 5 * MINUTE_US), 20)
    for _ in range(7):
        clock.advance(DAY_US)
        opener.open(count=31, subject="cop-alinmadi", neighbourhood="fener")
        stack.wait(lambda: said(stack)["values"].get("today") == 31, 10)
    clock.advance(DAY_US)
    opener.open(count=4, subject="cop-alinmadi", neighbourhood="fener")
    opener.open(count=5, subject="cop-alinmadi", neighbourhood="kizilarik")
    stack.wait(lambda: len(alarms(stack, "surge")) == 1 and said(stack)["values"]["today"] == 9, 20)
    opener.open(subject="cop-alinmadi", neighbourhood="fener")
    stack.wait(lambda: said(stack)["values"]["today"] == 10, 10)
    stack.redis.command("flushall")
    stack.wait(lambda: stack.metric("metrics", "turunc_metrics_rebuilds_total") >= 1
               and said(stack)["values"].get("today") == 10, 20, "rebuilt")
    clock.advance(2 * MINUTE_US)
    stack.wait(lambda: [a["place"]["en"] for a in alarms(stack, "surge")] == ["Kızılarık: Rubbish not collected"], 20)


def rows(stack, span):
    answer = stack.http("metrics", "GET", f"/live/history.json?span={span}").json()
    assert answer["span"] == span
    return [dict(zip(["at_us", *answer["names"]], row)) for row in answer["rows"]]


def test_history_is_what_was_sampled_and_holes_stay_holes(world):
    stack, clock, opener = world
    clock.advance(40 * DAY_US - clock.at_us % (120 * MINUTE_US) + 60 * MINUTE_US)

    def sampled():
        return stack.one("select count(*) from turunc.board_sample where at_us = %s", clock.at_us // 300_000_000 * 300_000_000)

    stack.wait(sampled, 20, "a sample")
    first = said(stack)["values"]["open"]
    stack.wait(lambda: [r["open"] for r in rows(stack, "day")] == [first], 20, "the history has it")
    began = clock.at_us
    # The sample of this slot is taken before anything changes, so that none is under way when it is deleted.
    clock.advance(5 * MINUTE_US)
    stack.wait(sampled, 20, "a sample that will be lost")
    opener.open(count=10)
    stack.wait(lambda: said(stack)["values"]["open"] == first + 10, 10)
    stack.sql("delete from turunc.board_sample where at_us > %s", began)
    clock.advance(5 * MINUTE_US)
    stack.wait(sampled, 20, "a second sample")
    stack.wait(lambda: [r["open"] for r in rows(stack, "day")] == [first + 5], 20, "the mean of both")
    assert rows(stack, "day")[0]["at_us"] == began and rows(stack, "day")[0]["level"] is None
    # Nothing was sampled for most of a day: two points, and nothing made up in between.
    clock.advance(DAY_US - 10 * MINUTE_US)
    stack.wait(lambda: len(rows(stack, "week")) == 2, 20, "two points")
    week = rows(stack, "week")
    assert [r["open"] for r in week] == [first + 5, first + 10] and week[1]["at_us"] - week[0]["at_us"] == DAY_US
    assert (week[0]["at_us"] + 180 * MINUTE_US) % (120 * MINUTE_US) == 0
    assert len(rows(stack, "month")) == 2
    stack.wait(lambda: said(stack)["values"].get("then.open") == first, 10, "what was a day ago")
    assert stack.http("metrics", "GET", "/live/history.json?span=year").status == 400
    page = stack.http("metrics", "GET", "/live/tables?lang=tr&span=week").text
    assert page.count("<tr><th scope=\"row\">", page.index("history-rows")) == 2
    assert f">{first + 5:,}<".replace(",", ".") in page and "Dün bu saatte" in page


def test_a_sample_that_is_refused_is_tried_again_ever_more_slowly_and_told_once(world):
    stack, clock, _ = world
    failed = "turunc_metrics_board_samples_failed_total"
    before, words = stack.metric("metrics", failed), "samples of the board not taken"
    told = stack.process["metrics"].log().count(words)
    stack.sql("revoke insert on turunc.board_sample from turunc_metrics")
    clock.advance(5 * MINUTE_US)
    stack.wait(lambda: stack.metric("metrics", failed) >= before + 3, 30, "tried again")
    assert stack.process["metrics"].log().count(words) == told + 1
    stack.sql("grant insert on turunc.board_sample to turunc_metrics")
    slot = clock.at_us // 300_000_000 * 300_000_000
    stack.wait(lambda: stack.one("select count(*) from turunc.board_sample where at_us = %s", slot), 30, "taken after all")


def test_a_screen_sees_the_board_by_its_key_until_it_is_revoked(world):
    stack, _, _ = world
    key = json.loads(stack.masa("client", "add", "ekran", "--http", "--verbs", "board", "--json"))["api_key"]
    other = stack.api_key("yalniz-bildirim")
    for path in ("/live/", "/live/state.json", "/live/history.json", "/live/tables", "/live/events", "/live/wall/trn_x",
                 f"/live/wall/{other}"):
        assert stack.http("metrics", "GET", path, headers=AWAY).status == 403, path
    stack.wait(lambda: stack.http("metrics", "GET", f"/live/wall/{key}", headers=AWAY).status == 303, 10,
               "the key is known")
    answer = stack.http("metrics", "GET", f"/live/wall/{key}", headers=AWAY)
    cookie = answer.headers["Set-Cookie"]
    assert answer.headers["Location"] == "/live/?wall" and answer.headers["Cache-Control"] == "no-store"
    assert "Path=/live/" in cookie and "HttpOnly" in cookie and "SameSite=Lax" in cookie
    mine = {**AWAY, "Cookie": "a=b; " + cookie.split(";")[0]}
    for headers in (mine, {**AWAY, "Authorization": f"Bearer {key}"}):
        for path in ("/live/", "/live/board.js", "/live/state.json", "/live/history.json", "/live/tables"):
            assert stack.http("metrics", "GET", path, headers=headers).status == 200, path
        # It opens the board and nothing beside it.
        assert stack.http("metrics", "GET", "/live/satisfaction", headers=headers).status == 403
        assert stack.http("metrics", "GET", "/reports/", headers=headers).status == 403
        assert stack.http("router", "GET", "/desk/", headers=headers).status in (302, 303, 401)
    stream = http.client.HTTPConnection("127.0.0.1", stack.port["metrics_http"], timeout=30)
    stream.request("GET", "/live/events", headers=mine)
    opened = stream.getresponse()
    assert opened.status == 200 and opened.readline().startswith(b"retry")
    stack.masa("client", "revoke", "ekran")
    # It ends where the key is one no more; a beat comes every two seconds as long as it does not.
    limit = time.monotonic() + 30
    while opened.readline():
        assert time.monotonic() < limit, "the stream goes on without its key"
    stream.close()
    assert stack.metric("metrics", "turunc_metrics_board_keys_ended_total") == 1
    assert stack.http("metrics", "GET", "/live/state.json", headers=mine).status == 403
    # The address alone would do here; a key that was taken away does not shut its screen out of it.
    assert stack.http("metrics", "GET", "/live/state.json", headers={"Cookie": mine["Cookie"]}).status == 200


def test_every_figure_that_a_script_shows_is_on_the_page_of_tables_in_both_languages(world):
    stack, _, _ = world
    words = {"tr": ("Alarmlar", "Şu anda", "Kanallar", "Birimler", "Durumlar", "Geçmiş", "Hizmet düzeyi", "CİMER"),
             "en": ("Alarms", "Right now", "Channels", "Departments", "Statuses", "History", "Service level", "CİMER")}
    values = said(stack)["values"]
    for lang, wanted in words.items():
        page = stack.http("metrics", "GET", f"/live/tables?lang={lang}").text
        assert all(word in page for word in wanted), lang
        number = f"{values['open']:,}"
        assert f">{number if lang == 'en' else number.replace(',', '.')}<" in page
        assert "<script" not in page and "style=" not in page
