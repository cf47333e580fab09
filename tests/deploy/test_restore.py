"""The drill: a backup while the load runs, more load, all of it destroyed, and made again elsewhere."""
import collections
import http.client
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import urllib.parse

import photos
import psycopg2
import pytest

from local_system import System
from process import wait_until
from servers import BUILD, ROOT, SERVICES
from web import request

sys.path.insert(0, os.path.join(ROOT, "tests", "fault"))
import board  # noqa: E402
import turunc  # noqa: E402

OK, USAGE, NOT_FOUND, CONFLICT = 0, 2, 3, 5
UNLIMITED = ("TURUNC_INTAKE_KEY_PER_MINUTE=0\nTURUNC_INTAKE_ADDRESS_PER_MINUTE=0\n"
             "TURUNC_INTAKE_PHOTOS_PER_MINUTE=0\n")


class Place(System):
    """A system of deploy/up that may be gone and come back."""

    def masa(self, *words, check=True):
        done = subprocess.run(["bash", "-c", 'set -a; . "$1/env"; shift; exec "$@"', "masa", self.run,
                               f"{BUILD}/bin/masa", *map(str, words)], text=True, capture_output=True,
                              timeout=120, check=False)
        assert not check or done.returncode == OK, done.stdout + done.stderr
        return done if not check else done.stdout

    def json(self, *words):
        return json.loads(self.masa(*words, "--json"))

    def sql(self, query, *parameters):
        link = psycopg2.connect(f"host={self.path('postgres')} port={self.port('postgres')} dbname=turunc user=postgres")
        try:
            link.autocommit = True
            with link.cursor() as cursor:
                cursor.execute(query, parameters or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            link.close()

    def one(self, query, *parameters):
        rows = self.sql(query, *parameters)
        return rows[0][0] if rows else None

    def http(self, service, method, path, **more):
        return request(self.port("edge" if service == "edge" else f"{service}_http"), method, path, **more)

    def up(self, *words):
        done = self.command("up", *words)
        assert done.returncode == OK, done.stdout
        return done.stdout

    def destroy(self):
        """As by fire: PostgreSQL and intake are killed first, then nothing is left."""
        for name in ("postgres", "intake"):
            if self.pid(name):
                os.kill(self.pid(name), signal.SIGKILL)
        self.command("down", "--wipe")
        assert not os.path.exists(self.run)

    def head(self):
        return self.one("select coalesce(max(last_seq), 0) from turunc.log_batch")

    def settle(self):
        """Until every ticket was looked at by router, and the board shows all of the log."""
        wait_until(lambda: self.one("select count(*) from turunc.ticket t where not exists (select from"
                                    " turunc.ticket_state s where s.ticket_id = t.ticket_id)") == 0, 30, "all are routed")
        wait_until(lambda: board.differences(self) == {}, 30, "the board shows what PostgreSQL holds")

    def board_values(self):
        values = self.http("metrics", "GET", "/live/state.json").json()["values"]
        return {name: value for name, value in values.items() if value and not name.startswith(board.NOT_FIGURES)}


class Load:
    """Threads that post without pause; what was answered 201, in the order of the answers."""

    def __init__(self, place, key, threads=4):
        self.port = place.port("intake_http")
        self.key = key
        self.given = collections.OrderedDict()  # number -> description
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(i,), daemon=True) for i in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(120)

    def wait_more(self, count):
        wanted = len(self.given) + count
        wait_until(lambda: len(self.given) >= wanted, 30, f"{count} more reports")

    def _run(self, thread):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        count = 0
        while not self._stop.is_set():
            count += 1
            text = f"rapor {thread}-{count}-{id(self)}"
            form = {"api_key": self.key, "service_code": "cadde-supurme", "lat": "36.87", "long": "30.72",
                    "description": text, "phone": "0532 987 65 43"}
            link.request("POST", "/open311/v2/requests.json", urllib.parse.urlencode(form),
                         {"Content-Type": "application/x-www-form-urlencoded"})
            answer = link.getresponse()
            body = json.loads(answer.read())
            assert answer.status == 201, body
            self.given[body[0]["service_request_id"]] = text
            time.sleep(0.002)


def ticket_id(number):
    return int(number.rsplit("-", 1)[0].replace("-", ""))


DAMM = ("0317598642", "7092154863", "4206871359", "1750983426", "6123045978", "3674209581",
        "5869720134", "8945362017", "9438617205", "2581436790")


def with_check_digit(number):
    check = 0
    for digit in number.replace("-", ""):
        check = int(DAMM[check][int(digit)])
    return f"{number}-{check}"


def all_there(place, given):
    """Every answered report is in the record with its words."""
    held = dict(place.sql("select t.ticket_id, c.description from turunc.ticket t join turunc.contact c using (contact_id)"))
    return {number for number, text in given.items() if held.get(ticket_id(number)) != text}


def follow_to_end(place, keys, name, **how):
    """Everything from where the subscription starts to the log's head: {seq: (type, subject)}, and its log_id."""
    got = {}
    with turunc.Client(keys) as client:
        sub = client.subscribe(name, departments=["*"], **how)
        head = place.head()
        while max(got, default=0) < head:
            record = sub.get(timeout=60)
            assert record is not None, (max(got, default=0), head)
            got[record.seq] = (record.event.type, record.event.subject, record.event.id)
            sub.ack(record)
        return got, sub.log_id


def report_with_photo(place):
    """At the citizen's page, through the edge; its number."""
    page = place.http("edge", "GET", "/report?subject=cop-alinmadi").text
    token = re.search(r'name="token" value="([^"]+)"', page).group(1)
    body, media = photos.multipart(
        [("token", token), ("service_code", "cop-alinmadi"), ("attribute[tur]", "ambalaj"), ("address_id", "fener"),
         ("description", "fotoğraflı"), ("phone", "0532 111 22 33")], [("photo", "x", photos.jpeg())])
    answer = place.http("edge", "POST", "/report?lang=tr", body=body, headers={"Content-Type": media})
    assert answer.status == 201, answer
    return re.search(r'class="number">([0-9-]+)<', answer.text).group(1)


def photos_shown(place, number):
    """The bytes of each photo on the report's page."""
    page = place.http("edge", "POST", "/track", form={"no": number, "digits": "2233"}).text
    answers = [place.http("edge", "GET", link) for link in re.findall(r'<img [^>]*src="(/photo/[^"]+)"', page)]
    assert all(answer.status == 200 for answer in answers), answers
    return [answer.body for answer in answers]


class Drill:
    """What the story leaves for the tests to look at."""


@pytest.fixture(scope="module")
def drill():
    d = Drill()
    d.place = Place.unmade()
    d.folder = tempfile.mkdtemp(prefix="turunc-backup-", dir="/var/tmp")
    try:
        play(d)
        yield d
    finally:
        d.place.command("down", "--wipe")
        shutil.rmtree(d.place.run, ignore_errors=True)
        shutil.rmtree(d.folder, ignore_errors=True)


def play(d):
    place = d.place
    os.makedirs(place.run)
    for name, text in (("owner", f"turunc {ROOT}\n"), ("settings", UNLIMITED)):
        with open(place.path(name), "w", encoding="utf-8") as file:
            file.write(text)
    place.up()
    d.key = json.loads(place.masa("client", "add", "app", "--http", "--json"))["api_key"]
    d.keys = os.path.join(d.folder, "reader.keys")
    place.masa("client", "add", "reader", "--out", d.keys, "--verbs", "subscribe,snapshot,command", "--types", "*",
               "--departments", "*", "--personal", "full")
    place.json("log", "verify")
    d.secrets = {name: place.read("secrets", name) for name in os.listdir(place.path("secrets"))}
    wait_until(lambda: request(place.port("intake_http"), "POST", "/open311/v2/requests.json",
                               form={"api_key": d.key}).status == 400, 15, "intake knows the key")

    # Somebody is signed in when the backup is made, and signs out before the record is lost.
    place.masa("user", "add", "ayse", "--shown-as", "Ayşe", "--roles", "viewer", "--generate")
    now_us = time.time_ns() // 1000
    place.sql("insert into turunc.person_session values (%s, 'ayse', %s, %s, %s)", b"s" * 32, now_us, now_us,
              now_us + 3_600_000_000)
    d.backup = os.path.join(d.folder, "monday")
    d.pictured = report_with_photo(place)
    d.photos = photos_shown(place, d.pictured)
    d.state_had = set(os.listdir(place.path("state", "intake")))
    with Load(place, d.key) as load:
        load.wait_more(300)
        d.before = dict(load.given)
        d.backed_up = place.json("backup", d.backup, "--max-rate", "1048576")
        load.wait_more(300)
    d.given = dict(load.given)
    place.settle()
    assert place.one("select count(*) from turunc.person_session") == 1
    place.sql("delete from turunc.person_session")
    d.received, d.old_log_id = follow_to_end(place, d.keys, "reader", start="earliest")
    d.old_hashes = dict(place.sql("select last_seq, encode(hash, 'hex') from turunc.log_batch"))
    place.destroy()

    d.up = place.up("--restore", d.backup)
    d.said = json.loads(place.read("log", "restored.json"))
    d.base = d.said["histories"][0]["last_common_seq"]
    with Load(place, d.key) as load:
        load.wait_more(200)
    d.given_after = dict(load.given)
    place.settle()


def test_a_backup_is_readable_by_its_owner_alone_and_says_what_it_holds(drill):
    for folder, folders, files in os.walk(drill.backup):
        for name in folders + files:
            mode = os.stat(os.path.join(folder, name)).st_mode
            assert stat.S_IMODE(mode) & 0o077 == 0, os.path.join(folder, name)
    assert stat.S_IMODE(os.stat(drill.backup).st_mode) == 0o700
    assert drill.backed_up["log_id"] == drill.old_log_id and drill.backed_up["follow"] is False
    assert "ended_us" in drill.backed_up["recovery_point"]


def test_numbers_and_rights_of_that_moment_do_not_come_back(drill):
    """Set aside on disk they may have been given, and taken back, since."""
    with tarfile.open(os.path.join(drill.backup, "system.tar")) as archive:
        names = archive.getnames()
    assert {"secrets/identity.secret", "keys/router.key", "settings", "state/masa/log-heads"} <= set(names)
    assert any(name.startswith("state/intake/spool/") for name in names)
    assert [name for name in names if name.endswith(("/numbers", "/registry"))] == []
    assert drill.state_had == {"numbers", "registry", "spool"}, "intake keeps them under other names now"


def test_what_was_answered_before_the_backup_is_there(drill):
    assert all_there(drill.place, drill.before) == set()
    assert drill.base >= drill.backed_up["at_least_seq"] > 0


def test_whoever_signed_out_since_is_not_in_again(drill):
    assert drill.said["sessions_ended"] == [{"sessions": 1}]
    assert drill.place.one("select count(*) from turunc.person_session") == 0
    assert drill.place.one("select count(*) from turunc.person where name = 'ayse'") == 1


def test_photos_come_back_and_new_ones_are_taken(drill):
    assert len(drill.photos) == 1 and photos_shown(drill.place, drill.pictured) == drill.photos
    assert not os.path.exists(os.path.join(drill.backup, "attachments", "new")), "no drafts"
    assert len(photos_shown(drill.place, report_with_photo(drill.place))) == 1


def test_the_log_goes_on_as_another_history(drill):
    place = drill.place
    histories = place.sql("select log_id::text, base_seq from turunc.log_history order by history_no")
    assert histories[0] == (drill.old_log_id, 0) and histories[1][1] == drill.base and len(histories) == 2
    assert drill.base < max(drill.received), "the drill lost nothing, so it shows nothing"
    # Up to there it is the same history, record by record and hash by hash; then another one.
    assert place.one("select encode(hash, 'hex') from turunc.log_batch where last_seq = %s", drill.base) \
        == drill.old_hashes[drill.base]
    verified = place.json("log", "verify")
    assert verified["right"] is True and verified["records"] > drill.base
    assert verified["witnesses"] >= 1, "the heads seen before are part of the system"


def test_no_number_is_given_twice(drill):
    assert len(drill.given) > len(drill.before) and drill.given_after
    assert set(drill.given) & set(drill.given_after) == set()
    skipped = drill.said["numbers"][0]
    assert min(ticket_id(n) for n in drill.given_after) % 10_000_000 >= skipped["goes_on_at"]
    assert skipped["passed_over"] >= 131072
    assert all_there(drill.place, drill.given_after) == set()


def test_a_subscriber_that_was_ahead_is_told_so_and_goes_on_from_what_is_common(drill):
    place = drill.place
    with turunc.Client(drill.keys) as client:
        sub = client.subscribe("reader", departments=["*"], log_id=drill.old_log_id)
        with pytest.raises(turunc.LogChanged) as told:
            while sub.get(timeout=60) is not None:
                pass
    assert told.value.last_common_seq == drill.base
    log_id = place.one("select log_id::text from turunc.log_history order by history_no desc limit 1")
    got, now = follow_to_end(place, drill.keys, "reader", start=drill.base, replace=True, log_id=log_id)
    assert now == log_id and sorted(got) == list(range(drill.base + 1, place.head() + 1))
    # What it holds of the common part is what is there; what it holds beyond is of the other history.
    common, _ = follow_to_end(place, drill.keys, "again", start="earliest", replace=True)
    assert all(common[seq] == drill.received[seq] for seq in range(1, drill.base + 1))
    assert common[drill.base + 1] != drill.received[drill.base + 1]


def test_the_figures_are_those_of_the_restored_record(drill):
    place = drill.place
    place.settle()
    values = place.board_values()
    assert {name: values.get(name, 0) for name in ("open", "today")} == {
        name: board.figures(place, time.time_ns() // 1000).get(name, 0) for name in ("open", "today")}
    assert place.one("select count(*) from turunc.consumer_cursor c where client = '' and log_id <>"
                     " (select log_id from turunc.log_history order by history_no desc limit 1)") == 0


def test_our_own_readers_and_everything_secret_came_along(drill):
    place = drill.place
    assert all(place.ready(name) for name in SERVICES)
    assert {name: place.read("secrets", name) for name in drill.secrets} == drill.secrets
    assert place.read("settings") == UNLIMITED
    for name in drill.secrets:
        assert stat.S_IMODE(os.stat(place.path("secrets", name)).st_mode) == 0o600
    assert f"through record {drill.base}" in drill.up


def test_messages_that_may_have_left_are_for_a_person_to_decide(drill):
    """The state before: none unknown.  Due ones became unknown at the restore, and are not sent again."""
    waited = drill.said["messages_to_decide"][0]["messages"]
    unknown = drill.place.one("select count(*) from turunc.notification where state = 4 and last_error like 'restored%%'")
    assert unknown == waited


def test_masa_refuses_what_cannot_be_done(drill):
    place, folder = drill.place, drill.folder
    done = place.masa("backup", drill.backup, check=False)
    assert done.returncode == CONFLICT and "not empty" in done.stderr
    done = place.masa("restore", drill.backup, "--into", place.run, check=False)
    assert done.returncode == CONFLICT and "is in" in done.stderr
    assert place.masa("restore", drill.backup, check=False).returncode == USAGE
    assert place.masa("restore", drill.backup, "--into", folder + "/x", "--numbers-above", "26-1", check=False).returncode == USAGE
    assert place.masa("restore", folder, "--into", folder + "/x", check=False).returncode == NOT_FOUND
    assert place.masa("backup", folder + "/y", "--max-rate", "fast", check=False).returncode == USAGE
    assert not os.path.exists(folder + "/x") and not os.path.exists(folder + "/y")
    again = drill.place.command("up", "--restore", drill.backup)
    assert again.returncode == 1 and "deploy/down --wipe" in again.stdout
    wait_until(lambda: all(place.ready(name) for name in SERVICES), 30, "it still runs")


def test_a_damaged_backup_is_refused(drill):
    damaged = os.path.join(drill.folder, "damaged")
    shutil.copytree(drill.backup, damaged)
    path = os.path.join(damaged, "base", "global", "pg_control")
    with open(path, "r+b") as file:
        file.seek(100)
        byte = file.read(1)
        file.seek(100)
        file.write(bytes([byte[0] ^ 1]))
    target = os.path.join(drill.folder, "target")
    done = drill.place.masa("restore", damaged, "--into", target, check=False)
    assert done.returncode == CONFLICT and "is damaged" in done.stderr
    assert os.listdir(target) == []
    os.remove(os.path.join(damaged, "backup.json"))
    assert drill.place.masa("restore", damaged, "--into", target, check=False).returncode == NOT_FOUND


def test_followed_wal_loses_nothing_and_a_known_number_is_passed(drill):
    """The second destruction of the drill: with --follow all that was kept until then comes back."""
    place = drill.place
    backup = os.path.join(drill.folder, "followed")
    with subprocess.Popen(["bash", "-c", 'set -a; . "$1/env"; exec "$2" backup "$3" --follow --max-rate 1048576 --json', "masa", place.run,
                           f"{BUILD}/bin/masa", backup], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as follower:
        wait_until(lambda: os.path.exists(os.path.join(backup, "backup.json")), 30, "the base is copied")
        with Load(place, drill.key) as load:
            load.wait_more(100)
            pictured = report_with_photo(place)
        shown = photos_shown(place, pictured)
        place.settle()
        flushed = place.one("select pg_current_wal_flush_lsn()::text")
        wait_until(lambda: place.one("select bool_or(flush_lsn >= %s::pg_lsn) from pg_stat_replication", flushed), 10,
                   "the WAL is kept")
        head, values = place.head(), place.board_values()
        os.kill(place.pid("postgres"), signal.SIGKILL)
        follower.send_signal(signal.SIGTERM)
        _, errors = follower.communicate(timeout=120)
    assert follower.returncode == OK, errors
    place.destroy()
    year = time.strftime("%y", time.gmtime(time.time() + 3 * 3600))
    place.up("--restore", backup, "--numbers-above", with_check_digit(f"{year}-3000000"))
    said = json.loads(place.read("log", "restored.json"))
    assert said["histories"][0]["last_common_seq"] == head
    assert all_there(place, {**drill.before, **drill.given_after, **load.given}) == set()
    assert said["numbers"] == [{"year": int(year), "goes_on_at": 3000001, "passed_over": said["numbers"][0]["passed_over"]}]
    place.settle()
    now = place.board_values()
    # What is of this hour or of today may have passed meanwhile; settle() held it against the record.
    assert {k: v for k, v in now.items() if not k.startswith(("hour", "today"))} \
        == {k: v for k, v in values.items() if not k.startswith(("hour", "today"))}
    assert place.json("log", "verify")["right"] is True
    assert len(shown) == 1 and photos_shown(place, pictured) == shown, "a photo of after the copy"
