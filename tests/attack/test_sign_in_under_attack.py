"""Those who have no account, had one, or have somebody else's cookie: guesses spread over addresses and
over users, planted and stolen sessions, forms made elsewhere, and links that lead out."""
import base64
import os
import statistics
import threading
import time

import pytest
from attack_world import citizen, honest_clients, under_attack
from people import Browser
from stack import Stack

TRIES, ADDRESS_TRIES = 10, 30       # as they stand without settings
PASSWORD, WRONG = "four small words here", "123456"
STAFF = 12


@pytest.fixture(scope="module")
def stack():
    with Stack(services=("intake", "router", "edge")) as made:
        for n in range(STAFF):
            made.user(f"kisi{n}", "clerk", "temizlik")
        made.start("intake", "router")
        honest_clients(made)
        made.start()
        yield made


def at_desk(stack, address="10.0.0.1", service="router"):
    return Browser(stack, service, "/desk/", address=address)


def staff(stack, name="kisi0", address="10.0.0.1"):
    """Somebody honest who signs in where they always do, looks, and signs out."""
    def once():
        someone = at_desk(stack, address)
        for _ in range(40):     # a full queue says when to come again
            answer = someone.try_to_sign_in(name, PASSWORD)
            if answer.status != 503:
                break
            time.sleep(0.05)
        if answer.status != 303 or someone.get("/desk/password").status != 200:
            return f"staff: {answer}"
        return None if someone.post("/desk/sign-out").status == 303 else "staff: could not sign out"
    assert once() is None       # is known there from now on
    return once


def forget(stack):
    stack.sql("delete from turunc.person_attempt")


@pytest.fixture(autouse=True)
def nobody_is_locked(stack):
    forget(stack)


def count(stack, table, where="true"):
    return stack.one(f"select count(*) from turunc.{table} where {where}")


def test_guesses_spread_over_addresses(stack):
    """A botnet on one user: ten passwords are looked at, and the user works on at their place."""
    with under_attack(stack, "one user guessed from 1,000 addresses", by=[citizen(stack), staff(stack)],
                      services=("intake", "router"), grows_mib=90) as said:
        told, threads = [], []
        for part in range(8):
            def work(part=part):
                for n in range(part, 1000, 8):
                    told.append(at_desk(stack, f"198.51.{n // 250}.{n % 250}").try_to_sign_in("kisi0", WRONG).status)
            threads.append(threading.Thread(target=work))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        said["attempts"], said["accepted"] = len(told), told.count(303)
        said["judged"], said["locked"] = told.count(401), told.count(429)
    assert 1 <= said["judged"] <= TRIES
    assert count(stack, "person_act", "kind = 'locked' and detail = 'user' and name = 'kisi0'") == 1
    assert count(stack, "person_act", "kind = 'refused' and name = 'kisi0'") == said["judged"]


def test_guesses_spread_over_users(stack):
    """One password tried on everybody, known or not, from one address: thirty are looked at."""
    with under_attack(stack, "1,000 users guessed from one address", by=[citizen(stack), staff(stack, "kisi1")],
                      services=("intake", "router"), grows_mib=90) as said:
        told = [at_desk(stack, "198.51.100.1").try_to_sign_in(f"kisi{n}", WRONG).status for n in range(1000)]
        said["attempts"], said["accepted"] = len(told), told.count(303)
        said["judged"], said["locked"] = told.count(401), told.count(429)
    assert 1 <= said["judged"] <= ADDRESS_TRIES and said["judged"] + said["locked"] == 1000
    # Nobody is kept out by that from anywhere else.
    assert at_desk(stack, "198.51.100.2").try_to_sign_in("kisi11", PASSWORD).status == 303


def test_locking_everybody_out(stack):
    """Somebody who wants nobody to work: all users are locked, and all go on where they were before."""
    for n in range(STAFF):
        assert at_desk(stack, f"10.9.0.{n}").try_to_sign_in(f"kisi{n}", PASSWORD).status == 303
    with under_attack(stack, "all users locked on purpose", by=[citizen(stack), staff(stack, "kisi2", "10.9.0.2")],
                      services=("intake", "router"), grows_mib=90) as said:
        told = [at_desk(stack, f"203.0.{n}.{attempt}").try_to_sign_in(f"kisi{n}", WRONG).status
                for n in range(STAFF) for attempt in range(TRIES + 2)]
        said["attempts"], said["locked"] = len(told), told.count(429)
        inside = [at_desk(stack, f"10.9.0.{n}").try_to_sign_in(f"kisi{n}", PASSWORD).status for n in range(STAFF)]
        said["staff_in"] = inside.count(303)
    assert said["locked"] >= STAFF and said["staff_in"] == STAFF


def test_made_up_sessions(stack):
    """Cookies nobody gave: random ones, those of another spelling, what the record keeps."""
    someone = at_desk(stack).sign_in("kisi3", PASSWORD)
    kept = [bytes(row[0]) for row in stack.sql("select token_digest from turunc.person_session")]
    token = someone.cookie
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    tries = [base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=") for _ in range(300)]
    tries += [base64.urlsafe_b64encode(digest).decode().rstrip("=") for digest in kept]
    tries += [token[:-1] + last[(last.index(token[-1]) + step) % 64] for step in range(1, 64)]
    tries += [token + "=", token + "A", token[:-1], token.swapcase(), f'"{token}"', f"{token}; turunc={token}", "",
              token.replace("-", "+").replace("_", "/") + "=", "' or 1=1 --", "A" * 4000]
    tries += [someone.csrf]
    with under_attack(stack, "made-up sessions", services=("intake", "router")) as said:
        for cookie in tries:
            thief = at_desk(stack)
            thief.cookie = cookie
            said["attempts"] += 1
            said["accepted"] += thief.get("/desk/password").status == 200
    assert someone.get("/desk/password").status == 200


def test_planted_and_stolen_sessions(stack):
    with under_attack(stack, "planted and stolen sessions", services=("intake", "router")) as said:
        for n in range(20):
            planted = base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")
            victim, thief = at_desk(stack), at_desk(stack, "203.0.113.50")
            victim.cookie = thief.cookie = planted
            victim.sign_in("kisi4", PASSWORD)
            said["attempts"] += 1
            said["accepted"] += thief.get("/desk/password").status == 200 or victim.cookie == planted
            thief.cookie, thief.csrf = victim.cookie, victim.csrf
            if n % 2:
                victim.post("/desk/sign-out")
            else:
                stack.masa("user", "disable", "kisi4")
                stack.masa("user", "set", "kisi4", "--enable")
            said["attempts"] += 2
            form = {"old": PASSWORD, "new": "taken over by a thief", "again": "taken over by a thief"}
            said["accepted"] += thief.post("/desk/password", form).status != 401
            stack.wait(lambda t=thief: t.get("/desk/password").status == 303, 10, "the stolen session is over")
    assert at_desk(stack).try_to_sign_in("kisi4", PASSWORD).status == 303


def test_forms_made_elsewhere(stack):
    """Through the edge, as browsers come: it passes on where a form is from, and who has the cookie."""
    victim = at_desk(stack, service="edge").sign_in("kisi5", PASSWORD)
    other = at_desk(stack, service="edge").sign_in("kisi6", PASSWORD)
    ours = f"http://{victim.host}"
    with under_attack(stack, "forms made elsewhere", services=("intake", "router")) as said:
        for csrf in (None, "", other.csrf, victim.csrf[:-1], victim.csrf + "A", victim.csrf.swapcase(), victim.cookie):
            for origin in (ours, None, "null", "http://evil.example"):
                form = {"old": PASSWORD, "new": "changed from elsewhere", "again": "changed from elsewhere"}
                form.update({} if csrf is None else {"csrf": csrf})
                for path in ("/desk/password", "/desk/sign-out", "/call/password", "/call/sign-out"):
                    said["attempts"] += 1
                    answer = victim.post(path, form, csrf=False, Origin=origin)
                    said["accepted"] += answer.status != 403
        for headers in ({"Origin": "http://evil.example"}, {"Origin": f"{ours}.evil.example"}, {"Origin": None},
                        {"Origin": "null"}, {"Origin": ours, "Sec-Fetch-Site": "cross-site"},
                        {"Origin": ours, "Sec-Fetch-Site": "same-site"}, {"Origin": ours, "Host": "evil.example"}):
            said["attempts"] += 1
            said["accepted"] += victim.post("/desk/sign-out", {}, **headers).status not in (403, 421)
            said["attempts"] += 1
            said["accepted"] += at_desk(stack, service="edge").try_to_sign_in(
                "kisi5", PASSWORD, **headers).status not in (403, 421)
    assert victim.get("/desk/password").status == 200 and victim.post("/desk/sign-out").status == 303


def test_links_that_lead_out(stack):
    places = ["//evil.example", "///evil.example", "https:evil.example", "https://evil.example/desk/", "/\\evil.example",
              "\\\\evil.example", "/desk/..//evil.example", "/desk//evil.example", "/desk/\\..\\evil.example",
              "/\t/evil.example", "/desk/\n//evil.example", "http://127.0.0.1@evil.example/desk/", "data:text/html,x",
              "javascript:alert(1)", "/desk/\r\nLocation: https://evil.example", "/desk/\u2028https://evil.example",
              "%2f%2fevil.example", "/desk/?next=//evil.example", "//desk/", "/desk@evil.example", "/desk.evil.example/"]
    with under_attack(stack, "links that lead out", services=("intake", "router")) as said:
        for place in places:
            answer = at_desk(stack).try_to_sign_in("kisi7", PASSWORD, place)
            said["attempts"] += 1
            said["accepted"] += not (answer.status == 303 and (
                answer.headers["Location"] == "/desk/" or answer.headers["Location"].startswith("/desk/?")))
            said["accepted"] += len(answer.headers.get_all("Location")) != 1


def test_names_by_the_clock(stack):
    """Whoever measures does not learn which names there are: known, disabled and made up take alike."""
    stack.user("gizli", "viewer")
    stack.masa("user", "disable", "gizli")
    took = {"kisi8": [], "gizli": [], "yok": []}
    for n in range(20):
        for name, all_of_it in took.items():
            forget(stack)
            began = time.perf_counter()
            assert at_desk(stack, f"203.0.{n}.7").try_to_sign_in(name, WRONG).status == 401
            all_of_it.append(time.perf_counter() - began)
    # Of a busy machine's answers the quicker ones tell how long the work takes.
    quick = {name: statistics.quantiles(all_of_it, n=4)[0] for name, all_of_it in took.items()}
    assert max(quick.values()) < 2 * min(quick.values()), quick
