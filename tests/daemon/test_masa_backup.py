"""A backup has the citizens' photos, or says that it has not."""
import json
import os
import signal
import subprocess
import threading

import pytest

from intake_world import add_api_key
from process import wait_until
from servers import BUILD

OK, FAILED, CONFLICT, CONFIG = 0, 1, 5, 78


@pytest.fixture
def stack(make_stack):
    made = make_stack(services=["intake"], own_postgres=True)
    made.key = add_api_key(made, "app")
    made.start()
    made.wait(lambda: made.one("select count(*) from turunc.log_batch") > 0, 30, "the record has a history")
    os.makedirs(made.path("system", "secrets"))
    return made


def start(stack, to, *words, photos=None, rate="1048576", **more):
    env = {**stack._common_env("masa", "turunc_admin"),  # pylint: disable=protected-access
           "TURUNC_OWNER_DATABASE": stack.conninfo(), "TURUNC_SYSTEM_DIR": stack.path("system"), **more}
    if photos is not None:
        env["TURUNC_ATTACHMENTS_DIR"] = photos
    return subprocess.Popen([os.path.join(BUILD, "bin", "masa"), "backup", stack.path(to), "--max-rate", rate,
                             *words], env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def backup(stack, to, **more):
    """(how it ended, what it said, whether it calls itself whole)."""
    with start(stack, to, **more) as masa:
        _, said = masa.communicate(timeout=120)
    return masa.returncode, said, os.path.exists(stack.path(to, "backup.json"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder for another user")
def test_a_folder_of_another_user_gets_no_secrets(stack):
    theirs = stack.path("theirs")
    os.mkdir(theirs, 0o755)
    os.chown(theirs, 65534, 65534)
    code, said, whole = backup(stack, "theirs")
    assert (code, whole) == (CONFLICT, False) and "belongs to another user" in said
    assert os.listdir(theirs) == [] and os.stat(theirs).st_mode & 0o777 == 0o755, "it is left as it was"


def test_photos_that_cannot_be_read_are_no_backup(stack):
    real = stack.path("state", "intake", "attachments")
    code, said, whole = backup(stack, "named", photos=real)
    assert (code, whole) == (OK, True), said
    assert os.path.exists(stack.path("named", "attachments", "link.key"))
    made, = stack.sql("select good_until_us > began_us, at_least_seq, follows from turunc.backup_made")
    assert made == (True, stack.one("select max(last_seq) from turunc.log_batch"), False), "the record knows of it"
    code, said, whole = backup(stack, "missing", photos=stack.path("nowhere"))
    assert (code, whole) == (FAILED, False) and "nowhere" in said
    assert stack.one("select count(*) from turunc.backup_made") == 1, "and not of what is none"
    code, said, whole = backup(stack, "unnamed")
    assert (code, whole) == (OK, True), f"a system that never took a photo: {said}"
    os.mkdir(stack.path("system", "state"))
    with open(stack.path("system", "state", "attachments"), "wb"):
        pass
    code, said, whole = backup(stack, "other")
    assert (code, whole) == (FAILED, False) and "Not a directory" in said


def stop(pid):
    """It is on its way nowhere any more when this returns."""
    os.kill(pid, signal.SIGSTOP)

    def stands():
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "T"
    wait_until(stands, what="it stands still")


def child_of(masa):
    with open(f"/proc/{masa.pid}/task/{masa.pid}/children", encoding="ascii") as file:
        return [int(pid) for pid in file.read().split()]


def test_the_log_of_a_slow_copy_is_kept_until_it_has_been_fetched(stack):
    for setting in ("wal_keep_size = 0", "min_wal_size = '32MB'", "max_wal_size = '32MB'"):
        stack.sql(f"alter system set {setting}")
    stack.sql("select pg_reload_conf()")
    with start(stack, "slow", rate="8192") as masa:
        limit = threading.Timer(240, masa.kill)
        limit.start()
        stack.wait(lambda: stack.one("select phase from pg_stat_progress_basebackup") == "streaming database files",
                   60, "it copies")
        copying, = child_of(masa)
        os.kill(copying, signal.SIGSTOP)
        assert stack.one("select count(*) from pg_replication_slots where temporary and active") == 1
        needed = stack.one("select pg_walfile_name(pg_current_wal_lsn())")
        for _ in range(5):
            commit(stack)
            stack.sql("select pg_switch_wal()")
            stack.sql("checkpoint")
        assert needed in [name for name, in stack.sql("select name from pg_ls_waldir()")]
        os.kill(copying, signal.SIGCONT)
        stack.wait(lambda: stack.one("select phase from pg_stat_progress_basebackup") == "transferring wal files",
                   120, "it fetches them")
        copied_us = stack.one("select (extract(epoch from clock_timestamp()) * 1000000)::bigint")
        _, said = masa.communicate()
        limit.cancel()
    assert masa.returncode == OK and os.path.exists(stack.path("slow", "backup.json")), said
    with open(stack.path("slow", "backup.json"), encoding="utf-8") as manifest:
        made = json.load(manifest)
    assert made["began_us"] < made["ended_us"] < copied_us, "what is committed later is not in it"
    assert stack.one("select good_until_us from turunc.backup_made") == made["ended_us"]
    assert needed in os.listdir(stack.path("slow", "base", "pg_wal"))
    stack.wait(lambda: stack.one("select count(*) from pg_replication_slots") == 0, 30, "nothing is held any more")


def test_without_a_free_slot_there_is_no_backup(stack):
    for number in range(10):
        stack.sql("select pg_create_physical_replication_slot(%s)", f"taken_{number}")
    code, said, whole = backup(stack, "refused")
    assert (code, whole) == (FAILED, False) and "does not keep its WAL for the copy" in said, said


def test_followed_a_pass_that_failed_is_not_forgotten(stack):
    """The pass at the end goes well again, as the folder is back: what ends it has to be told all the same."""
    real, aside = stack.path("state", "intake", "attachments"), stack.path("aside")
    with start(stack, "followed", "--follow", photos=real) as masa:
        wait_until(lambda: os.path.exists(stack.path("followed", "backup.json")), 60, "the base is copied")
        receiver, = wait_until(lambda: [pid for pid in child_of(masa) if b"pg_receivewal" in told(pid, "cmdline")],
                               60, "the WAL is being taken")
        stop(receiver)  # so that it does not end before the folder is back
        os.rename(real, aside)
        limit = threading.Timer(60, masa.kill)  # ends the reading, if it never says so
        limit.start()
        said = masa.stderr.readline()
        while said and "cannot be copied" not in said:
            said = masa.stderr.readline()
        limit.cancel()
        os.rename(aside, real)
        os.kill(receiver, signal.SIGCONT)
        _, more = masa.communicate(timeout=60)
    assert "cannot be copied" in said and "cannot be copied" not in more, "the last pass went well"
    assert masa.returncode == FAILED


def test_followed_and_interrupted_it_ends_well(stack):
    with start(stack, "followed", "--follow", photos=stack.path("state", "intake", "attachments")) as masa:
        wait_until(lambda: os.path.exists(stack.path("followed", "backup.json")), 60, "the base is copied")
        wait_until(lambda: stack.sql("select follows from turunc.backup_made") == [(True,)], 30, "the record knows of it")
        masa.send_signal(signal.SIGTERM)
        _, said = masa.communicate(timeout=60)
    assert masa.returncode == OK, said


def told(pid, what):
    """Of a process by the kernel; nothing of one that has gone."""
    try:
        with open(f"/proc/{pid}/{what}", "rb") as file:
            return file.read()
    except OSError:
        return b""


def test_nobody_reads_the_databases_password_in_the_list_of_processes(stack):
    """It is kept where programs inherit it, and what is odd in the rest comes through whole."""
    database = stack.conninfo() + r" password='ge heim\'s' fallback_application_name='o\\dd \'name'"
    with start(stack, "followed", "--follow", photos=stack.path("state", "intake", "attachments"),
               TURUNC_OWNER_DATABASE=database) as masa:
        receiver = wait_until(lambda: [pid for pid in child_of(masa) if b"pg_receivewal" in told(pid, "cmdline")], 60,
                              "the WAL is being taken")[0]
        arguments, environment = told(receiver, "cmdline"), told(receiver, "environ").split(b"\0")
        masa.send_signal(signal.SIGTERM)
        _, said = masa.communicate(timeout=240)
    assert masa.returncode == OK, said
    assert b"heim" not in arguments
    assert b"PGPASSWORD=ge heim's" in environment
    assert rb"fallback_application_name='o\\dd \'name'" in arguments


def commit(stack):
    """Something that is committed now; when that was, as the record has it."""
    stack.sql("select pg_logical_emit_message(true, 'test', 'x')")
    return stack.one("select (extract(epoch from clock_timestamp()) * 1000000)::bigint")


def test_a_receiver_that_lives_and_receives_nothing_is_no_backup_of_now(stack):
    """It is stopped, as a disk that hangs would stop it."""
    def reaches():
        return stack.one("select coalesce(max(good_until_us), 0) from turunc.backup_made")

    photos = stack.path("state", "intake", "attachments")
    with start(stack, "followed", "--follow", photos=photos, TURUNC_BACKUP_NOTE_MS="200") as masa:
        limit = threading.Timer(240, masa.kill)  # ends the reading, if it never says so
        limit.start()
        wait_until(lambda: os.path.exists(stack.path("followed", "backup.json")), 60, "the base is copied")
        done = commit(stack)
        wait_until(lambda: reaches() >= done, 60, "what was committed is kept, and the record knows of it")
        wait_until(lambda: len(child_of(masa)) == 1, 30, "only who takes the WAL is left")
        receiver, = child_of(masa)
        stop(receiver)
        lost = commit(stack)
        said = masa.stderr.readline()
        while said and "is not known to be kept" not in said:
            said = masa.stderr.readline()
        assert said and reaches() < lost, "nothing says that it is kept"
        os.kill(receiver, signal.SIGCONT)
        wait_until(lambda: reaches() >= lost, 60, "it goes on")
        masa.send_signal(signal.SIGTERM)
        _, said = masa.communicate(timeout=60)
        limit.cancel()
    assert masa.returncode == OK, said


def test_how_often_it_is_noted_is_a_number(stack):
    with start(stack, "never", TURUNC_BACKUP_NOTE_MS="soon") as masa:
        _, said = masa.communicate(timeout=60)
    assert masa.returncode == CONFIG and "TURUNC_BACKUP_NOTE_MS" in said
