"""Guessing passwords, one's patience, and a record that is away: nobody gets in by accident, and nobody
is kept out for good."""
import statistics
import threading
import time

import psycopg2
import pytest

from people import Browser
from stack import Stack

TRIES, ADDRESS_TRIES, LOCK_S = 5, 12, 600
WRONG = "not the password"


def at_desk(stack, address="10.0.0.1"):
    return Browser(stack, "router", "/desk/", address=address)


def guess(stack, name, address="10.0.0.1", password=WRONG):
    return at_desk(stack, address).try_to_sign_in(name, password).status


def locks_end(stack):
    """The moment comes at which each lock ends; none ends by itself while a test runs, however slow the machine."""
    stack.sql("update turunc.person_attempt set locked_until_us = 1 where locked_until_us > 0")


@pytest.fixture(scope="module")
def stack():
    with Stack(services=["router"], env={
            "TURUNC_PEOPLE_USER_TRIES": str(TRIES), "TURUNC_PEOPLE_ADDRESS_TRIES": str(ADDRESS_TRIES),
            "TURUNC_PEOPLE_WINDOW": "10m", "TURUNC_PEOPLE_LOCK": f"{LOCK_S}s"}) as made:
        made.start()
        yield made


@pytest.fixture
def who(stack, request):
    """Somebody new, and places nobody was at."""
    number = stack.one("select count(*) from turunc.person")
    name = f"kisi{number}"
    stack.user(name, "viewer")
    stack.sql("delete from turunc.person_attempt")
    return name


def test_a_user_is_locked_wherever_the_guesses_come_from(stack, who):
    assert [guess(stack, who, f"10.1.0.{n}") for n in range(TRIES)] == [401] * TRIES
    answer = at_desk(stack, "10.1.0.99").try_to_sign_in(who, "four small words here")
    assert answer.status == 429 and 1 <= int(answer.headers["Retry-After"]) <= LOCK_S
    assert "Çok sayıda hatalı deneme yapıldı." in answer.text and "Set-Cookie" not in answer.headers
    assert stack.sql("select detail, name from turunc.person_act where kind = 'locked' and name = %s", who) == [("user", who)]
    assert stack.metric("router", 'turunc_people_locks_total{of="user"}') >= 1
    # And only for a time.
    until_us = stack.one("select max(locked_until_us) from turunc.person_attempt")
    assert LOCK_S - 120 < until_us / 1e6 - time.time() <= LOCK_S
    locks_end(stack)
    assert guess(stack, who, "10.1.0.99", "four small words here") == 303, "the lock is over"


def test_where_they_have_been_before_they_get_in(stack, who):
    """An attacker on a thousand addresses does not keep anybody out of their own office."""
    assert guess(stack, who, "10.2.0.1", "four small words here") == 303
    for round_ in range(3):
        for n in range(TRIES + 2):
            guess(stack, who, f"10.2.{round_ + 1}.{n}")
    assert guess(stack, who, "10.2.9.9", "four small words here") == 429
    assert guess(stack, who, "10.2.0.1", "four small words here") == 303
    # There, only guesses there count.
    assert [guess(stack, who, "10.2.0.1") for _ in range(TRIES)] == [401] * TRIES
    assert guess(stack, who, "10.2.0.1", "four small words here") == 429
    assert stack.one("select detail from turunc.person_act where kind = 'locked' order by act_no desc limit 1") == "place"
    locks_end(stack)
    assert guess(stack, who, "10.2.0.1", "four small words here") == 303, "the lock is over"


def test_an_address_is_locked_whoever_it_guesses(stack, who):
    assert [guess(stack, f"nobody{n}", "10.3.0.1") for n in range(ADDRESS_TRIES)] == [401] * ADDRESS_TRIES
    assert guess(stack, who, "10.3.0.1", "four small words here") == 429
    assert guess(stack, who, "10.3.0.2", "four small words here") == 303
    # An IPv6 host has its whole /64.
    assert [guess(stack, f"other{n}", f"2001:db8:0:1::{n}") for n in range(ADDRESS_TRIES)] == [401] * ADDRESS_TRIES
    assert guess(stack, who, "2001:db8:0:1:ffff::1", "four small words here") == 429
    assert guess(stack, who, "2001:db8:0:2::1", "four small words here") == 303


def test_somebody_who_is_not_there_is_locked_alike(stack, who):
    assert [guess(stack, "hayalet", f"10.4.0.{n}") for n in range(TRIES + 2)] == [401] * TRIES + [429] * 2


def test_what_was_right_does_not_count(stack, who):
    for _ in range(TRIES + 2):
        assert guess(stack, who, "10.5.0.1", "four small words here") == 303
    for n in range(ADDRESS_TRIES + 2):
        assert guess(stack, who, f"10.5.1.{n}", "four small words here") == 303
    # One's own account pays nothing back of what was guessed of others.
    for n in range(ADDRESS_TRIES - 1):
        assert guess(stack, f"yok{n}", "10.5.2.1") == 401
    assert guess(stack, who, "10.5.2.1", "four small words here") == 303
    assert guess(stack, "yoksa", "10.5.2.1") == 401
    assert guess(stack, "yoksa2", "10.5.2.1") == 429


def test_many_at_once_are_no_way_around(stack, who):
    said = []
    threads = [threading.Thread(target=lambda n=n: said.append(guess(stack, who, f"10.6.0.{n}"))) for n in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said.count(401) <= TRIES, said
    assert stack.one("select count(*) from turunc.person_act where kind = 'refused' and name = %s", who) <= TRIES


def test_two_services_count_as_one(stack, who):
    """What one has counted and not yet committed, the other waits for."""
    count = "select locked_us from turunc.person_try(%s, %s, %s, 5, 12, 60000000, 60000000)"
    links = [psycopg2.connect(stack.conninfo("turunc_router")), psycopg2.connect(stack.conninfo("turunc_intake"))]
    now_us = time.time_ns() // 1000
    for n in range(TRIES - 1):
        stack.sql(count, who, f"10.6.1.{n}", now_us)
    seen = []

    def second():
        with links[1].cursor() as cursor:
            cursor.execute(count, (who, "10.6.2.2", now_us))
            seen.append(cursor.fetchone()[0])
    with links[0].cursor() as cursor:
        cursor.execute(count, (who, "10.6.2.1", now_us))
        assert cursor.fetchone()[0] == 0        # the last there is
    thread = threading.Thread(target=second)
    thread.start()
    stack.wait(lambda: stack.one("select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
                                 " and usename = 'turunc_intake'") == 1, 10, "the second waits")
    links[0].commit()
    thread.join(10)
    for link in links:
        link.close()
    assert seen[0] > now_us


def test_an_administrator_unlocks(stack, who):
    for n in range(TRIES):
        guess(stack, who, f"10.7.0.{n}")
    assert guess(stack, who, "10.7.0.99", "four small words here") == 429
    assert '"audit":' in stack.masa("user", "unlock", who, "--json")
    assert guess(stack, who, "10.7.0.99", "four small words here") == 303


def test_an_administrator_unlocks_an_address(stack, who):
    for n in range(ADDRESS_TRIES):
        guess(stack, f"hane{n}", "2001:db8:7:7::1")
    assert guess(stack, who, "2001:db8:7:7::2", "four small words here") == 429
    assert stack.masa("user", "unlock", "--address", "2001:db8:7:8::1", check=False).returncode == 3
    assert stack.masa("user", "unlock", check=False).returncode == 2
    assert stack.masa("user", "unlock", who, "--address", "2001:db8:7:7::1", check=False).returncode == 2
    stack.masa("user", "unlock", "--address", "2001:db8:7:7::9")
    assert stack.sql("select kind, name, detail from turunc.person_act order by act_no desc limit 1") == [
        ("unlocked", None, "address=2001:db8:7:7::/64")]
    assert guess(stack, who, "2001:db8:7:7::2", "four small words here") == 303


def test_guesses_of_ones_own_password_page_count_too(stack, who):
    someone = at_desk(stack, "10.8.0.1").sign_in(who, "four small words here")
    form = {"old": WRONG, "new": "another four words", "again": "another four words"}
    assert [someone.post("/desk/password", form).status for _ in range(TRIES + 1)] == [422] * TRIES + [429]


def test_a_wrong_name_takes_as_long_as_a_wrong_password(stack, who):
    def took(name, n):
        stack.sql("delete from turunc.person_attempt")
        began = time.perf_counter()
        assert guess(stack, name, f"10.9.{n // 200}.{n % 200}") == 401
        return time.perf_counter() - began
    took(who, 0), took("hayalet", 1)
    known, unknown = [], []
    for n in range(2, 26):      # turn about, so that a busy machine concerns both
        known.append(took(who, 2 * n))
        unknown.append(took(f"hayalet{n}", 2 * n + 1))
    # Of a busy machine's answers the quicker ones tell how long the work takes.
    quick = [statistics.quantiles(taken, n=4)[0] for taken in (known, unknown)]
    # A hash takes tens of milliseconds: an answer without one would be several times as fast.
    assert 0.5 < quick[0] / quick[1] < 2, quick


def test_what_is_noted_of_guesses_does_not_grow_for_ever(stack, who):
    day_us = 86_400_000_000
    now_us = time.time_ns() // 1000
    stack.sql("delete from turunc.person_act")
    for days in (1, 3, 31, 731):
        for kind, name in (("refused", None), ("refused", who), ("locked", who), ("signed-in", who)):
            stack.sql("insert into turunc.person_act (at_us, kind, name, actor) values (%s, %s, %s, 'nobody')",
                      now_us - days * day_us, kind, name)
    stack.sql("select turunc.person_keep('{}', '{}', %s, 3600000000)", now_us)
    # What is forgotten follows the server's clock, whatever a service that was taken over says.
    stack.sql("select turunc.person_keep('{}', '{}', %s, 0)", 2 * now_us)
    left = sorted((kind, name is not None, (now_us - at_us) // day_us) for kind, name, at_us in
                  stack.sql("select kind, name, at_us from turunc.person_act"))
    assert left == [("locked", True, 1), ("locked", True, 3), ("locked", True, 31), ("refused", False, 1),
                    ("refused", True, 1), ("refused", True, 3), ("signed-in", True, 1), ("signed-in", True, 3),
                    ("signed-in", True, 31)]


# --- the queue, and the record -----------------------------------------------------------------------

def test_a_full_queue_says_when_to_come_again():
    with Stack(services=["router"], env={"TURUNC_PEOPLE_QUEUE": "4", "TURUNC_PEOPLE_USER_TRIES": "1000",
                                         "TURUNC_PEOPLE_ADDRESS_TRIES": "1000"}) as stack:
        stack.user("ayse", "viewer")
        stack.start()
        assert guess(stack, "ayse", "10.0.0.9", "four small words here") == 303
        said, home = [], []
        flood_over = threading.Event()

        def flood(n):
            while not flood_over.is_set():
                answer = at_desk(stack, f"10.0.1.{n}").try_to_sign_in(f"yok{n}", WRONG)
                said.append((answer.status, answer.headers.get("Retry-After")))
        threads = [threading.Thread(target=flood, args=(n,), daemon=True) for n in range(8)]
        for thread in threads:
            thread.start()
        stack.wait(lambda: any(status == 503 for status, _ in said), 30, "the queue is full")
        # Strangers have half of it: somebody at their own place is not kept waiting outside.
        for _ in range(5):
            home.append(guess(stack, "ayse", "10.0.0.9", "four small words here"))
        # And pages are answered meanwhile.
        began = time.perf_counter()
        assert at_desk(stack).get("/desk/sign-in").status == 200
        page_s = time.perf_counter() - began
        flood_over.set()
        for thread in threads:
            thread.join(60)
        assert home == [303] * 5 and page_s < 10
        assert {status for status, _ in said} == {401, 503}
        assert all(after is not None for status, after in said if status == 503)
        assert stack.metric("router", 'turunc_people_sign_ins_total{outcome="busy"}') > 0
        # What was turned away was not counted against anybody.
        counted = stack.one("select coalesce(sum(count), 0) from turunc.person_attempt where kind = 2")
        assert counted == [status for status, _ in said].count(401)


def test_while_the_record_is_away_nobody_is_in():
    with Stack(services=["router"], own_postgres=True) as stack:
        stack.user("ayse", "viewer")
        stack.start()
        someone = at_desk(stack).sign_in("ayse", "four small words here")
        stack.kill9("postgres")
        stack.wait(lambda: someone.get("/desk/password").status == 503, 20, "the page says so")
        page = someone.get("/desk/password")
        assert "Kayıt sistemine şu anda ulaşılamıyor" in page.text and page.headers["Retry-After"]
        assert someone.get("/desk/password", Accept="application/json").json() == {"error": "away"}
        answer = at_desk(stack).try_to_sign_in("ayse", "four small words here", "/desk/x")
        assert answer.status == 503 and "Set-Cookie" not in answer.headers and "/desk/x" in answer.text
        assert "ayse" in answer.text        # what was typed is kept, but for the password
        answer = someone.post("/desk/sign-out")
        assert answer.status == 503 and someone.cookie is not None
        assert at_desk(stack).get("/desk/sign-in").status == 200
        stack.postgres.start()
        stack.wait(lambda: someone.get("/desk/password").status == 200, 60, "the session is there again")
        assert stack.metric("router", 'turunc_people_requests_total{by="away"}') > 0


def test_call_takers_go_on_but_nobody_who_was_shut_out():
    """They register into the spool while the record is away; whoever had signed out, was disabled or lost
    their role before does not come in again by that."""
    with Stack(services=["intake", "router"], own_postgres=True, env={"TURUNC_PEOPLE_KEEP": "200ms"}) as stack:
        people = {}
        stack.start()
        for name in ("kalan", "cikan", "giden", "degisen"):
            stack.user(name, "call-taker")
            people[name] = Browser(stack, "intake", "/call/").sign_in(name, "four small words here")
        for someone in people.values():
            assert someone.get("/call/").status == 200
        at = at_desk(stack)
        at.cookie, at.csrf = people["cikan"].cookie, people["cikan"].csrf
        assert at.post("/desk/sign-out").status == 303      # at the other service
        stack.masa("user", "disable", "giden")
        stack.masa("user", "set", "degisen", "--roles", "viewer")
        for _ in range(2):      # the second time it was asked for certain after all of that
            seen_us = stack.one("select max(seen_us) from turunc.person_session")
            assert people["kalan"].get("/call/").status == 200
            stack.wait(lambda s=seen_us: stack.one("select max(seen_us) from turunc.person_session") > s, 10, "it is kept")
        stack.kill9("postgres")
        stack.wait(lambda: people["kalan"].get("/call/password").status == 503, 20, "the record is away")
        assert people["kalan"].get("/call/").status == 200
        assert people["cikan"].get("/call/").status == 503
        assert people["giden"].get("/call/").status == 503
        assert people["degisen"].get("/call/").status == 503
        stack.postgres.start()
        stack.wait(lambda: people["kalan"].get("/call/password").status == 200, 60, "the record is back")
        assert people["kalan"].get("/call/").status == 200
        assert people["cikan"].get("/call/").status == 303
        assert people["degisen"].get("/call/").status == 403


def test_behind_https_the_cookie_is_bound_to_the_host():
    with Stack(services=["router"], env={"router": {"TURUNC_PEOPLE_SECURE": "yes"}}) as stack:
        stack.user("ayse", "viewer")
        stack.start()
        someone = at_desk(stack)
        assert someone.try_to_sign_in("ayse", "four small words here").status == 403    # a page by plain HTTP
        answer = someone.try_to_sign_in("ayse", "four small words here", Origin=f"https://{someone.host}")
        assert answer.status == 303
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-turunc=") and cookie.endswith("; Path=/; HttpOnly; SameSite=Strict; Secure")
        assert someone.get("/desk/password").status == 303      # under the other name it is nothing
        assert someone.get("/desk/password", Cookie=f"__Host-turunc={someone.cookie}").status == 200


def test_stopped_in_the_middle_of_a_hash():
    with Stack(services=["router"]) as stack:
        stack.user("ayse", "viewer")
        stack.start()
        said = []
        threads = [threading.Thread(target=lambda n=n: said.append(guess(stack, "ayse", f"10.0.2.{n}"))) for n in range(6)]
        for thread in threads:
            thread.start()
        stack.wait(lambda: (stack.one("select count(*) from turunc.person_attempt") or 0) > 0, 20, "they are on their way")
        assert stack.terminate("router") == 0
        for thread in threads:
            thread.join(30)
        assert set(said) <= {0, 401, 503}
