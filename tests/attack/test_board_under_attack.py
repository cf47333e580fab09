"""Those who may not see the board guess keys of screens and send odd ones; whoever has a key tries what is not the board;
meanwhile an honest screen goes on."""
import http.client
import json
import secrets

import pytest
from stack import Stack

AWAY = {"X-Forwarded-For": "203.0.113.9"}
GUESSES = 400


@pytest.fixture(scope="module")
def stack():
    with Stack(services=("router", "metrics")) as made:
        made.start()
        yield made


def key(stack, name, *more):
    return json.loads(stack.masa("client", "add", name, "--http", *more, "--json"))["api_key"]


def test_keys_are_guessed_and_bent(stack):
    mine = key(stack, "ekran", "--verbs", "board")
    honest = {**AWAY, "Cookie": f"turunc_wall={mine}"}
    stack.wait(lambda: stack.http("metrics", "GET", "/live/state.json", headers=honest).status == 200, 10)
    others = [key(stack, "yayin"), key(stack, "gecmis", "--verbs", "board", "--expires", "2999-01-01")]
    stack.masa("client", "revoke", "gecmis")
    stack.sql("update turunc.client_grant set expires_us = 1 where name = 'gecmis'")
    bent = [mine[:-1], mine + "A", mine.swapcase(), f" {mine}", f'"{mine}"', mine + "%00", "../" + mine, "", "A" * 5000,
            "' or 1=1 --", "trn_" + "A" * 32, *others]
    link = http.client.HTTPConnection("127.0.0.1", stack.port["metrics_http"], timeout=30)

    def status(path, headers):
        link.request("GET", path, headers=headers)
        answer = link.getresponse()
        answer.read()
        return answer.status

    stack.wait(lambda: status("/live/state.json", {**AWAY, "Cookie": f"turunc_wall={others[1]}"}) == 403, 10)
    for value in bent:
        assert status("/live/state.json", {**AWAY, "Cookie": f"turunc_wall={value}"}) in (400, 403, 431), value[:40]
        assert status("/live/state.json", {**AWAY, "Authorization": f"Bearer {value}"}) in (400, 403, 431), value[:40]
    for n in range(GUESSES):
        guess = "trn_" + secrets.token_urlsafe(24)
        assert status(f"/live/wall/{guess}", {"X-Forwarded-For": f"198.51.100.{n % 250}"}) == 403
        if n % 40 == 0:
            assert status("/live/state.json", honest) == 200
    link.close()
    assert stack.metric("metrics", "turunc_metrics_board_forbidden_total") >= GUESSES


def test_a_key_of_a_screen_opens_nothing_else(stack):
    mine = key(stack, "ekran-iki", "--verbs", "board")
    known = {**AWAY, "Cookie": f"turunc_wall={mine}", "Authorization": f"Bearer {mine}"}
    stack.wait(lambda: stack.http("metrics", "GET", "/live/state.json", headers=known).status == 200, 10)
    for path in ("/live/satisfaction", "/live/satisfaction.json", "/reports/", "/reports/2026-03", "/reports/2026-03/csv"):
        assert stack.http("metrics", "GET", path, headers=known).status in (403, 404), path
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert stack.http("metrics", method, "/live/state.json", headers=known).status in (403, 404, 405, 501), method
    for path in ("/desk/", "/desk/alarms", "/desk/failed"):
        assert stack.http("router", "GET", path, headers=known).status in (303, 401, 403), path
    stack.sql("insert into turunc.board_alarm (kind, about, value, bound, raised_us, seen_us, ended_us) "
              "select 'surge', 'a/b', 5, 5, now, now, now from (select extract(epoch from clock_timestamp())::bigint * 1000000) t(now)")
    alarm = stack.one("select alarm_id from turunc.board_alarm where about = 'a/b'")
    answer = stack.http("router", "POST", "/desk/alarms", form={"alarm": str(alarm)}, headers=known)
    assert answer.status in (303, 401, 403)
    assert stack.one("select acknowledged_by from turunc.board_alarm where alarm_id = %s", alarm) is None
    for span in ("", "year", "day%00", "DAY", "A" * 3000):
        assert stack.http("metrics", "GET", f"/live/history.json?span={span}", headers=known).status in (400, 414), span[:20]
