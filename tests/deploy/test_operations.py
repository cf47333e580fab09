"""Every command of docs/operations.md, from top to bottom, and what README.md shows, on a system of deploy/up.

The pages speak of examples (a phone, a ticket, a folder); EXAMPLES puts what is really there in their place."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import psycopg2
import pytest

from local_system import System
from process import wait_until
from servers import BUILD, ROOT
from web import request

sys.path.insert(0, os.path.join(ROOT, "clients", "python"))
import turunc  # noqa: E402

# What no test can run, and why: it changes the checkout, runs this test, or is another test's.
NOT_RUN = {"git pull": "there is nothing newer than what is tested",
           "deploy/up --demo": "tests/deploy/test_demo.py",
           "tests/run": "it runs this"}
# masa doctor may find something on a machine that is none of the system's: it has to answer.
MAY_FIND = {"masa doctor": (0, 1)}
PHONE = "05321234567"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


def blocks(page, language="sh"):
    """[(the heading above, the text)]"""
    with open(os.path.join(ROOT, page), encoding="utf-8") as file:
        text = file.read()
    return [([line for line in text[:found.start()].splitlines() if line.startswith("#")][-1], found.group(2))
            for found in BLOCK.finditer(text) if found.group(1) == language]


def indented_commands(page):
    """Commands that would not be run: they stand outside of a block."""
    with open(os.path.join(ROOT, page), encoding="utf-8") as file:
        return re.findall(r"^    (?:build/bin/|deploy/|masa |tests/run)[^\n]*", BLOCK.sub("", file.read()), re.M)


class Place(System):
    """A folder that looks like a checkout: its .run is the system's, its build and its commands are ours."""

    def __init__(self, folder):
        super().__init__(folder)
        self.checkout = tempfile.mkdtemp(prefix="turunc-docs-", dir="/var/tmp")
        os.chmod(self.checkout, 0o755)
        os.mkdir(os.path.join(self.checkout, "deploy"))
        for name, to in (("deploy/config", f"{ROOT}/deploy/config"), ("build", BUILD), ("clients", f"{ROOT}/clients"),
                         (".run", folder)):
            os.symlink(to, os.path.join(self.checkout, name))
        for name in ("up", "down", "dependencies"):  # they find their checkout by where they are
            with open(os.open(os.path.join(self.checkout, "deploy", name), os.O_WRONLY | os.O_CREAT, 0o755), "w",
                      encoding="ascii") as file:
                file.write(f'#!/bin/sh\nexec {ROOT}/deploy/{name} "$@"\n')
        self.examples = {"/etc/turunc": f"{self.checkout}/etc", "/backup/": f"{self.checkout}/backup-"}
        self.used = set()

    def told(self, text):
        for example, real in self.examples.items():
            if example in text:
                self.used.add(example)
                text = text.replace(example, real)
        return text

    def shell(self, text, **env):
        """A block, line by line: it ends at the first command that fails."""
        lines = [line for line in self.told(text).splitlines() if line.split(" #")[0].strip() not in NOT_RUN]
        script = "\n".join(lines)
        for command, codes in MAY_FIND.items():
            script = re.sub(rf"^(.*{command}\b.*)$", rf"\1 || [ $? -le {max(codes)} ]", script, flags=re.M)
        return subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=self.checkout, env={**self.env, **env},
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              timeout=300, check=False)

    def run_all(self, heading, page="docs/operations.md"):
        """The blocks under a heading, in their order."""
        found = [text for under, text in blocks(page) if under.lstrip("# ") == heading]
        assert found, heading
        said = ""
        for text in found:
            done = self.shell(text)
            assert done.returncode == 0, f"{heading}:\n{text}\n--- ended with {done.returncode}:\n{done.stdout}"
            said += done.stdout
        return said

    def masa(self, *words):
        done = subprocess.run([f"{BUILD}/bin/masa", *words, "--json"], cwd=self.checkout, text=True, capture_output=True,
                              timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def sql(self, query, *values):
        link = psycopg2.connect(f"host={self.path('postgres')} port={self.port('postgres')} dbname=turunc user=postgres")
        try:
            link.autocommit = True
            with link.cursor() as cursor:
                cursor.execute(query, values or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            link.close()


@pytest.fixture(scope="module")
def place():
    made = Place(System.unmade().run)
    try:
        yield made
    finally:
        made.command("down", "--wipe")
        shutil.rmtree(made.run, ignore_errors=True)
        shutil.rmtree(made.checkout, ignore_errors=True)


def post(place, key, **fields):
    form = {"api_key": key, "service_code": "cadde-supurme", "lat": "36.87", "long": "30.72", **fields}
    answer = request(place.port("intake_http"), "POST", "/open311/v2/requests.json", form=form)
    assert answer.status == 201, answer
    return answer.json()[0]["service_request_id"]


def end_all(place, numbers):
    """Their department resolves them."""
    keys = os.path.join(place.checkout, "temizlik")
    place.masa("client", "add", "temizlik", "--out", keys, "--verbs", "subscribe,snapshot,command", "--types", "*",
               "--departments", "*", "--personal", "none")
    wait_until(lambda: place.sql("select count(*) from turunc.ticket_state")[0][0] >= len(numbers), 30, "all are routed")
    with turunc.Client(keys) as client:
        for view in client.snapshot([]).tickets:
            if view.number in numbers:
                client.command(view.number, "accept", view.version)
                client.command(view.number, "resolve", view.version + 1, reason_code="yapildi", text="Yapıldı.")


# In the order of the page: each test goes on where the one before ended.

def test_install(place):
    said = place.run_all("Install")
    assert "Running after" in said and "ayse.yilmaz" in said
    assert f"TURUNC_CONFIG={place.checkout}/etc/municipality" in place.read("settings")


def test_sizes_and_tls(place):
    assert "attachments" in place.run_all("Sizes")
    said = place.run_all("TLS")
    assert "https://masa.example.bel.tr" in said and "notAfter=" in said
    municipality, = place.sql("select convert_from(f.content, 'UTF8') from turunc.config_file f join turunc.config_active"
                              " using (version) where f.name = 'municipality.csv'")[0]
    assert "base_url,https://masa.example.bel.tr" in municipality
    assert place.read("service", "edge", "env", "TURUNC_EDGE_TLS").startswith("tls ")


def test_backup_is_drilled_and_restored(place):
    key = place.masa("client", "add", "app", "--http")["api_key"]
    wait_until(lambda: request(place.port("intake_http"), "POST", "/open311/v2/requests.json",
                               form={"api_key": key}).status == 400, 15, "intake knows the key")
    place.numbers = [post(place, key, description=f"rapor {i}", phone=PHONE, email="ayse@ornek.example") for i in range(3)]
    place.examples["26-0012345-4"] = place.numbers[0]
    end_all(place, place.numbers)
    said = place.run_all("Backup")
    assert len(re.findall(r"^equal: yes$", said, re.M)) == 1, said
    said = place.run_all("Restore")
    assert "through record" in said
    assert [post(place, key, description="yine")][0] not in place.numbers
    assert place.sql("select count(*) from turunc.ticket")[0][0] == 4


def test_upgrade_and_keys(place):
    had = place.read("keys", "notifier.pub"), place.read("secrets", "turunc_notifier.password")
    place.run_all("Upgrade")
    said = place.run_all("Keys and secrets")
    assert "restarted" in said and "fen-2" in said
    assert place.read("keys", "notifier.pub") != had[0] and place.read("secrets", "turunc_notifier.password") != had[1]
    wait_until(lambda: all(place.ready(name) for name in ("intake", "router", "notifier", "metrics")), 30, "all are ready")
    assert {c["name"]: c for c in place.masa("client", "list")}["fen-2"]["revoked_us"] > 0


def test_a_person(place):
    said = place.run_all("A person asks what is held, or to be forgotten")
    assert os.path.exists(os.path.join(place.checkout, "held.json")) and '"contacts"' in said + open(
        os.path.join(place.checkout, "held.json"), encoding="utf-8").read()
    assert place.sql("select count(*) from turunc.contact where phone is not null and ticket_id = any(%s)",
                     [int(n.rsplit("-", 1)[0].replace("-", "")) for n in place.numbers])[0][0] == 0
    place.run_all("Who looked")


def test_what_to_do_and_the_rest(place):
    head = place.masa("log", "verify")
    now = time.time_ns() // 1000
    for consumer, seq in (("notifier", 1), ("router", 2)):
        place.sql("insert into turunc.dead_letter (consumer, seq, type, reason, first_us, last_us, in_row) values"
                  " (%s, %s, 'ticket.opened', 'refused', %s, %s, 1)", consumer, seq, now, now)
    place.sql("insert into turunc.mail_mark values ('ayse@ornek.example', gen_random_uuid(), '5.1.1', %s)", now)
    place.examples.update({"48211:9f0c7a": f"{head['records']}:{head['head_hash']}", "notifier:4711": "notifier:1", "4711": "1",
                           "router:4712": "router:2"})
    for heading in ("What to do when", "Is the history as it was written?", "Who works with it", "Dead letters",
                    "Addresses that get no mail"):
        place.run_all(heading)
    assert place.sql("select count(*) from turunc.mail_mark")[0][0] == 0


def test_the_ten_lines_of_the_readme_publish_and_subscribe(place):
    """As they stand there."""
    (_, key), = [(under, text) for under, text in blocks("README.md") if "client add" in text]
    done = place.shell(key)
    assert done.returncode == 0, done.stdout
    (_, program), = blocks("README.md", "python")
    lines = [line for line in program.splitlines() if line.strip()]
    assert len(lines) <= 12, "ten lines, a blank one or two aside"
    done = subprocess.run(["/usr/bin/python3", "-c", program], cwd=place.checkout, text=True, capture_output=True, timeout=60,
                          env={**os.environ, "PYTHONPATH": "clients/python"}, check=False)
    assert done.returncode == 0, done.stderr
    number, = re.findall(r"^\d\d-\d{7,}-\d$", done.stdout, re.M)
    assert re.search(rf"ticket\.routed {number}", done.stdout), done.stdout
    ticket_id = int(number.rsplit("-", 1)[0].replace("-", ""))
    assert place.sql("select count(*) from turunc.event_log where type = 'ticket.accepted' and ticket_id = %s",
                     ticket_id)[0][0] == 1


def test_nothing_on_the_page_is_left_out(place):
    """After all the others: each heading with a block was run, each example was met, no command hides outside a block."""
    ran = {"Install", "Sizes", "TLS", "Backup", "Restore", "Upgrade", "Keys and secrets", "Who looked", "What to do when",
           "A person asks what is held, or to be forgotten", "Is the history as it was written?", "Who works with it",
           "Dead letters", "Addresses that get no mail"}
    assert {under.lstrip("# ") for under, _ in blocks("docs/operations.md")} == ran
    assert place.used == set(place.examples), set(place.examples) - place.used
    for page in ("docs/operations.md", "README.md"):
        assert indented_commands(page) == [], page
