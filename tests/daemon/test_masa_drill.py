"""masa drill: a backup is restored elsewhere and compared with the system that goes on meanwhile."""
import glob
import json
import os
import shutil
import subprocess
import threading

import photos
import pytest
import turunc

from intake_world import add_api_key, number_of, post, ticket_id
from servers import BUILD
from stack import Stack

OK, FAILED, USAGE, NOT_FOUND, CONFLICT, UNREACHABLE, CONFIG = 0, 1, 2, 3, 5, 6, 78
ROUTED = 3  # turunc.v1.Status


class Drill:
    """The system, its backup, and what the drill says of it."""

    def __init__(self, stack):
        self.stack = stack
        self.at = stack.path("at")
        os.mkdir(self.at)
        os.chmod(self.at, 0o755)

    def masa(self, *words, **env):
        env = {**self.stack.env("masa", "turunc_admin"), "TURUNC_OWNER_DATABASE": self.stack.conninfo(),
               "TURUNC_SYSTEM_DIR": self.stack.path("system"),
               "TURUNC_ATTACHMENTS_DIR": self.stack.path("state", "intake", "attachments"), **env}
        return subprocess.run([os.path.join(BUILD, "bin", "masa"), *words, "--json"], env=env, text=True, timeout=240,
                              capture_output=True, check=False)

    def __call__(self, *words, **env):
        done = self.masa("drill", *words, "--at", self.at, **env)
        assert os.listdir(self.at) == [], "nothing of it is left, however it ended"
        return done

    def differences(self, *words, **env):
        done = self(*words, **env)
        assert done.returncode in (OK, FAILED), done.stderr
        said = json.loads(done.stdout)
        assert said["equal"] == (done.returncode == OK) == (said["differences"] == [])
        return {d["what"]: d["difference"] for d in said["differences"]}

    def routed(self):
        """Until nothing is on its way any more."""
        self.stack.wait(lambda: self.stack.one(
            "select count(*) from turunc.ticket t where not exists (select from turunc.ticket_state s where"
            " s.ticket_id = t.ticket_id)") == 0, 30, "all are routed")


@pytest.fixture(scope="module")
def drill():
    with Stack(services=["intake", "router"], own_postgres=True) as stack:
        yield prepared(Drill(stack))


def prepared(made):
    stack = made.stack
    made.key = add_api_key(stack, "app")
    stack.start()
    made.numbers = [number_of(post(stack, made.key, description=f"rapor {i}")) for i in range(30)]
    page = stack.http("intake", "GET", "/report?subject=cop-alinmadi").text
    token = page.split('name="token" value="')[1].split('"')[0]
    body, media = photos.multipart(
        [("token", token), ("service_code", "cop-alinmadi"), ("attribute[tur]", "ambalaj"), ("address_id", "fener"),
         ("description", "fotoğraflı"), ("phone", "0532 111 22 33")], [("photo", "x", photos.jpeg())])
    assert stack.http("intake", "POST", "/report", body=body, headers={"Content-Type": media}).status == 201
    made.routed()
    for name in ("keys", "secrets"):
        os.makedirs(stack.path("system", name))
        with open(stack.path("system", name, "one"), "w", encoding="ascii") as file:
            file.write("a secret")
    made.backup = stack.path("monday")
    made.head = stack.one("select max(last_seq) from turunc.log_batch")
    done = made.masa("backup", made.backup, "--max-rate", "1048576")
    assert done.returncode == OK, done.stderr
    # It goes on: new tickets, and a step of an old one.
    made.after = [number_of(post(stack, made.key, description=f"sonra {i}")) for i in range(10)]
    made.department = stack.client("temizlik")
    with turunc.Client(made.department) as client:
        view = next(v for v in client.snapshot().tickets if v.number == made.numbers[0])
        client.command(view.number, "accept", view.version)
    made.routed()
    return made


def test_what_was_backed_up_is_equal_and_how_much_it_is_is_said(drill):
    # In pieces, of which each row is in one, and PostgreSQL ends whoever waits for the copy in an open transaction.
    watched = f"{drill.stack.conninfo()} options='-c idle_in_transaction_session_timeout=1ms'"
    done = drill(drill.backup, TURUNC_OWNER_DATABASE=watched, TURUNC_DRILL_ROWS="7")
    assert done.returncode == OK, done.stderr
    assert "the database system is" not in done.stderr, "nobody knocks at the copy before it lets anybody in"
    said = json.loads(done.stdout)
    assert (done.returncode, said["equal"], said["differences"]) == (OK, True, []), said
    held = {row["what"]: row["held"] for row in said["compared"]}
    assert held["tickets"] == held["states of tickets"] == held["contacts"] == 30, "all but the one that went on since"
    assert held["photos and mails"] == held["rows of photos and mails"] == 1 and held["clocks"] > 0
    assert held["records of the log"] == said["through_record"] == drill.head > 62 and held["files of the configuration"] > 10
    assert said["recovered_ms"] > 0 and held["keys"] == held["secrets"] == 1


def test_without_a_backup_it_makes_one_of_now(drill):
    said = json.loads(drill("--max-rate", "1048576").stdout)
    held = {row["what"]: row["held"] for row in said["compared"]}
    assert said["equal"] is True and held["tickets"] == 41


def spoil(drill, spoilt):
    """A photo of the copy, and what the log does not say of the running system: [(what, how to undo it)]."""
    stack, one, head = drill.stack, ticket_id(drill.numbers[3]), drill.head
    photo, = (name for name in glob.glob(f"{spoilt}/attachments/*/*") if os.path.getsize(name) > 200)
    with open(photo, "r+b") as file:
        file.seek(150)
        byte = file.read(1)
        file.seek(150)
        file.write(bytes([byte[0] ^ 1]))
    with open(stack.path("system", "secrets", "one"), "w", encoding="ascii") as file:
        file.write("another!")
    actor = stack.one("select actor from turunc.event_log where seq = 20")
    hash_ = bytes(stack.one("select hash from turunc.log_batch where last_seq = %s", head))
    of = "where ticket_id = %s"
    changes = [
        ("states of tickets", f"update turunc.ticket_state set priority = priority + 1 {of}", (one,),
         f"update turunc.ticket_state set priority = priority - 1 {of}", (one,)),
        ("contacts", f"update turunc.contact set description = description || ' ' {of}", (one,),
         f"update turunc.contact set description = rtrim(description) {of}", (one,)),
        ("clocks", f"update turunc.ticket_clock set due_us = due_us + 1 {of}", (one,),
         f"update turunc.ticket_clock set due_us = due_us - 1 {of}", (one,)),
        ("records of the log", "update turunc.event_log set actor = 'user:kimse' where seq = 20", (),
         "update turunc.event_log set actor = %s where seq = 20", (actor,)),
        # The copy's last batch is another one here: a restore from before, or a history computed anew.
        ("log", "update turunc.log_batch set hash = sha256(hash) where last_seq = %s", (head,),
         "update turunc.log_batch set hash = %s where last_seq = %s", (hash_, head)),
    ]
    for _, do, values, _, _ in changes:
        stack.sql(do, *values)
    return [(what, undo, values) for what, _, _, undo, values in changes], photo


def test_what_is_not_as_it_was_is_named_and_nothing_else(drill):
    stack = drill.stack
    spoilt = stack.path("spoilt")
    shutil.copytree(drill.backup, spoilt)
    changes, photo = spoil(drill, spoilt)
    # In pieces, of which each is found as well.
    assert set(drill.differences(spoilt, TURUNC_DRILL_ROWS="7")) == {what for what, _, _ in changes} | {"photos and mails", "secrets"}
    for _, undo, values in changes:
        stack.sql(undo, *values)
    with open(stack.path("system", "secrets", "one"), "w", encoding="ascii") as file:
        file.write("a secret")
    # A ticket that went on since may look otherwise, and a photo may have been erased meanwhile.
    stack.sql("update turunc.ticket_state set priority = priority + 1 where ticket_id = %s", ticket_id(drill.numbers[0]))
    stack.sql("delete from turunc.attachment")
    os.remove(photo)
    assert set(drill.differences(spoilt)) == {"rows of photos and mails"}, "the row is gone without a record"


def test_alone_it_is_compared_with_nothing(drill):
    done = drill(drill.backup, "--alone", TURUNC_OWNER_DATABASE="host=/nowhere", TURUNC_DATABASE="host=/nowhere")
    said = json.loads(done.stdout)
    assert done.returncode == OK and said["right"] is True and "equal" not in said
    assert [row["what"] for row in said["compared"]] == ["hashes of the log", "photos and mails"]


def test_what_cannot_be_done_is_said(drill):
    stack = drill.stack
    assert drill(stack.path("nowhere")).returncode == NOT_FOUND
    assert drill(stack.path("system")).returncode == NOT_FOUND, "not a backup"
    assert drill("--alone").returncode == USAGE
    assert drill("--max-rate", "fast").returncode == USAGE
    assert drill(drill.backup, TURUNC_DRILL_ROWS="0").returncode == CONFIG
    done = drill(drill.backup, TURUNC_OWNER_DATABASE="host=/nowhere")
    assert done.returncode == UNREACHABLE and "--alone" in done.stderr
    small = stack.path("small")
    os.mkdir(small)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", small], check=False, capture_output=True).returncode == 0:
        try:
            done = drill.masa("drill", drill.backup, "--at", small)
            assert done.returncode == CONFLICT and "MB free" in done.stderr and os.listdir(small) == []
        finally:
            subprocess.run(["umount", small], check=True)
    damaged = stack.path("damaged")
    shutil.copytree(drill.backup, damaged)
    with open(os.path.join(damaged, "base", "PG_VERSION"), "a", encoding="ascii") as file:
        file.write("\n")
    done = drill(damaged)
    assert done.returncode == CONFLICT and "is damaged" in done.stderr
    assert json.loads(drill(drill.backup, "--dry-run").stdout)["dry_run"] is True


def test_what_goes_on_while_it_compares_is_no_difference(drill):
    """Tickets of the backup change all the time, and each is left out from then on."""
    ended = threading.Event()
    steps = []

    def work():
        with turunc.Client(drill.department) as client:
            for view in client.snapshot().tickets:
                if ended.wait(0.1):  # so that some are still as they were when the comparison begins
                    return
                if view.status == ROUTED:
                    client.command(view.number, "accept", view.version)
                    steps.append(view.number)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        found = set(drill.differences(drill.backup, TURUNC_DRILL_ROWS="7"))
    finally:
        ended.set()
        worker.join(60)
    assert found <= {"rows of photos and mails"} and steps, "a test before took that row away, without a record"
