"""The configuration is read anew while something of the former one is under way: a report that waits for the record,
a file of CİMER that is being read."""
import concurrent.futures
import os
import shutil
import signal

import psycopg2

import sheets
from cimer_world import World
from intake_world import ticket_id
from process import wait_until
from stack import CONFIG, Stack
from stream_world import append
from test_intake_call import SAID, Desk
from test_intake_cimer import a_few_strings, application, reader_status
from test_intake_report import number_on, send, token_of

LOADED = "catalogue and rights loaded"
FORMS = 4


def locked(stack, table):
    link = psycopg2.connect(stack.conninfo())
    with link.cursor() as cursor:
        cursor.execute(f"lock table {table} in access exclusive mode")
    return link


def test_what_waits_outlives_the_configuration_it_was_read_with():
    # One batch at a time, and nothing of those behind it is written before it is over.
    with Stack(services=["intake"], env={"intake": {"TURUNC_INTAKE_WRITE_CONNECTIONS": "1",
                                                    "TURUNC_INTAKE_WRITE_IN_FLIGHT": "1",
                                                    "TURUNC_INTAKE_WAIT": "60s"}}) as stack:
        password = stack.user("ayse", "call-taker")
        stack.start()
        desk = Desk(stack, "ayse", password)
        tokens = [token_of(stack) for _ in range(FORMS)]
        loads = stack.process["intake"].log().count(LOADED)
        reading = locked(stack, "turunc.config_file")
        append(stack, "client.granted")
        writing = locked(stack, "turunc.citizen")
        with concurrent.futures.ThreadPoolExecutor(FORMS + 1) as pool:
            forms = []
            for token in tokens:
                forms.append(pool.submit(send, stack, token))
                stack.wait(lambda: stack.metric("intake", "turunc_intake_items_held") == len(forms), 20)
            called = pool.submit(desk.send, "ticket", **{**SAID, "phone": "0532 987 65 20"})
            stack.wait(lambda: stack.metric("intake", "turunc_intake_items_held") == FORMS + 1, 20)
            reading.rollback()
            stack.wait(lambda: stack.process["intake"].log().count(LOADED) > loads, 20, "the configuration is read anew")
            writing.rollback()
            answers = [form.result() for form in forms]
            assert called.result().status == 303
        for link in (reading, writing):
            link.close()
        numbers = [ticket_id(number_on(answer)) for answer in answers] + [ticket_id(desk.number())]
        versions = stack.sql("select c.information_version, count(*) from turunc.contact c where ticket_id = any(%s)"
                             " group by 1", numbers)
        assert versions == [("2026-01", FORMS + 1)]
        assert stack.terminate("intake") == 0


def reader_stopped(world):
    """The process that reads a workbook, stopped; it has begun."""
    status = wait_until(lambda: (found := reader_status(world)).get("Seccomp") == "2" and found, 20, "a reader is seen")
    os.kill(int(status["Pid"]), signal.SIGSTOP)
    return int(status["Pid"])


def test_a_file_waits_when_what_explains_it_is_gone(tmp_path):
    """It is read again from the start, and not before there is a cimer.csv again: it is none to be rejected."""
    shutil.copytree(CONFIG, tmp_path / "config")
    os.unlink(tmp_path / "config" / "cimer.csv")
    world = World().open(services=["intake"])
    try:
        loads = world.stack.process["intake"].log().count(LOADED)
        world.put("liste.xlsx", sheets.workbook(
            [sheets.sheet_xml([sheets.HEADER, application("reload-1", sheets.days_ago(1))])], a_few_strings()))
        reader = reader_stopped(world)
        world.stack.masa("config", "apply", str(tmp_path / "config"))
        world.stack.wait(lambda: world.stack.process["intake"].log().count(LOADED) > loads, 20, "it is in force")
        os.kill(reader, signal.SIGCONT)
        world.stack.wait(lambda: "has no cimer.csv" in world.stack.process["intake"].log(), 20, "the file waits")
        assert world.where("liste.xlsx") == "waiting"
        world.stack.masa("config", "apply", CONFIG)
        assert world.settled("liste.xlsx") == "done" and world.ticket("reload-1") is not None
    finally:
        assert world.stack.close()
