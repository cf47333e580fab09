"""What happens to the router's work when it, its twin or PostgreSQL dies in the middle of it."""
import random
import threading
import time
import uuid

import psycopg2
import pytest
from process import Process
from ports import free_port
from proxy import Links
from router_world import Client, Opener, Reader, add_client, bus, done, printed
from stack import Stack
from stream_world import append, head

STEPS = [("accept", {}), ("start", {}), ("note", {"text": "x"}),
         ("transfer", {"department": "park", "reason_code": "x"}), ("accept", {}),
         ("resolve", {"reason_code": "yapildi", "text": "Bitti."})]


class Worker(threading.Thread):
    """Takes tickets through their steps as a careful client does: an answer that does not come is
    asked for again with the same id, until there is one."""

    def __init__(self, stack, who, numbers):
        super().__init__(daemon=True)
        self.stack, self.who, self.numbers = stack, who, numbers
        self.answered = 0
        self.repeats = 0
        self.wrong = []
        self.failure = None

    def run(self):
        try:
            client = Client(self.stack, self.who, hello=False)
            for number in self.numbers:
                for version, (verb, more) in enumerate(STEPS, start=2):
                    client = self._insist(client, number, version, verb, more)
            client.close()
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = failure

    def _insist(self, client, number, version, verb, more):
        command_id = str(uuid.uuid4())
        end = time.monotonic() + 90
        while time.monotonic() < end:
            try:
                client.last_sent = time.monotonic()
                answer = client.command(number, version, verb, 1.0, command_id, **more)
            except AssertionError:
                answer = None
            if isinstance(answer, bus.Done):
                if answer.version != version + 1:
                    self.wrong.append((number, version, answer))
                self.answered += 1
                return client
            again = (answer is None or isinstance(answer, bus.Error)
                     or answer.code == bus.REFUSAL_UNAVAILABLE
                     # the opened ticket may not have been routed yet: nothing was done
                     or (answer.code == bus.REFUSAL_STALE_VERSION and answer.current_version < 2))
            if not again:
                self.wrong.append((number, version, answer))
                return client
            self.repeats += 1
            client.close()
            time.sleep(0.05)
            client = Client(self.stack, self.who, hello=False)
            try:
                client.hello()
            except AssertionError:
                pass
        raise AssertionError(f"no answer for {number} {verb}")


class Load:
    def __init__(self, stack, workers=4, each=25):
        self.stack = stack
        self.opener, self.reader = Opener(stack), Reader(stack)
        first = Opener.id_of(self.opener.open(count=workers * each))
        self.numbers = [printed(first + i) for i in range(workers * each)]
        self.reader.wait_status(self.numbers[-1], "routed", 20)
        self.workers = [Worker(stack, add_client(stack, f"load-{i}"),
                               self.numbers[i * each:(i + 1) * each]) for i in range(workers)]
        self.opened = 0

    def start(self):
        for worker in self.workers:
            worker.start()

    def running(self):
        return any(worker.is_alive() for worker in self.workers)

    def work(self, commands):
        """Lets so many more be answered, or all that are left: what is killed then is in the middle of it, on a quick
        machine as on a slow one."""
        goal = sum(worker.answered for worker in self.workers) + commands
        while self.running() and sum(worker.answered for worker in self.workers) < goal:
            time.sleep(0.001)

    def open_more(self, count=20):
        self.opener.open(count=count)
        self.opened += count

    def settle(self):
        """Everything came true exactly once."""
        for worker in self.workers:
            worker.join(120)
        assert [w.failure for w in self.workers if w.failure] == []
        assert [w.wrong for w in self.workers if w.wrong] == []
        total = len(self.numbers) + self.opened
        self.stack.wait(lambda: self.stack.one(
            "select count(*) from turunc.ticket_state") == total, 30, "every ticket is routed")
        assert self.reader.check() == total
        assert self.stack.one("select count(*) from turunc.ticket_state where status = 7 "
                              "and version = %s", 2 + len(STEPS)) == len(self.numbers)
        assert self.stack.one("select count(*) from turunc.event_log where type = "
                              "'ticket.routed'") == total
        return sum(worker.repeats for worker in self.workers)


def test_killed_in_the_middle_of_load():
    chance = random.Random(7)
    with Stack(services=["router"]) as stack:
        stack.start()
        load = Load(stack)
        load.start()
        kills = 0
        while load.running():
            load.work(chance.randrange(10, 50))
            if load.running() and kills < 12:
                load.open_more()
                stack.kill9("router")
                stack.start("router", wait=False)
                kills += 1
        repeats = load.settle()
        assert kills >= 3 and repeats > 0, (kills, repeats)
        assert stack.terminate("router") == 0


def test_postgres_dies_and_returns():
    with Stack(services=["router"], own_postgres=True) as stack:
        stack.start()
        load = Load(stack, each=60)
        load.start()
        for _ in range(3):
            load.work(200)
            assert load.running()
            stack.kill9("postgres")
            stack.wait(lambda: stack.http("router", "GET", "/readyz").status == 503, 10)
            stack.restart("postgres")
            stack.wait(lambda: stack.ready("router"), 30)
            load.open_more()
        load.settle()
        assert stack.process["router"].starts == 1


def twin(stack):
    """A second router of the same record, with doors of its own."""
    first = stack.process["router"]
    ports = {name: free_port() for name in ("http", "stream", "doorbell")}
    env = dict(first.env, TURUNC_HTTP_LISTEN=f"127.0.0.1:{ports['http']}",
               TURUNC_BUS_STREAM_LISTEN=f"tcp://127.0.0.1:{ports['stream']}",
               TURUNC_DOORBELL=f"tcp://127.0.0.1:{ports['doorbell']}")
    return Process("router2", first.argv, env, stack.folder, stack.path("router2.log")), ports


class AtTwin:
    """The stack as seen by clients of the second router."""

    def __init__(self, stack, ports):
        self.stack, self.ports = stack, ports

    def bus(self, door):
        return f"tcp://127.0.0.1:{self.ports['stream']}", self.stack.bus(door)[1]


def clients(stack):
    return stack.one("select count(*) from turunc.client_grant")


def test_two_routers_at_once():
    with Stack(services=["router"]) as stack:
        stack.start()
        load = Load(stack, workers=4, each=40)
        other, ports = twin(stack)
        other.start()
        try:
            stack.wait(lambda: "catalogue and rights loaded" in other.log(), 10)
            for worker in load.workers[2:]:
                worker.stack = AtTwin(stack, ports)
            load.start()
            while load.running():
                load.open_more()
                time.sleep(0.05)
            load.settle()
            # The same command at both doors at once has one effect.
            number = load.opener.open()
            load.opened += 1
            load.reader.wait_status(number, "routed")
            who = add_client(stack, "both")
            stack.wait(lambda: f"clients={clients(stack)}" in other.log(), 5, "the twin knows it")
            here, there = Client(stack, who), Client(AtTwin(stack, ports), who)
            version = 2
            for _ in range(30):
                command_id = str(uuid.uuid4())
                sent = [(c, c.send_command(number, version, "note", command_id, text="x"))
                        for c in (here, there)]
                assert [done(c.answer(r)).version for c, r in sent] == [version + 1] * 2
                version += 1
            load.reader.check()
            here.close()
            there.close()
        finally:
            assert other.terminate() == 0


def test_the_record_is_replaced_by_a_shorter_one(make_stack):
    """A backup was put in its place under a router that goes on: whoever writes is back before it is known that the
    log has another history, and every ticket of the new one is routed."""
    stack, links = make_stack(services=["router"]), Links()
    try:
        folder = stack.link_record(links)
        stack.restart("router", env={"TURUNC_DATABASE": stack.conninfo("turunc_router", folder)})
        opener = Opener(stack)
        opener.open()
        stack.wait(lambda: routed(stack) == 1)
        kept = head(stack)
        append(stack, count=50)
        stack.wait(lambda: stack.metric("router", "turunc_log_head_seq") >= kept + 50, what="the router knows of them")
        links.set("record", "withhold", statements=["registry_head"])
        stack.wait(lambda: links.state("record")["held"], what="the router asks how long the log is")
        with psycopg2.connect(stack.conninfo()) as link, link.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(7301)")
            cursor.execute("delete from turunc.event_log where seq > %s", [kept])
            cursor.execute("delete from turunc.log_batch where last_seq > %s", [kept])
            cursor.execute("insert into turunc.log_history (log_id, base_seq, started_at_us) values (%s, %s, 1)",
                           [str(uuid.uuid4()), kept])
            cursor.execute("update turunc.consumer_cursor set seq = %s, log_id = (select log_id from turunc.log_history"
                           " order by history_no desc limit 1) where client = '' and name = 'router'", [kept])
            cursor.execute("update turunc.search_position set seq = %s", [kept])
        link.close()
        opener.open()
        for pid, in stack.sql("select pid from pg_stat_activity where application_name like 'turunc-router%%'"
                              " and datname = current_database()"):
            stack.sql("select pg_terminate_backend(%s)", pid)
        reached = stack.log("router").count("record reached for=writing")
        stack.wait(lambda: stack.log("router").count("record reached for=writing") > reached, 30)
        end = time.monotonic() + 2      # what was wrong happened at once
        while time.monotonic() < end and place(stack) <= kept:
            time.sleep(0.05)
        links.set("record", "pass")
        for _ in range(20):
            opener.open()
        stack.wait(lambda: routed(stack) == 22, 30, "every ticket is routed")
        stack.wait(lambda: stack.one("select count(distinct ticket_id) from turunc.contact_search") == 22, 30,
                   "and found by the search")
    finally:
        links.close()


def routed(stack):
    return stack.one("select count(*) from turunc.ticket_state where status >= 2")


def place(stack):
    return stack.one("select seq from turunc.consumer_cursor where client = '' and name = 'router'")


def test_sigterm_answers_what_is_in_hand():
    with Stack(services=["router"]) as stack:
        stack.start()
        opener, reader = Opener(stack), Reader(stack)
        first = Opener.id_of(opener.open(count=300))
        reader.wait_status(printed(first + 299), "routed")
        client = Client(stack, add_client(stack, "last"))
        sent = [client.send_command(printed(first + i), 2, "note", text="x") for i in range(300)]
        client.answer(sent[0])
        assert stack.terminate("router") == 0
        answers = []
        while True:
            frame = client.receive(1)
            if frame is None:
                break
            answers.append(frame.WhichOneof("body"))
        told = 1 + answers.count("done")
        assert told == stack.one("select count(*) from turunc.command_result where refusal = 0")
        assert answers[-1] == "error"  # SHUTTING_DOWN, after every answer
        client.close()


def test_without_postgres_commands_are_told_to_come_again():
    with Stack(services=["router"], own_postgres=True,
               env={"router": {"TURUNC_ROUTER_WAIT": "300ms"}}) as stack:
        stack.start()
        opener, reader = Opener(stack), Reader(stack)
        number = opener.open()
        reader.wait_status(number, "routed")
        client = Client(stack, add_client(stack, "patient"))
        stack.kill9("postgres")
        answer = client.command(number, 2, "accept", 5)
        assert isinstance(answer, bus.Refused) and answer.code == bus.REFUSAL_UNAVAILABLE
        stack.restart("postgres")
        stack.wait(lambda: stack.ready("router"), 30)
        done(client.command(number, 2, "accept", 5))
        client.close()


def test_a_full_queue_refuses():
    with Stack(services=["router"], env={"router": {"TURUNC_ROUTER_HELD_COMMANDS": "5"}}) as stack:
        stack.start()
        opener, reader = Opener(stack), Reader(stack)
        number = opener.open()
        reader.wait_status(number, "routed")
        client = Client(stack, add_client(stack, "eager"))
        sent = [client.send_command(number, 2 + i, "note", text="x") for i in range(200)]
        answers = [client.answer(request) for request in sent]
        unavailable = [a for a in answers if isinstance(a, bus.Refused)
                       and a.code == bus.REFUSAL_UNAVAILABLE]
        assert 0 < len(unavailable) < 200
        assert all(isinstance(a, (bus.Done, bus.Refused)) for a in answers)
        reader.check()
        client.close()


@pytest.mark.parametrize("name, value", [
    ("TURUNC_ROUTER_SWEEP", "soon"), ("TURUNC_BUS_STREAM_LISTEN", "here"),
    ("TURUNC_ROUTER_BATCH_RECORDS", "0"), ("TURUNC_ROUTER_UNKNOWN", "1")])
def test_bad_settings_end_it_with_78(name, value):
    with Stack(services=["router"], env={"router": {name: value}}) as stack:
        process = stack.process["router"]
        process.start()
        stack.wait(lambda: not process.running(), 10)
        assert process.exit_code() == 78
        assert name in process.log()
