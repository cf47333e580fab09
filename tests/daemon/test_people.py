"""Signing in: who gets in, who stays in, who may do what, and what is written down of it."""
import json
import re
import socket
import time

import pytest

from people import Browser
from process import within
from stack import Stack

HOUR_US = 3_600_000_000


@pytest.fixture(scope="module")
def stack():
    with Stack(services=["intake", "router"], env={"TURUNC_PEOPLE_KEEP": "200ms", "TURUNC_PEOPLE_USER_TRIES": "1000",
                                                   "TURUNC_PEOPLE_ADDRESS_TRIES": "1000"}) as made:
        made.password = made.user("ayse", "clerk,viewer", "temizlik")
        made.start()
        yield made


def at_desk(stack, **more):
    return Browser(stack, "router", "/desk/", **more)


def signed_in(stack, name="ayse", **more):
    return at_desk(stack, **more).sign_in(name, stack.password)


def acts(stack, name="ayse"):
    return [kind for kind, in stack.sql("select kind from turunc.person_act where name = %s order by act_no", name)]


def is_in(someone):
    answer = someone.get("/desk/password")
    assert answer.status in (200, 303), answer
    return answer.status == 200


def seen(stack, name):
    return stack.one("select max(seen_us) from turunc.person_session where name = %s", name)


def use_is_written_down(stack, someone, name="ayse"):
    """A use of now, and with it all that anybody did before."""
    def written():
        began_us = time.time_ns() // 1000
        return is_in(someone) and within(lambda: seen(stack, name) >= began_us, 2)
    stack.wait(written, what="use is written down")


def gone(stack, someone):
    """Reading is believed for a second; changing never is."""
    assert someone.post("/desk/password", {"old": "", "new": "", "again": ""}).status == 401
    stack.wait(lambda: not is_in(someone), 10, "the session is over")


# --- in and out ------------------------------------------------------------------------------------

def test_signs_in_once_for_both_services(stack):
    someone = at_desk(stack)
    answer = someone.try_to_sign_in(" Ayse ", stack.password)
    assert (answer.status, answer.headers["Location"]) == (303, "/desk/")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Strict") and "Max-Age" not in cookie
    page = someone.get("/desk/password")
    assert page.status == 200 and "Ayse" in page.text and page.headers["Cache-Control"] == "no-store"
    someone.service, someone.prefix = "intake", "/call/"
    assert someone.get("/call/password").status == 200
    # Only a digest of the token is kept.
    rows = " ".join(map(str, stack.sql("select s::text from turunc.person_session s")))
    assert someone.cookie not in rows
    assert acts(stack)[-1] == "signed-in"
    answer = someone.post("/call/sign-out")
    assert (answer.status, answer.headers["Location"]) == (303, "/call/sign-in?left=1")
    assert someone.cookie is None and acts(stack)[-1] == "signed-out"
    assert "Oturumunuz kapatıldı." in someone.get("/call/sign-in?left=1").text


def test_strangers_are_sent_to_sign_in_and_back(stack):
    someone = at_desk(stack)
    answer = someone.get("/desk/password?a=1&b=%C3%BC%20x")
    assert (answer.status, answer.headers["Location"]) == (303, "/desk/sign-in?next=/desk/password%3Fa%3D1%26b%3D%25C3%25BC%2520x")
    page = someone.get(answer.headers["Location"])
    hidden = re.search(r'name="next" value="([^"]+)"', page.text).group(1).replace("&amp;", "&")
    assert hidden == "/desk/password?a=1&b=%C3%BC%20x"
    answer = someone.try_to_sign_in("ayse", stack.password, hidden)
    assert (answer.status, answer.headers["Location"]) == (303, hidden)
    assert someone.get(hidden).status == 200
    # Who is signed in has nothing to do there.
    answer = someone.get("/desk/sign-in?next=/desk/password")
    assert (answer.status, answer.headers["Location"]) == (303, "/desk/password")


def test_programs_are_told_in_json(stack):
    someone = at_desk(stack)
    for method in ("get", "post"):
        answer = getattr(someone, method)("/desk/password", Accept="application/json")
        assert (answer.status, answer.json()) == (401, {"error": "not_signed_in"})
    page = someone.post("/desk/password")
    assert page.status == 401 and "hiçbir işlem yapılmadı" in page.text


@pytest.mark.parametrize("name, password", [
    ("ayse", "four small word"), ("ayse", "Four small words here"), ("ayse", "x"), ("ayse", "ş" * 128),
    ("mehmet", "four small words here"), ("", "four small words here"), ("ayşe", "four small words here"),
    ("four small words here", "ayse"), ("x" * 64, "x"), ("ayse' or '1'='1", "' or '1'='1"), ("ayse", "x" * 257)])
def test_wrong_is_wrong_in_the_same_words(stack, name, password):
    someone = at_desk(stack)
    answer = someone.try_to_sign_in(name, password)
    assert answer.status == 401 and "Kullanıcı adı veya parola hatalı." in answer.text
    assert someone.cookie is None and "Set-Cookie" not in answer.headers
    # What was typed where a name goes may have been a password.
    assert stack.one("select count(*) from turunc.person_act where name is not null and name <> 'ayse'") == 0
    assert stack.one("select count(*) from turunc.person_act where kind = 'refused' and at_us > 0") > 0 or len(password) > 256


def test_pages_speak_both_languages(stack):
    someone = at_desk(stack)
    turkish, english = someone.get("/desk/sign-in"), someone.get("/desk/sign-in?lang=en&next=/desk/x")
    assert 'lang="tr"' in turkish.text and "Personel girişi" in turkish.text and "Giriş yap" in turkish.text
    assert 'lang="en"' in english.text and "Staff sign-in" in english.text
    assert "/desk/sign-in?lang=tr&amp;next=/desk/x" in english.text     # nothing is lost by changing it
    assert "Personel" in someone.get("/desk/sign-in", **{"Accept-Language": "tr"}).text
    assert "Staff" in someone.get("/desk/sign-in", **{"Accept-Language": "en-GB,en"}).text
    for page in (turkish, english):
        assert "<script" not in page.text and "style=" not in page.text
        assert page.headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert page.headers["Referrer-Policy"] == "same-origin"
    assert someone.get("/desk/people.css").headers["Content-Type"].startswith("text/css")


# --- sessions end -----------------------------------------------------------------------------------

def test_a_session_ends_when_nobody_uses_it(stack):
    someone = signed_in(stack)
    use_is_written_down(stack, someone)     # or what it just did would be, after the two hours
    stack.sql("update turunc.person_session set seen_us = seen_us - %s", 2 * HOUR_US)
    gone(stack, someone)
    stack.wait(lambda: stack.one("select count(*) from turunc.person_session") == 0, 10, "it is swept")


def test_use_is_written_down(stack):
    someone = signed_in(stack)
    stack.sql("update turunc.person_session set seen_us = seen_us - %s", HOUR_US // 2)
    assert is_in(someone)
    stack.wait(lambda: stack.one("select max(seen_us) from turunc.person_session") > time.time_ns() // 1000 - HOUR_US // 60,
               10, "use is written down")
    someone.post("/desk/sign-out")


def test_who_was_signed_in_is_told_why(stack):
    someone = signed_in(stack)
    stack.sql("delete from turunc.person_session")
    stack.wait(lambda: someone.get("/desk/").status == 303, 10, "the session is over")
    answer = someone.get("/desk/password?lang=en&x=1")
    assert answer.headers["Location"] == "/desk/sign-in?lang=en&over=1&next=/desk/password%3Flang%3Den%26x%3D1"
    assert "Your session has ended. Sign in again to go on." in someone.get(answer.headers["Location"]).text
    assert someone.get("/desk/").headers["Location"] == "/desk/sign-in?over=1"
    someone.cookie = None
    assert someone.get("/desk/").headers["Location"] == "/desk/sign-in"
    long = someone.get("/desk/password?" + "a" * 1100).headers["Location"]
    assert long == "/desk/sign-in"


def test_a_session_ends_at_the_latest(stack):
    someone = signed_in(stack)
    until_us = stack.one("select max(until_us) from turunc.person_session")
    assert abs(until_us - time.time_ns() // 1000 - 12 * HOUR_US) < HOUR_US / 60
    stack.sql("update turunc.person_session set until_us = %s", time.time_ns() // 1000)
    gone(stack, someone)


def test_signing_out_ends_it_wherever_the_cookie_went(stack):
    someone = signed_in(stack)
    thief = at_desk(stack, address="203.0.113.9")
    thief.cookie, thief.csrf = someone.cookie, someone.csrf
    assert is_in(thief)
    someone.post("/desk/sign-out")
    gone(stack, thief)


def test_disabling_ends_sessions_at_once(stack):
    stack.user("veli", "operator")
    first, second = signed_in(stack, "veli"), signed_in(stack, "veli")
    assert '"sessions_ended": 2' in stack.masa("user", "disable", "veli", "--json")
    gone(stack, first)
    gone(stack, second)
    answer = at_desk(stack).try_to_sign_in("veli", stack.password)
    assert answer.status == 401 and "Kullanıcı adı veya parola hatalı." in answer.text
    stack.masa("user", "set", "veli", "--enable")
    assert at_desk(stack).try_to_sign_in("veli", stack.password).status == 303
    assert acts(stack, "veli") == ["added", "signed-in", "signed-in", "disabled", "refused", "changed", "signed-in"]


def test_a_new_password_from_the_administrator_ends_sessions(stack):
    stack.user("zeki", "viewer")
    someone = signed_in(stack, "zeki")
    said = json.loads(stack.masa("user", "password", "zeki", "--generate", "--json"))
    gone(stack, someone)
    assert at_desk(stack).try_to_sign_in("zeki", stack.password).status == 401
    assert at_desk(stack).try_to_sign_in("zeki", said["password"]).status == 303


def test_twenty_sessions_of_one_person(stack):
    stack.user("cok", "viewer")
    browsers = [at_desk(stack) for _ in range(22)]
    for browser in browsers:
        assert browser.try_to_sign_in("cok", stack.password).status == 303
    assert stack.one("select count(*) from turunc.person_session where name = 'cok'") == 20
    assert not is_in(browsers[0]) and not is_in(browsers[1]) and is_in(browsers[2]) and is_in(browsers[21])


# --- forms of others ---------------------------------------------------------------------------------

def test_forms_of_others_do_nothing(stack):
    someone, other = signed_in(stack), signed_in(stack)
    path, form = "/desk/sign-out", {}
    host = f"http://{someone.host}"
    for name, form, headers in (
            ("no token", {}, {}), ("empty token", {"csrf": ""}, {}), ("another session's token", {"csrf": other.csrf}, {}),
            ("the token twice", [("csrf", someone.csrf), ("csrf", someone.csrf)], {}),
            ("the cookie as token", {"csrf": someone.cookie}, {}),
            ("a stranger's page", {"csrf": someone.csrf}, {"Origin": "http://evil.example"}),
            ("no origin", {"csrf": someone.csrf}, {"Origin": None}),
            ("null origin", {"csrf": someone.csrf}, {"Origin": "null"}),
            ("another port", {"csrf": someone.csrf}, {"Origin": "http://127.0.0.1:1"}),
            ("said to be from elsewhere", {"csrf": someone.csrf}, {"Origin": host, "Sec-Fetch-Site": "cross-site"}),
            ("from a sister", {"csrf": someone.csrf}, {"Origin": host, "Sec-Fetch-Site": "same-site"})):
        answer = stack.http("router", "POST", path, form=form, headers=someone.headers(headers))
        assert answer.status == 403, name
        assert is_in(someone), name
    answer = someone.post(path, csrf=False, **{"X-CSRF-Token": someone.csrf})
    assert answer.status == 303


def test_nobody_is_signed_in_by_a_page_elsewhere(stack):
    for headers in ({"Origin": "http://evil.example"}, {"Origin": None}, {"Sec-Fetch-Site": "cross-site"}):
        answer = at_desk(stack).try_to_sign_in("ayse", stack.password, **headers)
        assert answer.status == 403 and "Set-Cookie" not in answer.headers


def test_a_session_given_before_is_not_kept(stack):
    """Whoever plants a cookie beforehand has nothing when its victim has signed in."""
    planted = "A" * 43
    victim = at_desk(stack)
    victim.cookie = planted
    victim.sign_in("ayse", stack.password)
    assert victim.cookie != planted
    former = victim.cookie
    victim.sign_in("ayse", stack.password)
    assert victim.cookie != former
    for cookie in (planted, former):
        thief = at_desk(stack)
        thief.cookie = cookie
        stack.wait(lambda t=thief: not is_in(t), 10, "the cookie is worth nothing")


@pytest.mark.parametrize("place", ["//evil.example/", "https://evil.example/", "/\\evil.example", "/desk//evil.example",
                                   "/desk/\r\nSet-Cookie: turunc=x", "/desk/../../x", "javascript:alert(1)", "/call/",
                                   "/desk/sign-out", "/desk/%0d%0aX: y", "\thttps://evil.example", "/desk/é"])
def test_nobody_is_sent_elsewhere(stack, place):
    someone = at_desk(stack)
    page = stack.http("router", "GET", "/desk/sign-in?next=" + "".join(f"%{b:02x}" for b in place.encode()),
                      headers=someone.headers({"Origin": None}))
    assert page.status == 200
    allowed = place == "/desk/%0d%0aX: y"       # stays a path of ours, as it is
    assert ('name="next"' in page.text) is False or allowed
    answer = someone.try_to_sign_in("ayse", stack.password, place)
    assert answer.status == 303 and answer.headers["Location"].startswith("/desk/")
    assert "evil" not in answer.headers["Location"] and answer.headers.get_all("Set-Cookie")[1:] == []


# --- one's own password ------------------------------------------------------------------------------

def change(someone, old, new, again=None):
    return someone.post("/desk/password", {"old": old, "new": new, "again": new if again is None else again})


def test_people_change_their_own_password(stack):
    stack.user("deniz", "viewer")
    someone, elsewhere = signed_in(stack, "deniz"), signed_in(stack, "deniz")
    new = "another four words"
    for old, given, again, words in (
            ("wrong", new, None, "Şimdiki parolanız hatalı"), (stack.password, new, "other", "aynı yazılmamış"),
            (stack.password, "short", None, "en az 12 karakter"), (stack.password, "deniz-deniz-", None, "çok benziyor"),
            (stack.password, "a" * 300, None, "çok uzun"), (stack.password, "z" * 30, None, "tek bir karakterin"),
            (stack.password, stack.password, None, "aynı olamaz"), (stack.password, "with\x01control char", None, "karakterler var")):
        answer = change(someone, old, given, again)
        assert answer.status == 422 and words in answer.text, (given, answer.text)
    assert is_in(elsewhere)
    answer = change(someone, stack.password, new)
    assert answer.status == 200 and "Parolanız değiştirildi." in answer.text
    assert is_in(someone)
    gone(stack, elsewhere)
    assert at_desk(stack).try_to_sign_in("deniz", stack.password).status == 401
    assert at_desk(stack).try_to_sign_in("deniz", new).status == 303
    assert "password-changed" in acts(stack, "deniz")


def test_a_page_is_for_those_with_its_roles(stack):
    """And they are read again: whoever is given a role has it the next second."""
    stack.user("rol", "viewer")
    someone = signed_in(stack, "rol")
    page = someone.get("/desk/search?q=ayse")
    assert page.status == 403 and "Bu sayfa için yetkiniz bulunmuyor." in page.text
    answer = someone.get("/desk/search?q=ayse", Accept="application/json")
    assert (answer.status, answer.json()) == (403, {"error": "not_allowed"})
    assert stack.metric("router", 'turunc_people_requests_total{by="role"}') >= 2
    stack.masa("user", "set", "rol", "--roles", "operator")
    stack.wait(lambda: someone.get("/desk/search?q=ayse").status == 200, 10, "the role counts")
    stack.masa("user", "set", "rol", "--roles", "viewer")
    stack.wait(lambda: someone.get("/desk/search?q=ayse").status == 403, 10, "it was taken away")


# --- rights --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("table", ["person", "person_session", "person_place", "person_attempt", "person_act"])
@pytest.mark.parametrize("service", ["intake", "router", "notifier", "metrics"])
def test_services_have_no_rights_to_the_tables(stack, service, table):
    for verb in ("SELECT", "INSERT", "UPDATE", "DELETE"):
        assert stack.one("select has_any_column_privilege(%s, %s, %s)" if verb in ("SELECT", "INSERT", "UPDATE") else
                         "select has_table_privilege(%s, %s, %s)", f"turunc_{service}", f"turunc.{table}", verb) is False


def test_only_those_with_pages_may_call_the_functions(stack):
    allowed = {(role, name) for role in ("turunc_intake", "turunc_router")
               for name in ("person_look", "person_try", "person_settle", "person_end", "person_change", "person_keep", "person_live")}
    allowed.add(("turunc_router", "person_rights"))     # as a step is decided
    found = set(stack.sql("""select r.rolname, p.proname from pg_proc p, pg_roles r where p.proname like 'person\\_%%'
        and r.rolname like 'turunc\\_%%' and r.rolname <> 'turunc_owner' and has_function_privilege(r.oid, p.oid, 'execute')"""))
    assert found == allowed


def test_what_runs_with_the_owners_rights_is_nobodys_by_default(stack):
    """A trigger's function, too: it could be set up on a table of one's own."""
    assert stack.sql("""select p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'turunc' and p.prosecdef and exists (select from aclexplode(coalesce(p.proacl,
            acldefault('f', p.proowner))) a where a.grantee = 0 and a.privilege_type = 'EXECUTE')""") == []


def test_metrics_does_not_read_who_called(stack):
    assert stack.one("select has_any_column_privilege('turunc_metrics', 'turunc.call', 'SELECT')") is False


def test_an_administrator_cannot_change_what_was_done(stack):
    for verb in ("UPDATE", "DELETE", "TRUNCATE"):
        assert stack.one("select has_table_privilege('turunc_admin', 'turunc.person_act', %s)", verb) is False


# --- counted, and nothing told ---------------------------------------------------------------------------

def test_everything_is_counted(stack):
    def of(name):
        return stack.metric("router", name) or 0
    names = ['turunc_people_sign_ins_total{outcome="done"}', 'turunc_people_sign_ins_total{outcome="wrong"}',
             'turunc_people_sign_ins_total{outcome="foreign"}', "turunc_people_sign_outs_total",
             'turunc_people_requests_total{by="known"}', 'turunc_people_requests_total{by="stranger"}',
             'turunc_people_requests_total{by="forged"}', 'turunc_people_password_changes_total{outcome="changed"}']
    before = {name: of(name) for name in names}
    test_nobody_is_signed_in_by_a_page_elsewhere(stack)
    at_desk(stack).get("/desk/password")
    at_desk(stack).try_to_sign_in("ayse", "wrong")
    stack.user("sayi", "viewer")
    someone = signed_in(stack, "sayi")
    someone.post("/desk/sign-out", csrf=False)
    change(someone, stack.password, "another four words")
    someone.post("/desk/sign-out")
    assert {name: of(name) - before[name] > 0 for name in names} == dict.fromkeys(names, True)
    assert 'turunc_people_sign_ins_total' in stack.http("intake", "GET", "/metrics").text


def test_logs_name_nobody(stack):
    someone = signed_in(stack)
    for service in ("intake", "router"):
        log = stack.log(service)
        for secret in (stack.password, someone.cookie, someone.csrf, "ayse", "deniz", "argon2id"):
            assert secret not in log, secret


def test_an_open_page_is_no_use_of_the_session(stack):
    """Live rows come again and again; whoever went home is signed out all the same."""
    def someone(name):
        return Browser(stack, "router", "/desk/").sign_in(name, stack.user(name, "viewer"))

    onlooker, other = someone("nese"), someone("cem")
    use_is_written_down(stack, other, "cem")   # and with it what the onlooker did so far
    long_ago = time.time_ns() // 1000 - HOUR_US // 2
    stack.sql("update turunc.person_session set seen_us = %s where name = 'nese'", long_ago)
    for _ in range(2):
        with socket.create_connection(("127.0.0.1", stack.port["router_http"]), timeout=20) as link:
            link.sendall(f"GET /desk/events HTTP/1.1\r\nHost: {onlooker.host}\r\n"
                         f"Cookie: turunc={onlooker.cookie}\r\n\r\n".encode())
            assert b" 200 " in link.recv(4096)
    use_is_written_down(stack, other, "cem")
    assert seen(stack, "nese") == long_ago
    use_is_written_down(stack, onlooker, "nese")
