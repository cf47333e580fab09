"""A report waits for the record while the configuration is read anew: what it says is its own."""
import concurrent.futures
import time

import psycopg2

from intake_world import ticket_id
from stack import Stack
from test_intake_call import SAID, Desk
from test_intake_report import number_on, send, token_of
from turunc.v1 import event_pb2

LOADED = "catalogue and rights loaded"
FORMS = 4


def locked(stack, table):
    link = psycopg2.connect(stack.conninfo())
    with link.cursor() as cursor:
        cursor.execute(f"lock table {table} in access exclusive mode")
    return link


def say_that_rights_changed(stack):
    event = event_pb2.Event(id="0", source="test", type="client.granted").SerializeToString()
    stack.sql("select turunc.log_append(%s, '{client.granted}', '{null}'::bigint[], '{null}', '{null}', '{test}',"
              " array[%s]::bytea[])", time.time_ns() // 1000, event)


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
        say_that_rights_changed(stack)
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
