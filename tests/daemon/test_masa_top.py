"""masa top at a real terminal: what it shows of a real system, and that it leaves nothing behind."""
import json
import os
import re
import signal
import socket

import psycopg2
import psycopg2.extras
import pytest
from process import Failed
from screen import HANGS_S, Screen
from servers import BUILD, SERVICES
from stack import Stack

MASA = os.path.join(BUILD, "bin", "masa")
REPORT = {"service_code": "cadde-supurme", "lat": "36.872345", "long": "30.723456",
          "description": "Sokağımız günlerdir süpürülmedi."}


@pytest.fixture(scope="module")
def system(request):
    with Stack(SERVICES + ("edge",), env={"intake": {"TURUNC_INTAKE_ADDRESS_PER_MINUTE": "0"}}) as stack:
        stack.start()
        stack.app = stack.api_key("app")
        yield stack
        if request.session.testsfailed:
            print(stack.failure_report())


def environment(stack, **more):
    return {**stack.env("masa", "turunc_admin"), "TERM": "xterm", "LANG": "C.UTF-8",
            "TURUNC_SYSTEM_DIR": stack.folder, "TURUNC_URL_EDGE": f"http://127.0.0.1:{stack.port['edge']}",
            **{f"TURUNC_URL_{name.upper()}": f"http://127.0.0.1:{stack.port[f'{name}_http']}"
               for name in SERVICES}, **more}


def top(stack, *words, width=80, height=24, **more):
    return Screen([MASA, "top", *words], environment(stack, **more), width, height)


def report(stack):
    answer = stack.http("intake", "POST", "/open311/v2/requests.json", form={**REPORT, "api_key": stack.app})
    assert answer.status == 201, answer


def pictures(stack, *words):
    done = stack.masa("top", *words, check=False)
    return done.returncode, done.stdout


def well(stack, *words):
    """The text of a picture in which all is well; one answer may have been late in another."""
    def picture():
        seen.append(pictures(stack, *words))
        return seen[-1][0] == 0
    seen = []
    try:
        stack.wait(picture, HANGS_S)
    except Failed as failed:
        raise AssertionError(f"it never was well: {seen[-1]}") from failed
    return seen[-1][1]


def test_one_picture_for_people_and_for_programs(system):
    # The router's cursor may stand before what concerns it not: everything else is at the head.
    text = well(system, "--once")
    assert max(len(line) for line in text.splitlines()) <= 80 and "\x1b" not in text
    for name in SERVICES:
        assert re.search(rf"^{name} +ready ", text, re.M), text
    assert "all is well" in text
    said = json.loads(well(system, "--json"))
    assert said["well"] and said["troubles"] == []
    assert {part["part"]: part["state"] for part in said["parts"]} == {
        **dict.fromkeys(SERVICES, "well"), "postgresql": "well", "redis": "well", "edge": "unknown"}
    head = system.one("select max(last_seq) from turunc.log_batch")
    assert said["log"]["head_seq"] == head
    assert said["record"]["connections"] >= 6 and said["record"]["active"] is not None
    assert {reader["reader"] for reader in said["readers"]} >= {"router", "notifier", "metrics"}
    for group in ("flow_per_s", "queues"):
        assert None not in said[group].values(), said[group]
    assert all(part["memory_bytes"] > 1e6 for part in said["parts"] if part["part"] in SERVICES)


def test_wrong_words_are_told(system):
    for words in (("--every", "0"), ("--every", "x"), ("--every", "61"), ("now",)):
        assert pictures(system, *words)[0] == 2, words


def test_it_moves_fits_and_leaves_the_terminal_as_it_was(system):
    with top(system, "--every", "0.5") as screen:
        screen.shows("all is well")
        assert screen.other and not screen.cursor
        head = int(re.search(r"record (\d+) \(", screen.text()).group(1))
        screen.wait(lambda text: re.search(r"per sec +in [1-9]", text) or report(system), what="reports come in")
        text = screen.wait(lambda text: re.search(r"routed [1-9]\d*  accepted", text), what="tickets")
        assert int(re.search(r"record (\d+) \(", text).group(1)) > head
        assert len(text.splitlines()) == 24 and text.splitlines()[23].startswith(" q quit")
        screen.resize(132, 43)
        screen.wait(lambda text: len(text.splitlines()) == 43 and "q quit" in text.splitlines()[42])
        screen.resize(60, 15)
        screen.wait(lambda text: "Turunç" in text and len(text.splitlines()) == 15 and text.splitlines()[14] != "")
        screen.type("p")
        screen.shows("paused")
        screen.type("p+--")
        screen.wait(lambda text: "paused" not in text)
        screen.type("q")
        assert screen.ended() == 0 and screen.is_as_before()


def test_who_does_not_answer_is_named_and_q_still_ends_it(system):
    system.pause("router")
    try:
        with top(system, "--every", "0.5") as screen:
            text = screen.shows("router: no answer")
            assert "TROUBLE" in text.splitlines()[0] and "all is well" not in text
            screen.type("q")
            assert screen.ended() == 0 and screen.is_as_before()
        code, text = pictures(system, "--once")
        assert code == 1 and "router: no answer" in text
    finally:
        system.resume("router")
        system.wait_ready("router")


def test_a_record_that_is_silent_is_away_and_ctrl_c_ends_it(system):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with top(system, "--every", "0.5",
                 TURUNC_DATABASE=f"host=127.0.0.1 port={port} dbname=x user=x sslmode=disable") as screen:
            text = screen.shows("postgresql: no answer: it does not answer")
            assert re.search(r"^intake +ready ", text, re.M)
            screen.type("\x03")
            assert screen.ended() == 0 and screen.is_as_before()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_whatever_ends_it_the_terminal_is_given_back(system, number):
    with top(system) as screen:
        screen.shows("all is well")
        os.kill(screen.program.pid, number)
        screen.ended()
        assert screen.is_as_before()


def test_who_holds_the_logs_lock_is_named(system):
    """Needs to see what other roles do, which PostgreSQL hides from most."""
    holder = psycopg2.connect(system.conninfo("turunc_router"))
    waiting = psycopg2.connect(system.conninfo("turunc_admin"), async_=True)
    try:
        holder.cursor().execute("select pg_advisory_xact_lock(7301)")
        psycopg2.extras.wait_select(waiting)
        waiting.cursor().execute("select pg_advisory_lock(7301)")
        with top(system, "--every", "0.5") as screen:
            text = screen.wait(lambda text: re.search(
                r"the log's lock is held by turunc_router: .*1 wait, the longest for \d", text), what="who waits")
            assert "TROUBLE" in text
            assert re.search(r" transaction \d", text), text
            holder.rollback()
            # Who waited has it now.
            screen.shows("held by turunc_admin, nobody waits")
            waiting.close()
            screen.shows("the log's is free")
    finally:
        holder.close()
        waiting.close()


def test_a_frozen_reader_stands_first(system):
    log_id = system.one("select log_id::text from turunc.log_history")
    system.sql("insert into turunc.consumer_cursor (client, name, log_id, seq, updated_at_us, frozen_reason)"
               " values ('fen\x1b[2J', 'live', %s, 1, 0, 'FORBIDDEN')", log_id)
    try:
        with top(system, "--every", "0.5") as screen:
            screen.shows("fen?[2J/live is frozen: FORBIDDEN")
            # The row below the table's head; the screen is written from the top on.
            screen.wait(lambda text: re.search(r"^READER.*\n+fen\?\[2J/live\b.* frozen: ", text, re.M), what="the first reader")
    finally:
        system.sql("delete from turunc.consumer_cursor where name = 'live' and client like 'fen%%'")


def test_without_utf8_and_without_colours_it_is_plain(system):
    with top(system, "--no-color", LANG="C", LC_ALL="C") as screen:
        assert "Turunc " in screen.shows("all is well")
        screen.type("q")
        assert screen.ended() == 0
