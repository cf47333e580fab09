"""masa user: who works with the system; each change leaves a row that names it."""
import json
import os
import pty
import select
import subprocess

import pytest

from servers import BUILD
from stack import Stack

ADD = ("user", "add")


@pytest.fixture(scope="module")
def stack():
    with Stack(services=[]) as made:
        yield made


def masa(stack, *words, given=None):
    argv = [os.path.join(BUILD, "bin", "masa"), *map(str, words)]
    env = stack._common_env("masa", "turunc_admin")  # pylint: disable=protected-access
    return subprocess.run(argv, cwd=stack.folder, env=env, input=given if given is not None else "", text=True,
                          capture_output=True, timeout=60, check=False)


def added(stack, name, *more):
    done = masa(stack, *ADD, name, "--shown-as", "Ayşe Yılmaz", "--roles", "viewer", "--generate", "--json", *more)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def people(stack):
    return stack.one("select count(*) from turunc.person")


def test_adds_with_a_password_that_is_shown_once(stack):
    said = added(stack, "ayse.yilmaz")
    assert set(said) == {"name", "dry_run", "audit", "password"} and len(said["password"]) == 24
    row = stack.sql("select kind, name, actor, detail, address from turunc.person_act where act_no = %s", said["audit"])[0]
    assert row[:2] == ("added", "ayse.yilmaz") and row[2].startswith("user:") and row[3] == "roles=viewer departments="
    listed = {user["name"]: user for user in json.loads(masa(stack, "user", "list", "--json").stdout)}["ayse.yilmaz"]
    assert (listed["shown_as"], listed["roles"], listed["departments"], listed["sessions"]) == ("Ayşe Yılmaz", "viewer", "", 0)
    assert said["password"] not in json.dumps(listed) and "argon2id" not in json.dumps(listed)
    assert stack.one("select password_hash from turunc.person where name = 'ayse.yilmaz'").startswith("$argon2id$v=19$m=65536,t=2,p=1$")


def test_a_dry_run_changes_nothing(stack):
    before = people(stack), stack.one("select count(*) from turunc.person_act")
    said = added(stack, "kuru", "--dry-run")
    assert said == {"name": "kuru", "dry_run": True}
    added(stack, "yas")
    for words in (("set", "yas", "--roles", "operator"), ("disable", "yas"), ("password", "yas", "--generate"), ("unlock", "yas")):
        done = masa(stack, "user", *words, "--dry-run", "--json")
        assert done.returncode == 0 and json.loads(done.stdout)["dry_run"] is True and "password\"" not in done.stdout
    assert (people(stack), stack.one("select count(*) from turunc.person_act")) == (before[0] + 1, before[1] + 1)
    assert stack.sql("select roles, disabled_us from turunc.person where name = 'yas'") == [(1, None)]


@pytest.mark.parametrize("code, words, given", [
    (2, ("add", "Ayse", "--shown-as", "A", "--roles", "viewer", "--generate"), None),
    (2, ("add", "ay se", "--shown-as", "A", "--roles", "viewer", "--generate"), None),
    (2, ("add", "x" * 64, "--shown-as", "A", "--roles", "viewer", "--generate"), None),
    (2, ("add", "b", "--shown-as", "", "--roles", "viewer", "--generate"), None),
    (2, ("add", "b", "--shown-as", "x" * 121, "--roles", "viewer", "--generate"), None),
    (2, ("add", "b", "--shown-as", "A\nB", "--roles", "viewer", "--generate"), None),
    (2, ("add", "b", "--shown-as", "A", "--roles", "root", "--generate"), None),
    (2, ("add", "b", "--shown-as", "A", "--roles", "", "--generate"), None),
    (2, ("add", "b", "--shown-as", "A", "--roles", "viewer,,clerk", "--generate"), None),
    (2, ("add", "b", "--roles", "viewer", "--generate"), None),
    (2, ("add", "b", "--shown-as", "A", "--generate"), None),
    (2, ("add", "b", "--shown-as", "A", "--roles", "clerk", "--generate"), None),
    (3, ("add", "b", "--shown-as", "A", "--roles", "clerk", "--departments", "yok", "--generate"), None),
    (2, ("add", "b", "--shown-as", "A", "--roles", "viewer"), None),                        # nowhere to ask
    (2, ("add", "b", "--shown-as", "A", "--roles", "viewer", "--stdin", "--generate"), "four small words\n"),
    (2, ("add", "b", "--shown-as", "A", "--roles", "viewer", "--stdin"), ""),
    (2, ("add", "b", "--shown-as", "A", "--roles", "viewer", "--stdin"), "short\n"),
    (2, ("add", "b", "--shown-as", "A", "--roles", "viewer", "--stdin"), "x y" * 100 + "\n"),
    (2, ("add", "b", "--shown-as", "A", "--roles", "viewer", "--password", "four small words"), None),
    (5, ("add", "taken", "--shown-as", "A", "--roles", "viewer", "--generate"), None),
    (3, ("set", "nobody", "--roles", "viewer"), None), (2, ("set", "taken"), None),
    (2, ("set", "taken", "--roles", "king"), None), (3, ("set", "taken", "--departments", "yok"), None),
    (2, ("set", "taken", "--departments", "temizlik,"), None), (2, ("set", "taken", "--roles", "viewer,clerk"), None),
    (3, ("disable", "nobody"), None), (3, ("unlock", "nobody"), None), (2, ("disable",), None),
    (3, ("password", "nobody", "--generate"), None), (2, ("password", "taken", "--stdin"), "short\n")])
def test_says_what_is_wrong(stack, code, words, given):
    if stack.one("select count(*) from turunc.person where name = 'taken'") == 0:
        added(stack, "taken")
    before = stack.sql("select p::text from turunc.person p order by name"), stack.one("select count(*) from turunc.person_act")
    done = masa(stack, "user", *words, given=given)
    assert done.returncode == code and done.stderr.startswith("masa: ") and done.stdout == "", done
    assert (stack.sql("select p::text from turunc.person p order by name"),
            stack.one("select count(*) from turunc.person_act")) == before


def test_changes_rights(stack):
    added(stack, "hakan")
    said = json.loads(masa(stack, "user", "set", "hakan", "--roles", "clerk,operator", "--departments", "temizlik,fen",
                           "--shown-as", "Hakan Öz", "--json").stdout)
    assert stack.sql("select shown_as, roles, departments from turunc.person where name = 'hakan'") == [
        ("Hakan Öz", 12, ["temizlik", "fen"])]
    assert stack.sql("select kind, detail from turunc.person_act where act_no = %s", said["audit"]) == [
        ("changed", "roles=clerk,operator departments=temizlik,fen shown_as")]
    # A clerk of no department would be a clerk of all.
    refused = masa(stack, "user", "set", "hakan", "--departments", "")
    assert refused.returncode == 2 and "a clerk has --departments" in refused.stderr
    assert stack.one("select departments from turunc.person where name = 'hakan'") == ["temizlik", "fen"]


def test_a_password_by_standard_input(stack):
    said = masa(stack, *ADD, "girdi", "--shown-as", "G", "--roles", "viewer", "--stdin", given="four small words\n")
    assert said.returncode == 0 and "four" not in said.stdout
    former = stack.one("select password_hash from turunc.person where name = 'girdi'")
    assert masa(stack, "user", "password", "girdi", "--stdin", given="four other words").returncode == 0
    assert stack.one("select password_hash from turunc.person where name = 'girdi'") != former


def at_terminal(stack, name, *typed):
    """What is shown while somebody types each line when they are asked; the exit code."""
    shown = b""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(stack.folder)
        os.execve(os.path.join(BUILD, "bin", "masa"), ["masa", "user", "password", name],
                  stack._common_env("masa", "turunc_admin"))  # pylint: disable=protected-access
    for line in (*typed, None):
        before = len(shown)
        while select.select([terminal], [], [], 30)[0]:
            try:
                part = os.read(terminal, 4096)
            except OSError:
                part = b""
            shown += part
            if not part or line is not None and shown[before:].endswith(b": "):
                break
        if line is not None:
            os.write(terminal, line.encode() + b"\n")
    os.close(terminal)
    return shown.decode(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_password_at_the_terminal_is_not_shown(stack):
    added(stack, "uc")
    former = stack.one("select password_hash from turunc.person where name = 'uc'")
    shown, code = at_terminal(stack, "uc", "four small words", "four other words")
    assert code == 2 and "the two passwords differ" in shown and "four" not in shown
    shown, code = at_terminal(stack, "uc", "four small words", "four small words")
    assert code == 0 and "four" not in shown, shown
    assert stack.one("select password_hash from turunc.person where name = 'uc'") != former


def test_only_an_administrator_may(stack):
    for user in ("turunc_router", "turunc_intake", "turunc_metrics"):
        done = stack.masa("user", "list", user=user, check=False)
        assert done.returncode == 4, done


def test_audit_shows_it(stack):
    added(stack, "izli")
    masa(stack, "user", "disable", "izli")
    rows = json.loads(masa(stack, "audit", "people", "--user", "izli", "--json").stdout)
    assert [row["kind"] for row in rows] == ["disabled", "added"] and all(row["actor"].startswith("user:") for row in rows)
    rows = json.loads(masa(stack, "audit", "people", "--kind", "disabled", "--limit", "1", "--json").stdout)
    assert [(row["kind"], row["name"]) for row in rows] == [("disabled", "izli")]
    assert masa(stack, "audit", "people", "--kind", "nothing").returncode == 2
