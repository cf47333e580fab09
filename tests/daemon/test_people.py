"""Signing in: who gets in, who stays in, and what is written down of it."""
import json

import pytest

from people import Browser
from stack import Stack


@pytest.fixture(scope="module")
def stack():
    with Stack(services=["intake", "router"]) as made:
        made.password = made.user("ayse", "clerk,viewer", "temizlik")
        made.start()
        yield made


def at_desk(stack, **more):
    return Browser(stack, "router", "/desk/", **more)


def acts(stack, name):
    return [kind for kind, in stack.sql("select kind from turunc.person_act where name = %s order by act_no", name)]


def test_signs_in_once_for_both_services(stack):
    someone = at_desk(stack)
    answer = someone.try_to_sign_in(" Ayse ", stack.password)
    assert (answer.status, answer.headers["Location"]) == (303, "/desk/")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Strict") and "Max-Age" not in cookie
    page = someone.get("/desk/password")
    assert page.status == 200 and "Ayse" in page.text
    someone.service, someone.prefix = "intake", "/call/"
    assert someone.get("/call/password").status == 200
    # Only a digest of the token is kept.
    assert stack.one("select count(*) from turunc.person_session where position(%s in encode(token_digest, 'escape')) > 0",
                     someone.cookie) == 0
    assert acts(stack, "ayse")[-1] == "signed-in"
    assert someone.post("/call/sign-out").status == 303
    assert someone.cookie is None and acts(stack, "ayse")[-1] == "signed-out"
