"""The command line: each exit code, JSON from every command, and --dry-run that changes nothing."""
import json
import os

import pytest

from municipality import never_quiet
from process import within
from world import report, wait_status

READS = [("status",), ("ticket", "list"), ("log", "tail"), ("log", "verify"), ("subs", "list"),
         ("client", "list"), ("config", "list"), ("doctor",)]


def said_well(stack, *words):
    """What it prints, once it exits well: an answer that came late, of which status and doctor tell, is not late the
    next time."""
    done = within(lambda: (tried := stack.masa(*words, check=False)).returncode == 0 and tried, 60, 1)
    assert done, stack.masa(*words, check=False)
    return done.stdout


@pytest.mark.parametrize("words", READS, ids=[" ".join(words) for words in READS])
def test_json_of_every_reading_command(stack, words):
    report(stack, stack.app)
    json.loads(said_well(stack, *words, "--json"))
    people = said_well(stack, *words)
    assert people.strip() and not people.lstrip().startswith(("{", "["))


def test_ok_and_status(stack):
    def states():
        told = json.loads(stack.masa("status", "--json", check=False).stdout)
        return {s["service"]: s["state"] for s in told["services"]}
    ready = dict.fromkeys(("intake", "router", "notifier", "metrics"), "ready")
    assert within(lambda: states() == ready, 60, 1), states()


def test_1_when_a_service_is_away(stack):
    stack.terminate("metrics")
    try:
        done = stack.masa("status", "--json", check=False)
        assert done.returncode == 1
        states = {s["service"]: s["state"] for s in json.loads(done.stdout)["services"]}
        assert states["metrics"] == "no answer" and states["intake"] == "ready"
    finally:
        stack.restart("metrics")


DAMM = ("0317598642", "7092154863", "4206871359", "1750983426", "6123045978", "3674209581",
        "5869720134", "8945362017", "9438617205", "2581436790")


def with_check_digit(number):
    check = 0
    for digit in number.replace("-", ""):
        check = int(DAMM[check][int(digit)])
    return f"{number}-{check}"


def codes(number, folder):
    wrong_check = number[:-1] + str((int(number[-1]) + 1) % 10)
    return [
        ("no such command", 2, ("ticket", "burn"), "masa"),
        ("no such option", 2, ("status", "--colour"), "masa:"),
        ("too few words", 2, ("ticket", "show"), "masa:"),
        ("a misread digit", 2, ("ticket", "show", wrong_check), "check digit"),
        ("not a number", 2, ("subs", "seek", "a", "b", "minus"), "SEQ"),
        ("no such ticket", 3, ("ticket", "show", with_check_digit("26-9999999")), "no ticket"),
        ("no such client", 3, ("client", "revoke", "nobody"), "nobody"),
        ("no such subscription", 3, ("subs", "delete", "nobody", "nothing"), "nothing"),
        ("a name again", 5, ("client", "add", "citizens-app", "--http"), "citizens-app"),
        ("no configuration there", 78, ("config", "check", folder), "masa:"),
    ]


NAMES = [case[0] for case in codes("26-0000001-4", "")]


@pytest.mark.parametrize("case", range(len(NAMES)), ids=NAMES)
def test_exit_code(stack, tmp_path, case):
    number = report(stack, stack.app)
    _, code, words, says = codes(number, str(tmp_path / "nothing"))[case]
    done = stack.masa(*words, check=False)
    assert done.returncode == code, done
    assert says in done.stderr and done.stdout == ""


def test_4_without_the_right(stack):
    """With the role of a service, which may not admit clients."""
    done = stack.masa("client", "add", "smuggled", "--http", check=False, user="turunc_router")
    assert done.returncode == 4 and "denied" in done.stderr, done
    assert stack.one("select count(*) from turunc.client_grant where name = 'smuggled'") == 0


def test_6_when_the_record_cannot_be_reached(stack):
    done = stack.masa("ticket", "list", check=False, user="turunc_nobody")
    assert done.returncode == 6 and "cannot be reached" in done.stderr


def test_78_says_file_line_and_reason_and_applies_nothing(stack, tmp_path):
    folder = never_quiet(str(tmp_path / "config"))
    with open(os.path.join(folder, "rules.csv"), "a", encoding="utf-8") as rules:
        rules.write("290,no-such-subject,*,*,temizlik,\n")
    lines = sum(1 for _ in open(os.path.join(folder, "rules.csv"), encoding="utf-8"))
    active = stack.one("select version from turunc.config_active")
    for verb in ("check", "apply"):
        done = stack.masa("config", verb, folder, "--json", check=False)
        assert done.returncode == 78, done
        problem = next(p for p in json.loads(done.stdout)["problems"] if p["severity"] == "error")
        assert (problem["file"], problem["line"]) == ("rules.csv", lines)
        assert "no-such-subject" in problem["reason"]
    assert stack.one("select version from turunc.config_active") == active


def test_dry_run_changes_nothing(stack):
    before = stack.sql("select max(last_seq) from turunc.log_batch"), stack.sql(
        "select name, revoked_us from turunc.client_grant order by name")
    said = json.loads(stack.masa("client", "add", "not-yet", "--http", "--dry-run", "--json"))
    assert said["dry_run"] is True and "api_key" not in said
    stack.masa("client", "revoke", "citizens-app", "--dry-run")
    rows = stack.sql("select name, revoked_us from turunc.client_grant order by name")
    assert rows == before[1]
    assert stack.one("select count(*) from turunc.event_log where type = 'client.revoked'"
                     " and seq > %s", before[0][0][0]) == 0


def test_list_finds_by_status_and_department(stack):
    number = report(stack, stack.app, service_code="terk-arac")
    wait_status(stack, number, "routed")
    listed = json.loads(stack.masa("ticket", "list", "--status", "routed", "--department", "zabita",
                                   "--json"))
    assert number in [row["ticket"] for row in listed]
    assert {row["department"] for row in listed} == {"zabita"}
