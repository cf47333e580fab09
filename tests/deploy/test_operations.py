"""Every command of docs/operations.md, from top to bottom, and what README.md shows, on a system of deploy/up.

One story, for a page read from top to bottom is one: STORY has a step for each heading that has a command. The pages
speak of examples (a phone, a ticket, a folder); Place.examples puts what is really there in their place."""
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
           "build/bin/masa backup /backup/before-upgrade": "a minute before, the page made one the same way",
           "deploy/up --demo": "tests/deploy/test_demo.py",
           "tests/run": "it runs this"}
# What masa doctor may find though the system is well: it is of the machine, of its load, or of the day.
MAY_FIND = {"clock", "disk", "services", "bus", "gateways", "redis", "edge", "live stream", "reader lag", "holidays"}
PHONE = "05321234567"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


def blocks(page, language="sh"):
    """[(the heading above, the text)]"""
    with open(os.path.join(ROOT, page), encoding="utf-8") as file:
        text = file.read()
    return [([line for line in text[:found.start()].splitlines() if line.startswith("#")][-1].lstrip("# "), found.group(2))
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
        for name, to in (("deploy/config", f"{ROOT}/deploy/config"), ("deploy/schema", f"{ROOT}/deploy/schema"),
                         ("build", BUILD), ("clients", f"{ROOT}/clients"), (".run", folder)):
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

    def shell(self, text):
        """A block, line by line: it ends at the first command that fails."""
        lines = [line for line in text.splitlines() if line.split(" #")[0].strip() not in NOT_RUN]
        # It ends with 1 when it finds something; what that may be, found_bad() is held against.
        script = re.sub(r"^(.*masa doctor\b.*)$", r"\1 || [ $? -eq 1 ]", self.told("\n".join(lines)), flags=re.M)
        return subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=self.checkout, env=self.env,
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              timeout=300, check=False)

    def run_all(self, heading, page="docs/operations.md"):
        """The blocks under a heading, in their order."""
        found = [text for under, text in blocks(page) if under == heading]
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


def found_bad(said):
    """What masa doctor found, but for what is none of the system's."""
    looked_at = re.search(r"^looked at: (.*)$", said, re.M).group(1).split(", ")
    return {max((name for name in looked_at if line.startswith(name + " ")), key=len, default=line)
            for line in re.findall(r"^! (.*)$", said, re.M)} - MAY_FIND


def install(place, said):
    assert "Running after" in said and "ayse.yilmaz" in said
    assert f"TURUNC_CONFIG={place.checkout}/etc/municipality" in place.read("settings")
    assert found_bad(said) <= {"backups"}, said


def sizes(_, said):
    assert "attachments" in said


def tls(place, said):
    assert "https://masa.example.bel.tr" in said and "notAfter=" in said
    municipality, = place.sql("select convert_from(f.content, 'UTF8') from turunc.config_file f join turunc.config_active"
                              " using (version) where f.name = 'municipality.csv'")[0]
    assert "base_url,https://masa.example.bel.tr" in municipality
    assert place.read("service", "edge", "env", "TURUNC_EDGE_TLS").startswith("tls ")


def reports_before_backup(place):
    place.key = place.masa("client", "add", "app", "--http")["api_key"]
    wait_until(lambda: request(place.port("intake_http"), "POST", "/open311/v2/requests.json",
                               form={"api_key": place.key}).status == 400, 30, "intake knows the key")
    place.numbers = [post(place, place.key, description=f"rapor {i}", phone=PHONE, email="ayse@ornek.example") for i in range(3)]
    place.examples["26-0012345-4"] = place.numbers[0]
    end_all(place, place.numbers)


def backup(_, said):
    assert len(re.findall(r"^equal: yes$", said, re.M)) == 1, said


def restore(place, said):
    assert "through record" in said
    assert post(place, place.key, description="yine") not in place.numbers
    assert place.sql("select count(*) from turunc.ticket")[0][0] == 4


def remember_secrets(place):
    place.had = place.read("keys", "notifier.pub"), place.read("secrets", "turunc_notifier.password")


def upgrade(_, said):
    assert re.search(r"^masa \d+\.\d+", said, re.M), said
    assert found_bad(said) <= {"messages in doubt"}, said  # since the restore


def keys(place, said):
    assert "restarted" in said and "fen-2" in said and "ekran-1" in said
    assert place.read("keys", "notifier.pub") != place.had[0]
    assert place.read("secrets", "turunc_notifier.password") != place.had[1]
    wait_until(lambda: all(place.ready(name) for name in ("intake", "router", "notifier", "metrics")), 60, "all are ready")
    assert {c["name"]: c for c in place.masa("client", "list")}["fen-2"]["revoked_us"] > 0


def a_person(place, said):
    with open(os.path.join(place.checkout, "held.json"), encoding="utf-8") as file:
        assert '"contacts"' in said + file.read()
    assert place.sql("select count(*) from turunc.contact where phone is not null and ticket_id = any(%s)",
                     [int(n.rsplit("-", 1)[0].replace("-", "")) for n in place.numbers])[0][0] == 0


def trouble(place):
    """Letters, a mark, and what the examples of the next blocks are here."""
    head = place.masa("log", "verify")
    now = time.time_ns() // 1000
    for consumer, seq in (("notifier", 1), ("router", 2)):
        place.sql("insert into turunc.dead_letter (consumer, seq, type, reason, first_us, last_us, in_row) values"
                  " (%s, %s, 'ticket.opened', 'refused', %s, %s, 1)", consumer, seq, now, now)
    place.sql("insert into turunc.mail_mark values ('ayse@ornek.example', gen_random_uuid(), '5.1.1', %s)", now)
    place.examples.update({"48211:9f0c7a": f"{head['records']}:{head['head_hash']}", "notifier:4711": "notifier:1", "4711": "1",
                           "router:4712": "router:2"})


def what_to_do(_, said):
    assert found_bad(said) - {"messages in doubt"} == {"dead letters"}, said


def dead_letters(place, _):
    assert place.sql("select state from turunc.dead_letter where consumer = 'router'") == [(4,)], "given up"
    wait_until(lambda: place.sql("select 1 from turunc.dead_letter where consumer = 'notifier' and (state = 3 or attempts > 1)"),
               30, "the other was tried again")


def addresses(place, _):
    assert place.sql("select count(*) from turunc.mail_mark")[0][0] == 0


# (heading, what is there before its blocks run, what is held against what they said): in the order of the page.
STORY = (("Install", None, install), ("Sizes", None, sizes), ("TLS", None, tls), ("Backup", reports_before_backup, backup),
         ("Restore", None, restore), ("Upgrade", None, upgrade), ("Keys and secrets", remember_secrets, keys),
         ("A person asks what is held, or to be forgotten", None, a_person), ("Who looked", None, None),
         ("What to do when", trouble, what_to_do), ("Is the history as it was written?", None, None),
         ("Who works with it", None, None), ("Dead letters", None, dead_letters),
         ("Addresses that get no mail", None, addresses))


def test_the_page_from_top_to_bottom_and_the_ten_lines_of_the_readme(place):
    for heading, before, after in STORY:
        if before:
            before(place)
        said = place.run_all(heading)
        if after:
            after(place, said)
    assert place.used == set(place.examples), "each example was met"
    publishes_and_subscribes(place)


def publishes_and_subscribes(place):
    """README's lines, as they stand there."""
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


def test_nothing_on_the_page_is_left_out():
    """The story has each heading with a block, in order, and no command hides outside a block."""
    assert list(dict.fromkeys(under for under, _ in blocks("docs/operations.md"))) == [heading for heading, _, _ in STORY]
    for page in ("docs/operations.md", "README.md"):
        assert indented_commands(page) == [], page
