"""The client libraries and their examples against a door that misbehaves (tests/lib/fake_door.py).

The same programs meet the real doors in tests/e2e; here the faults are played that real doors
should never show, or show only in an accident.
"""
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from fake_door import FakeDoor, bus, ticket_pb2

import turunc

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("TURUNC_TEST_BUILD", ROOT / "build"))
PROGRAMS = {
    "c": {name: [str(BUILD / "bin" / f"example_{name}")] for name in ("publisher", "department")},
    "python": {name: ["/usr/bin/python3", str(ROOT / "clients/python/examples" / f"{name}.py")]
               for name in ("publisher", "department")},
}
FAST = turunc.Timing(ping=0.05, silence=3.0, answer=2.0, backoff=0.01, backoff_max=0.1)


@pytest.fixture
def door():
    with FakeDoor() as one:
        yield one


@pytest.fixture
def keys(door, tmp_path):
    return door.key_folder(tmp_path / "keys")


@pytest.fixture(params=["thread", "loop"])
def client(request, keys):
    """Every promise holds with the client's own thread and without it."""
    troubles = []
    with turunc.Client(keys, background=request.param == "thread", timing=FAST,
                       on_trouble=lambda d, error: troubles.append(error)) as one:
        one.troubles = troubles
        yield one


@pytest.fixture
def start():
    """start(language, program, ...) runs an example; what still runs at the end is ended."""
    running = []

    def run(language, program, keys, *options, **more):
        process = subprocess.Popen(
            [*PROGRAMS[language][program], "--keys", str(keys), *map(str, options)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
        running.append(process)
        return process

    yield run
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def finish(process, limit=60):
    out, err = process.communicate(timeout=limit)
    assert process.returncode == 0, (out, err)
    return out


def request(text="Ağaç devrildi", **fields):
    return turunc.ticket_request("tests", text, **fields)


# --- the examples, in both languages ---------------------------------------------------------------

@pytest.mark.parametrize("language", PROGRAMS)
def test_publisher_reads_lines(language, door, keys, start):
    process = start(language, "publisher", keys, stdin=subprocess.PIPE)
    out, _ = process.communicate("Çöp alınmadı\n\nLamba yanmıyor\n", timeout=20)
    assert process.returncode == 0
    assert [line.split()[1:3] for line in out.splitlines()] == [
        ["accepted", "26-0000001-0"], ["accepted", "26-0000002-0"]]
    assert [v.description for v in door.tickets.values()] == ["Çöp alınmadı", "Lamba yanmıyor"]


@pytest.mark.parametrize("language", PROGRAMS)
def test_publisher_under_every_fault(language, door, keys, tmp_path, start):
    """Busy, answers lost or said twice, restarts: each event has its effect once."""
    door.busy, door.twice = 3, True
    door.swallow["publish"] = 1
    process = start(language, "publisher", keys, "--count", 300, "--store", tmp_path / "store",
                    "--prefix", "night")
    door.wait(lambda: len(door.identities) > 0)
    door.restart()
    out = finish(process)
    assert len(door.identities) == 1200 and len(door.tickets) == 300
    words = [line.split()[1] for line in out.splitlines()]
    assert len(words) == 1200 and set(words) <= {"accepted", "duplicate"}
    # The same prefix again is the same events again.
    # Their time differs, though, so the content does: the door tells instead of guessing.
    again = start(language, "publisher", keys, "--count", 300, "--prefix", "night")
    out, _ = again.communicate(timeout=60)
    assert again.returncode == 1 and len(door.tickets) == 300
    assert {line.split(" ", 1)[1] for line in out.splitlines()} == {
        "rejected  ID_REUSED: other content"}


@pytest.mark.parametrize("language", PROGRAMS)
def test_stored_events_survive_kill_9(language, door, keys, tmp_path, start):
    door.silent = True
    process = start(language, "publisher", keys, "--store", tmp_path / "store",
                    stdin=subprocess.PIPE)
    process.stdin.write("".join(f"satır {n}\n" for n in range(50)))
    process.stdin.flush()
    door.wait(lambda: len(door.heard("hello")) > 0)
    count = {"c": count_entries, "python": count_rows}[language]
    door.wait(lambda: count(tmp_path / "store") == 50)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not door.identities
    door.silent = False
    door.restart()
    finish(start(language, "publisher", keys, "--store", tmp_path / "store",
                 stdin=subprocess.DEVNULL))
    assert len(door.identities) == 50
    assert [v.description for v in door.tickets.values()] == [f"satır {n}" for n in range(50)]


def count_entries(path):
    return sum(file.read_bytes().count(b"TRN1") for file in path.glob("*.journal"))


def count_rows(path):
    """Rows in the store of a living process: its lock lets nobody in, so count in a copy.  A copy
    made while it writes may be torn, and nothing of it may be left for the next one."""
    import contextlib
    import shutil
    import sqlite3
    import tempfile
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "store"
        for suffix in ("", "-wal"):
            if not Path(str(path) + suffix).exists():
                return 0
            shutil.copy(str(path) + suffix, str(copy) + suffix)
        try:
            with contextlib.closing(sqlite3.connect(copy)) as db:
                return db.execute("SELECT count(*) FROM event").fetchone()[0]
        except sqlite3.Error:
            return 0


@pytest.mark.parametrize("language", PROGRAMS)
def test_department_works_tickets_through(language, door, keys, start):
    for _ in range(7):
        door.open_ticket()
    door.open_ticket("zabita")
    door.unavailable = 2
    process = start(language, "department", keys, "--department", "park", "--count", 10)
    door.wait(lambda: len(door.cursors) == 1)
    for _ in range(3):
        door.open_ticket()
    out = finish(process)
    assert out.startswith("snapshot 7 tickets as of 8\n")
    statuses = {v.number: v.status for v in door.tickets.values()}
    assert sum(s == ticket_pb2.STATUS_RESOLVED for s in statuses.values()) == 10
    assert statuses["26-0000008-0"] == ticket_pb2.STATUS_ROUTED, "another department's"
    assert {f.command.reason_code for f in door.heard("command")
            if f.command.verb == "resolve"} == {"yapildi"}
    assert door.acked("park") > 8


@pytest.mark.parametrize("language", PROGRAMS)
def test_department_under_every_fault(language, door, keys, start):
    """Lost sessions, a cut snapshot, a name in use, answers lost: each step is taken once."""
    for _ in range(20):
        door.open_ticket()
    door.in_use, door.cut_snapshot = 1, 1
    process = start(language, "department", keys, "--department", "park", "--count", 30,
                    "--delay", 20)
    door.wait(lambda: door.counts["command accept"] > 3)
    door.restart()
    for _ in range(10):
        door.open_ticket()
    door.wait(lambda: door.counts["command resolve"] > 5)
    door.restart()
    finish(process)
    assert all(v.status == ticket_pb2.STATUS_RESOLVED and v.version == 5
               for v in door.tickets.values())
    ids = {}
    for frame in door.heard("command"):
        ids.setdefault((frame.command.ticket, frame.command.verb), set()).add(frame.command.id)
    assert all(len(one) == 1 for one in ids.values()), "a step was asked for under a second id"


@pytest.mark.parametrize("language", PROGRAMS)
def test_department_begins_anew_after_a_restore(language, door, keys, start):
    for _ in range(3):
        door.open_ticket()
    process = start(language, "department", keys, "--department", "park", "--delay", 200)
    door.wait(lambda: len(door.cursors) == 1)
    door.change_log(2)
    door.wait(lambda: all(v.status == ticket_pb2.STATUS_RESOLVED for v in door.tickets.values()))
    process.send_signal(signal.SIGTERM)
    out = finish(process)
    assert out.count("snapshot") == 2


@pytest.mark.parametrize("language", PROGRAMS)
def test_a_key_that_is_not_admitted(language, door, keys, start):
    door.admit = False
    process = start(language, "publisher", keys, "--count", 1)
    door.wait(lambda: door.counts["refused"] > 0)
    assert not door.said
    door.admit = True
    finish(process)


# --- the Python package ----------------------------------------------------------------------------

def test_publish_and_its_refusals(client, door):
    door.reject_source = "elsewhere"
    first = client.publish(request(id="1"))
    assert first.ticket == "26-0000001-0" and not first.duplicate
    with pytest.raises(turunc.Rejected, match="SOURCE: not yours"):
        client.publish(turunc.ticket_request("elsewhere", "x"))
    results = client.publish_many([request(id="2"), turunc.ticket_request("elsewhere", "x")])
    assert [r.rejected for r in results] == [False, True]
    same = request(id="3")
    client.publish(same)
    assert client.publish(same).duplicate
    assert client.idle()


@pytest.mark.parametrize("event, error", [
    (turunc.ticket_request("tests", "x" * 70000), turunc.TooLarge),
    (turunc.ticket_request("", "x"), turunc.Invalid),
    (turunc.ticket_request("tests", "x", id="y" * 129), turunc.Invalid),
    (turunc.ticket_request("tests", "a\0b"), turunc.Invalid),
])
def test_refused_before_sending(client, door, event, error):
    with pytest.raises(error):
        client.post(event)
    client.publish(request())
    assert len(door.heard("publish")) == 1


def test_bounds(keys, door):
    door.silent = True
    with turunc.Client(keys, events_max=5, commands_max=2, timing=FAST) as client:
        client.post_many(request() for _ in range(5))
        with pytest.raises(turunc.Full):
            client.post(request())
        client.send_command("26-0000001-0", "accept", 2)
        client.send_command("26-0000001-0", "start", 2)
        with pytest.raises(turunc.Full):
            client.send_command("26-0000001-0", "resolve", 2)


def test_credit_and_batches(keys, door):
    door.credit = 300
    with turunc.Client(keys, timing=FAST) as client:
        assert len(client.publish_many(request() for _ in range(2000))) == 2000
    sizes = [len(f.publish.events) for f in door.heard("publish")]
    assert max(sizes) <= 256 and sum(sizes) == 2000


def test_large_events_share_frames(keys, door):
    with turunc.Client(keys, timing=FAST) as client:
        client.publish_many(request("x" * 60000) for _ in range(10))
    assert max(f.ByteSize() for f in door.heard("publish")) <= 240 * 1024


def test_busy_is_waited_out(client, door):
    door.busy, door.retry_ms = 4, 20
    assert client.publish(request()).ticket
    assert len(door.heard("publish")) == 5


def test_what_was_not_decided_goes_again(client, door):
    door.undecided = 3
    results = client.publish_many(request(id=str(n)) for n in range(5))
    assert [r.status_name for r in results] == ["PUBLISH_ACCEPTED"] * 5
    assert [len(f.publish.events) for f in door.heard("publish")] == [5, 3]


def test_an_answer_that_never_comes(client, door):
    """The door pongs but does not answer: another session, the same event, the first answer."""
    door.swallow["publish"] = 1
    assert client.publish(request(id="1")).duplicate
    assert client.stats()["drops"] == 1 and len(door.tickets) == 1


def test_silent_door_is_given_up(client, door):
    client.publish(request())
    door.silent = True
    future = client.post(request())
    assert not client.wait(lambda: client.stats()["drops"] > 0, 0.5), "too early"
    assert client.wait(lambda: client.stats()["drops"] > 0, 20)
    door.silent = False
    assert client.wait(future.done, 30)


def test_idle_session_stays(client, door):
    client.publish(request())
    client.wait(lambda: False, 3.5)
    assert client.stats()["drops"] == 0 and len(door.heard("ping")) > 5


def test_restart_is_noticed_at_once(client, door):
    client.publish(request())
    for _ in range(3):
        door.restart()
        begin = time.monotonic()
        client.publish(request())
        assert time.monotonic() - begin < 2.5, "by silence only"


def test_subscription_in_order_and_acknowledged(client, door):
    door.append(count=50)
    with client.subscribe("all", start="earliest", window=8) as sub:
        for want in range(1, 51):
            record = sub.get(5)
            assert record.seq == want
            sub.ack(record)
        assert sub.get(0.05) is None
    assert door.acked("all") == 50


def test_unacknowledged_records_return_to_the_next_process(keys, door):
    door.append(count=10)
    with turunc.Client(keys, timing=FAST) as client, \
            client.subscribe("all", start="earliest") as sub:
        seen = [sub.get(5).seq for _ in range(6)]
        sub.ack(4)
    with turunc.Client(keys, timing=FAST) as client, client.subscribe("all") as sub:
        assert seen == [1, 2, 3, 4, 5, 6]
        assert [sub.get(5).seq for _ in range(6)] == [5, 6, 7, 8, 9, 10]


def test_window_bounds_what_is_unacknowledged(client, door):
    door.append(count=100)
    with client.subscribe("all", start="earliest", window=10) as sub:
        seen = [sub.get(5).seq for _ in range(10)]
        assert sub.get(0.2) is None, "more than a window without an acknowledgement"
        sub.ack(seen[-1])
        assert sub.get(5).seq == 11
        with pytest.raises(turunc.Invalid):
            sub.ack(50)


def test_filtered_stream_advances_without_records(client, door):
    door.open_ticket("park")
    with client.subscribe("park", departments=["park"], start="earliest") as sub:
        sub.ack(sub.get(5))
        door.append(count=500)
        client.wait(lambda: door.acked("park") == 501, 5)
        assert sub.position == 501
    assert door.acked("park") == 501


def test_each_record_is_handed_out_once_across_reconnections(client, door):
    door.append(count=300)
    with client.subscribe("all", start="earliest", window=50) as sub:
        seen = []
        while len(seen) < 300:
            seen.append(sub.get(10).seq)
            if len(seen) % 7 == 0:
                sub.ack(seen[-1])
            if len(seen) % 60 == 0:
                door.restart()
        assert seen == list(range(1, 301))
    subscribes = [f.subscribe for f in door.heard("subscribe")]
    assert getattr(subscribes[0], "from") == bus.FROM_EARLIEST
    assert all(getattr(s, "from") == bus.FROM_RESUME and s.log_id for s in subscribes[1:])


def test_a_gap_is_told_and_mended(client, door):
    door.append(count=30)
    door.skip_records = 1
    with client.subscribe("all", start="earliest") as sub:
        assert [sub.get(10).seq for _ in range(30)] == list(range(1, 31))
    assert any(isinstance(t, turunc.Gap) for t in client.troubles)


def test_superseded_does_not_come_back(client, door):
    with client.subscribe("all", start="earliest") as sub:
        client.wait(lambda: door.cursors, 5)
        door.supersede()
        with pytest.raises(turunc.Superseded):
            sub.get(5)
        asked = len(door.heard("subscribe"))
        client.wait(lambda: False, 0.3)
        assert len(door.heard("subscribe")) == asked


def test_forbidden_and_filter_differs_are_final(client, door):
    with client.subscribe("all", start="earliest") as sub:
        client.wait(lambda: door.cursors, 5)
        door.forbid()
        with pytest.raises(turunc.Forbidden):
            sub.get(5)
    with client.subscribe("all", types=["ticket.opened"]) as sub:
        with pytest.raises(turunc.FilterDiffers):
            sub.get(5)
    with client.subscribe("all", types=["ticket.noted"], start="earliest", replace=True) as sub:
        door.append()
        assert sub.get(5).seq == 1


def test_name_in_use_is_retried(client, door):
    door.in_use, door.retry_ms = 3, 20
    door.append()
    with client.subscribe("all", start="earliest") as sub:
        assert sub.get(5).seq == 1
    assert len(door.heard("subscribe")) == 4


def test_another_history(client, door):
    door.append(count=9)
    with client.subscribe("all", start="earliest") as sub:
        sub.ack(sub.get(5))
        door.change_log(4)
        with pytest.raises(turunc.LogChanged) as caught:
            for _ in range(20):
                sub.get(5)
        assert caught.value.last_common_seq in (4, 0)


def test_a_moved_cursor_is_told(client, door):
    door.append(count=9)
    with client.subscribe("all", start="earliest") as sub:
        sub.ack(sub.get(5))
        client.wait(lambda: door.acked("all") == 1, 5)
        door.move_cursor("all", 7)
        door.restart()
        with pytest.raises(turunc.Gap):
            for _ in range(20):
                sub.get(5)


def test_snapshot_is_whole_even_when_cut(client, door):
    for _ in range(8):
        door.open_ticket()
    door.cut_snapshot = 2
    snapshot = client.snapshot(["park"])
    assert [v.number for v in snapshot.tickets] == sorted(door.tickets)
    assert snapshot.as_of_seq == 8 and snapshot.log_id == door.log_id


def test_command_answers(client, door):
    number = door.open_ticket()
    door.unavailable = 1
    door.swallow["command"] = 1
    done = client.command(number, "accept", 2)
    assert (done.version, done.status) == (3, ticket_pb2.STATUS_ACCEPTED)
    assert len({f.command.id for f in door.heard("command")}) == 1
    with pytest.raises(turunc.Refused) as caught:
        client.command(number, "start", 2)
    assert caught.value.stale and caught.value.version == 3
    with pytest.raises(turunc.Invalid):
        client.command(number, "start", 3, no_such_field=1)
    door.silent = True
    with pytest.raises(turunc.Timeout) as late:
        client.command(number, "start", 3, timeout=0.2)
    door.silent = False
    assert client.command(number, "start", 3, id=late.value.id).version == 4


def test_wrong_server_key_never_speaks(keys, door):
    (keys / "server.public").write_bytes(door.client_public)
    troubles = []
    with turunc.Client(keys, timing=turunc.Timing(silence=0.3, backoff=0.01),
                       on_trouble=lambda d, error: troubles.append(error)) as client:
        client.post(request())
        assert client.wait(lambda: len(troubles) > 1, 5)
    assert "key" in str(troubles[0]) and not door.said


def test_a_session_that_lasted_comes_back_at_once(keys, door):
    """A door that restarts now and then is met with the first pause each time, not a grown one."""
    ready = []
    timing = turunc.Timing(silence=3.0, backoff=0.4)

    def on_state(_door, state, _why):
        ready.extend([time.monotonic()] if state == "ready" else [])

    with turunc.Client(keys, timing=timing, on_state=on_state) as client:
        client.subscribe("lasting", start="earliest")
        for sessions in range(1, 5):
            assert client.wait(lambda n=sessions: len(ready) == n, 10)
            time.sleep(max(0.0, ready[-1] + 1.05 - time.monotonic()))
            door.restart()
            assert client.wait(lambda n=sessions: len(ready) == n + 1, 10)
    assert ready[4] - ready[3] < 3.0, "one that grows is 2.4 s the fourth time, behind a session of a second"


def test_key_folder_complaints(keys):
    (keys / "client.secret").chmod(0o644)
    with pytest.raises(turunc.KeyFolderError, match="chmod 600"):
        turunc.Client(keys)
    (keys / "client.secret").chmod(0o600)
    (keys / "endpoints").write_text("stream=http://x\n")
    client = turunc.Client(keys)
    with pytest.raises(turunc.KeyFolderError, match="publish="):
        client.post(request())
    with pytest.raises(turunc.KeyFolderError, match="tcp://"):
        client.snapshot()
    client.close()


def test_store_belongs_to_one_process_and_is_bounded(keys, tmp_path, door):
    door.silent = True
    store = tmp_path / "store.db"
    with turunc.Client(keys, store=store, store_bytes_max=3000, timing=FAST) as client:
        client.post(request("x" * 2000))
        with pytest.raises(turunc.Full):
            client.post(request("x" * 2000))
        with pytest.raises(turunc.StoreError, match="in use"):
            turunc.Client(keys, store=store)
    door.silent = False
    with turunc.Client(keys, store=store, timing=FAST) as client:
        assert client.drain(10)
    assert len(door.tickets) == 1


def test_rejected_events_are_kept(keys, tmp_path, door):
    door.reject_source = "tests"
    with turunc.Client(keys, store=tmp_path / "store.db", timing=FAST) as client:
        client.post(request(id="bad"))
        assert client.drain(10)
    store = turunc.SqliteStore(tmp_path / "store.db", 10, 10000)
    assert [(i, why) for i, why, _ in store.rejected()] == [("bad", "SOURCE: not yours")]
    store.close()


def test_threads_share_a_client(keys, door):
    results = []
    with turunc.Client(keys, timing=FAST) as client:
        def work(name):
            results.extend(client.publish(request(id=f"{name}-{n}")) for n in range(50))
        threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert len(results) == 200 and len(door.tickets) == 200


def test_closing_tells_whoever_waits(keys, door):
    door.silent = True
    client = turunc.Client(keys, timing=FAST)
    future = client.post(request())
    heard = []

    def wait():
        try:
            client.publish(request(), timeout=None)
        except turunc.TuruncError as error:
            heard.append(error)
    thread = threading.Thread(target=wait)
    thread.start()
    door.wait(lambda: client.pending() == 2)
    client.close()
    thread.join(5)
    assert isinstance(heard[0], turunc.Closed) and isinstance(future.exception(0), turunc.Closed)
    with pytest.raises(turunc.Closed):
        client.post(request())


def test_a_callback_that_fails_is_heard_of(keys, door):
    def broken(result):
        raise RuntimeError("my own fault")
    with turunc.Client(keys, timing=FAST, on_result=broken) as client:
        with pytest.raises(turunc.Closed, match="my own fault"):
            client.publish(request())
            client.publish(request())


def test_only_the_descriptor_is_needed(keys, door):
    """Under a loop of the caller's: poll fileno(), step when readable or due."""
    import select
    with turunc.Client(keys, background=False, timing=FAST) as client:
        futures = client.post_many(request() for _ in range(500))
        poller = select.poll()
        poller.register(client.fileno(), select.POLLIN)
        until = time.monotonic() + 10
        while not all(f.done() for f in futures) and time.monotonic() < until:
            poller.poll(client.timeout() * 1000)
            client.step()
        assert all(f.result(0).ticket for f in futures)


if __name__ == "__main__":
    sys.exit(pytest.main([__file__]))
