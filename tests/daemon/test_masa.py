"""The command line against a real record: what it does, what it refuses, and its exit codes."""
import json
import os
import shutil
import stat
import subprocess
import threading

import psycopg2
import pytest

from servers import BUILD, ROOT
from stack import CONFIG

OK, FAILED, USAGE, NOT_FOUND, CONFLICT, UNREACHABLE, CONFIGURATION = 0, 1, 2, 3, 5, 6, 78


@pytest.fixture(scope="module")
def record():
    """A migrated record with a configuration and no service running."""
    from stack import Stack
    with Stack(services=()) as made:
        yield made


def said(record, *words):
    return json.loads(record.masa(*words, "--json"))


def refused(record, code, *words):
    done = record.masa(*words, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stderr.startswith("masa: "), done.stderr
    return done.stderr


# --- usage ---

@pytest.mark.parametrize("words", [
    ("client", "add"), ("client", "add", "x"), ("client", "add", "x", "--http", "--nonsense"),
    ("client", "add", "Büyük", "--http"), ("client", "add", "x", "--http", "--verbs", "fly"),
    ("client", "add", "x", "--http", "--max-events", "0"), ("client", "add", "x", "--http", "--expires", "2026-02-30"),
    ("client", "add", "x", "--http", "--max-events", "65537"),
    ("client", "add", "x", "--http", "--expires", "2026-02-28"),
    ("client", "add", "x", "--http", "--departments", "fen", "--verbs", ","),
    ("ticket", "list", "--status", "nope"),
    ("client", "add", "x", "--http", "--departments", ",".join(f"birim-{n}" for n in range(300))),
    ("client", "add", "x", "--http", "--personal", "all"), ("ticket", "show", "26-0000001-9"),
    ("ticket", "show", "hello"), ("ticket", "list", "--limit", "-1"), ("log", "tail", "--lines", "x"),
    ("subs", "seek", "a", "b", "-1"), ("config", "rollback", "x"), ("log", "verify", "too many")])
def test_wrong_usage_is_2_and_says_why(record, words):
    refused(record, USAGE, *words)


def test_unknown_words_show_the_help_and_are_2(record):
    done = record.masa("frobnicate", check=False)
    assert done.returncode == USAGE and "masa ticket show" in done.stderr


def test_what_a_terminal_would_obey_is_shown_as_blanks(record):
    """Words of strangers stand in the record; CSI, as one byte more than ASCII has, and what turns a line round."""
    record.user("obeyed", "viewer")
    obeyed = "\x1b[31m\x7f\u0085\u009b2J\u202e\u2066"
    record.sql("update turunc.person set shown_as = %s where name = 'obeyed'", f"Şule {obeyed} Çıkar 😀")
    shown = record.masa("user", "list")
    assert "Şule  [31m   2J   Çıkar 😀" in shown
    assert not any(letter in shown for letter in "\x1b\x7f\u0085\u009b\u202e\u2066")
    assert said(record, "user", "list")[-1]["shown_as"].count("\u009b") == 1, "programs are told what stands there"


def test_what_is_too_long_to_show_ends_with_a_whole_letter(record):
    for letters in (400 * "ş", "a" + 400 * "ş"):
        record.sql("insert into turunc.person_act (at_us, kind, actor, detail) values (1, 'changed', 'nobody', %s)", letters)
    shown = record.masa("audit", "people", check=False, text=False).stdout
    assert shown.count("ş".encode()) > 400 and "�" not in shown.decode("utf-8", "replace")


def test_help_behind_a_command_is_of_that_one(record):
    for words in (("client", "--help"), ("client", "add", "--help"), ("drill", "--help")):
        shown = record.masa(*words)
        assert f"masa {words[0]}" in shown and "masa status" not in shown
    assert record.masa("frobnicate", "--help", check=False).returncode == USAGE


# --- where the system is ---

def masa_in(folder, words, env, owner=None, mode=0o644):
    os.makedirs(os.path.join(folder, ".run"), exist_ok=True)
    os.makedirs(os.path.join(folder, "deeper"), exist_ok=True)
    path = os.path.join(folder, ".run", "env")
    with open(path, "w", encoding="utf-8") as file:
        file.write("# a comment\n" + env)
    os.chmod(path, mode)
    if owner is not None:
        os.chown(path, owner, owner)
    return subprocess.run([os.path.join(BUILD, "bin", "masa"), *words], cwd=os.path.join(folder, "deeper"), text=True,
                          env={"PATH": os.environ["PATH"]}, capture_output=True, timeout=60, check=False)


def test_the_file_that_says_where_the_system_is_sets_its_own_names_alone(record, tmp_path):
    env = f"TURUNC_DATABASE='{record.conninfo('turunc_admin')}'\nPGOPTIONS='-c nonsense=1'\nLD_PRELOAD='/nowhere.so'\n"
    done = masa_in(tmp_path, ("client", "list"), env)
    assert done.returncode == OK, done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize("owner, mode", [
    pytest.param(65534, 0o644, marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")),
    (None, 0o666), (None, 0o664)])
def test_another_users_word_on_where_the_system_is_is_not_taken(record, tmp_path, owner, mode):
    env = f"TURUNC_DATABASE='{record.conninfo('turunc_admin')}'\n"
    done = masa_in(tmp_path, ("client", "list"), env, owner, mode)
    assert done.returncode == UNREACHABLE and "belongs to another user" in done.stderr, done.stderr


# --- clients ---

def test_an_api_key_is_shown_once_and_kept_as_a_digest(record):
    key = said(record, "client", "add", "app", "--http")["api_key"]
    assert key.startswith("trn_") and len(key) > 30
    assert record.one("select count(*) from turunc.client_grant where name = 'app'"
                      " and length(api_key_digest) = 32") == 1
    assert key not in json.dumps(said(record, "client", "list"))
    assert record.one("select type from turunc.event_log order by seq desc limit 1") == "client.granted"


def test_a_name_is_not_given_twice(record):
    record.masa("client", "add", "twice", "--http")
    assert "already" in refused(record, CONFLICT, "client", "add", "twice", "--http")


def test_a_key_folder_holds_what_a_client_needs(record):
    folder = record.path("folder.keys")
    record.masa("client", "add", "folder", "--out", folder, "--verbs", "subscribe,command",
                "--types", "ticket.*", "--departments", "fen,park", "--personal", "masked",
                "--expires", "2099-12-31")
    assert sorted(os.listdir(folder)) == ["client.public", "client.secret", "endpoints",
                                          "publish.public", "stream.public"]
    assert stat.S_IMODE(os.stat(os.path.join(folder, "client.secret")).st_mode) == 0o600
    row = record.sql("select verbs, types, departments, personal, expires_us from turunc.client_grant"
                     " where name = 'folder'")[0]
    assert row[:4] == (["subscribe", "command"], ["ticket.*"], ["fen", "park"], 1)
    assert row[4] == 4102434000000000  # 2100-01-01 00:00 in Istanbul


def test_a_folder_with_keys_is_not_overwritten_and_no_client_is_left(record):
    folder = record.path("taken.keys")
    os.makedirs(folder)
    with open(os.path.join(folder, "endpoints"), "w", encoding="ascii") as file:
        file.write("mine")
    refused(record, CONFLICT, "client", "add", "taken", "--out", folder, "--verbs", "publish")
    assert record.one("select count(*) from turunc.client_grant where name = 'taken'") == 0
    assert os.listdir(folder) == ["endpoints"], "nothing of a client that there is not"
    os.remove(os.path.join(folder, "endpoints"))
    record.masa("client", "add", "taken", "--out", folder, "--verbs", "publish")


def test_keys_are_written_while_nobody_waits_for_the_log(record):
    folder = record.path("locked.keys")
    with psycopg2.connect(record.conninfo()) as link, link.cursor() as cursor:
        cursor.execute("select turunc.log_append(1, array['call.ended'], array[null]::bigint[], array[null]::text[],"
                       " array[null]::text[], array['system'], array[''::bytea])")
        adding = threading.Thread(target=record.masa, args=("client", "add", "locked", "--out", folder, "--verbs",
                                                            "publish"))
        adding.start()
        record.wait(lambda: os.path.exists(os.path.join(folder, "client.secret")), 20, "the keys are on disk")
        link.rollback()
        adding.join(20)
    assert record.one("select count(*) from turunc.client_grant where name = 'locked'") == 1


def test_dry_run_changes_nothing(record):
    before = record.sql("select (select count(*) from turunc.client_grant), (select max(last_seq) from turunc.log_batch)")
    record.masa("client", "add", "dry", "--http", "--dry-run")
    record.masa("client", "revoke", "turunc.metrics", "--dry-run")
    assert record.sql("select (select count(*) from turunc.client_grant), (select max(last_seq) from turunc.log_batch)") == before
    assert record.one("select count(*) from turunc.client_grant where revoked_us is not null") == 0


def test_revoking_is_recorded_and_a_stranger_is_3(record):
    record.masa("client", "add", "gone", "--http")
    record.masa("client", "revoke", "gone")
    assert record.one("select revoked_us from turunc.client_grant where name = 'gone'") > 0
    assert record.one("select type from turunc.event_log order by seq desc limit 1") == "client.revoked"
    refused(record, NOT_FOUND, "client", "revoke", "nobody")


# --- configuration ---

@pytest.fixture
def folder(record):
    path = record.path("config")
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(CONFIG, path)
    return path


def edit(folder, name, old, new):
    path = os.path.join(folder, name)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert old in text
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(old, new, 1))


def test_the_same_configuration_again_changes_nothing(record, folder):
    before = record.one("select version from turunc.config_active")
    assert said(record, "config", "apply", folder)["changed"] is False
    assert record.one("select version from turunc.config_active") == before


def test_a_change_is_shown_applied_and_taken_back(record, folder):
    before = record.one("select version from turunc.config_active")
    edit(folder, "departments.csv", "Temizlik İşleri", "Temizlik ve Ilıca İşleri")
    shown = said(record, "config", "apply", folder, "--dry-run")
    assert shown["changed"] and {line["line"][0] for line in shown["changes"]} == {"+", "-"}
    assert "Ilıca" in json.dumps(shown, ensure_ascii=False)
    assert record.one("select version from turunc.config_active") == before
    applied = said(record, "config", "apply", folder)
    assert applied["version"] > before
    assert record.one("select type from turunc.event_log order by seq desc limit 1") == "config.applied"
    assert said(record, "config", "rollback")["version"] == before
    assert [v["in_force"] for v in said(record, "config", "list") if v["version"] == before] == [True]
    refused(record, NOT_FOUND, "config", "rollback", "99999")


def test_a_mistake_names_file_line_and_reason_and_applies_nothing(record, folder):
    before = record.sql("select version from turunc.config_active"), record.one("select count(*) from turunc.config_version")
    edit(folder, "rules.csv", ",temizlik,", ",temizlikk,")
    done = record.masa("config", "apply", folder, "--json", check=False)
    assert done.returncode == CONFIGURATION and "nothing was applied" in done.stderr
    problem = json.loads(done.stdout)["problems"][0]
    assert problem["file"] == "rules.csv" and problem["line"] > 1 and "temizlikk" in problem["reason"]
    assert (record.sql("select version from turunc.config_active"),
            record.one("select count(*) from turunc.config_version")) == before
    refused(record, CONFIGURATION, "config", "check", "/nowhere")


def urls_in_force(record):
    text = record.one("select convert_from(f.content, 'UTF8') from turunc.config_file f join turunc.config_active using (version)"
                      " where f.name = 'municipality.csv'")
    return dict(line.split(",", 1) for line in text.splitlines() if "_url," in line)


def test_the_place_says_where_citizens_find_it(record, folder):
    """The worked files name a port of loopback: the place that runs them puts its own address there."""
    here, there = "https://127.0.0.1:8443", "https://masa.ornek.bel.tr"
    edit(folder, "municipality.csv", "Muratpaşa Belediyesi", "http://127.0.0.1:8000 Belediyesi")
    shown = said(record, "config", "apply", folder, "--local-url", here, "--dry-run")["changes"]
    assert f"+ base_url,{here}" in [line["line"] for line in shown]
    said(record, "config", "apply", folder, "--local-url", here)
    assert urls_in_force(record) == {"base_url": here, "information_text_url": f"{here}/aydinlatma-metni"}
    assert record.one("select count(*) from turunc.config_file f join turunc.config_active using (version) where"
                      " f.name = 'municipality.csv' and position(%s in convert_from(f.content, 'UTF8')) > 0",
                      "name,http://127.0.0.1:8000 Belediyesi") == 1, "what is no address of its own stays"
    assert said(record, "config", "apply", folder, "--local-url", here)["changed"] is False
    said(record, "config", "apply", folder, "--base-url", there)
    assert urls_in_force(record) == {"base_url": there, "information_text_url": f"{there}/aydinlatma-metni"}
    # Whoever wrote the real address into the files keeps it.
    edit(folder, "municipality.csv", "base_url,http://127.0.0.1:8000", "base_url,https://yazilan.example")
    edit(folder, "municipality.csv", "http://127.0.0.1:8000/aydinlatma", "https://baska.example/aydinlatma")
    said(record, "config", "apply", folder, "--local-url", here)
    assert urls_in_force(record) == {"base_url": "https://yazilan.example",
                                     "information_text_url": "https://baska.example/aydinlatma-metni"}
    said(record, "config", "apply", CONFIG)


@pytest.mark.parametrize("url", ["masa.example", "https://masa.example/", "https://", "https://a,b", 'https://a"b',
                                 "https://a\nb", "ftp://masa.example", "https://" + "a" * 200])
def test_an_address_that_is_none_is_2_and_changes_nothing(record, folder, url):
    before = record.one("select version from turunc.config_active")
    refused(record, USAGE, "config", "apply", folder, "--base-url", url)
    refused(record, USAGE, "config", "apply", folder, "--base-url", "https://a.example", "--local-url", "https://b.example")
    assert record.one("select version from turunc.config_active") == before


# --- the log, subscriptions, migrations, doctor ---

def test_a_subscription_is_moved_and_forgotten_but_a_services_cursor_is_not(record):
    log_id = record.one("select log_id::text from turunc.log_history")
    for client, name in (("app", "live"), ("", "router")):
        record.sql("insert into turunc.consumer_cursor (client, name, log_id, seq, updated_at_us)"
                   " values (%s, %s, %s, 1, 0)", client, name, log_id)
    assert said(record, "subs", "seek", "app", "live", "0")[0]["epoch"] == 1
    refused(record, NOT_FOUND, "subs", "seek", "app", "live", "999999999")
    refused(record, NOT_FOUND, "subs", "seek", "", "router", "0")
    refused(record, NOT_FOUND, "subs", "delete", "", "router")
    assert {row["name"] for row in said(record, "subs", "list")} == {"live", "router"}
    record.masa("subs", "delete", "app", "live")
    assert {row["name"] for row in said(record, "subs", "list")} == {"router"}


def test_migrations_are_applied_once_and_an_edited_one_is_refused(record):
    folder = record.path("schema")
    shutil.copytree(os.path.join(ROOT, "deploy", "schema"), folder)
    assert json.loads(record.masa("db", "migrate", folder, "--json", user="postgres"))["applied"] == []
    with open(os.path.join(folder, "0001_create_roles_and_log.sql"), "a", encoding="utf-8") as file:
        file.write("-- edited\n")
    done = record.masa("db", "migrate", folder, check=False, user="postgres")
    assert done.returncode == CONFLICT and "was edited" in done.stderr
    with open(os.path.join(folder, "0999_break_everything.sql"), "w", encoding="utf-8") as file:
        file.write("create table turunc.half (a integer); select 1/0;\n")
    shutil.copy(os.path.join(ROOT, "deploy", "schema", "0001_create_roles_and_log.sql"), folder)
    assert record.masa("db", "migrate", folder, check=False, user="postgres").returncode == FAILED
    assert record.one("select to_regclass('turunc.half') is null")


def test_doctor_names_each_trouble_and_its_fix(record):
    def found():
        said = json.loads(record.masa("doctor", "--json", check=False).stdout)["findings"]
        return [finding for finding in said if finding["level"] == "bad"]

    assert [finding["check"] for finding in found()] == ["services"] * 4, found()  # none runs here
    record.sql("insert into turunc.client_grant (name, api_key_digest, verbs, created_us, expires_us)"
               " values ('late', sha256('x'), '{publish}', 0, 1)")
    os.chmod(os.path.join(record.keys, "router.key"), 0o644)
    record.redis.command("config", "set", "maxmemory-policy", "allkeys-lru")
    checks = {finding["check"]: finding for finding in found()}
    assert set(checks) == {"services", "keys", "redis"}
    assert all(finding["fix"] for finding in checks.values())
    assert record.masa("doctor", check=False).returncode == FAILED


def test_nobody_to_ask_is_6(record):
    env = {"PATH": os.environ["PATH"], "TURUNC_DATABASE": "host=/nowhere dbname=x connect_timeout=1"}
    from servers import BUILD
    done = subprocess.run([os.path.join(BUILD, "bin", "masa"), "status"], env=env, capture_output=True,
                          text=True, cwd="/", check=False)
    assert done.returncode == UNREACHABLE and "cannot be reached" in done.stderr
    env.pop("TURUNC_DATABASE")
    done = subprocess.run([os.path.join(BUILD, "bin", "masa"), "status"], env=env, capture_output=True,
                          text=True, cwd="/", check=False)
    assert done.returncode == UNREACHABLE and "no system found" in done.stderr
