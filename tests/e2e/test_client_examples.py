"""The example programs, in C and in Python, at the real doors: a publisher's tickets reach a
department over the bus and come back resolved, each step once, though router is killed meanwhile."""
import os
import re
import subprocess
from pathlib import Path

import pytest
from servers import BUILD, ROOT
from stack import Stack

import turunc

PROGRAMS = {
    "c": {name: [os.path.join(BUILD, "bin", f"example_{name}")]
          for name in ("publisher", "department")},
    "python": {name: ["/usr/bin/python3",
                      os.path.join(ROOT, "clients", "python", "examples", f"{name}.py")]
               for name in ("publisher", "department")},
}
LIMIT_S = 60


@pytest.fixture(scope="module")
def system():
    with Stack(services=["intake", "router"]) as stack:
        stack.start()
        yield stack


@pytest.fixture
def keys(system, request):
    """A key folder as an integrator is given it, for a client of the test's own."""
    name = re.sub("[^a-z0-9]+", "-", request.node.name).strip("-")
    folder = Path(system.path(name))
    system.masa("client", "add", name, "--out", folder, "--verbs",
                "publish,subscribe,snapshot,command", "--sources", "*", "--types", "*",
                "--departments", "*", "--personal", "full")
    (folder / "endpoints").write_text(
        f"publish={system.bus('publish')[0]}\nstream={system.bus('stream')[0]}\n")
    return folder


@pytest.fixture
def start(keys):
    running = []

    def run(language, program, *options):
        running.append(subprocess.Popen(
            [*PROGRAMS[language][program], "--keys", str(keys), *map(str, options)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return running[-1]

    yield run
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def finish(process):
    out, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, (out, err)
    return out


def publish(client, count, words):
    """Tickets for the parks department; their numbers."""
    results = client.publish_many(
        [turunc.ticket_request("tests", f"{words} {n}", subject_code="agac-budama")
         for n in range(count)], timeout=LIMIT_S)
    assert not any(r.rejected for r in results), results
    return [r.ticket for r in results]


@pytest.mark.parametrize("language", PROGRAMS)
def test_publisher_at_the_real_door(language, system, keys, start, tmp_path):
    before = system.one("select count(*) from turunc.ticket")
    out = finish(start(language, "publisher", "--count", 50, "--store", tmp_path / "store"))
    assert [line.split()[1] for line in out.splitlines()] == ["accepted"] * 200
    assert system.one("select count(*) from turunc.ticket") == before + 50


@pytest.mark.parametrize("language", PROGRAMS)
def test_department_resolves_though_router_is_killed(language, system, keys, start):
    with turunc.Client(keys) as client:
        numbers = publish(client, 20, "önce")
        system.wait(lambda: {t.number for t in client.snapshot(["park"]).tickets} >= set(numbers),
                    LIMIT_S)
        first_seq = client.snapshot(["park"]).as_of_seq
        open_before = len(client.snapshot(["park"]).tickets)
        process = start(language, "department", "--department", "park", "--name", language,
                        "--count", open_before + 20)
        numbers += publish(client, 10, "sırada")
        system.kill9("router")
        numbers += publish(client, 10, "router yokken")
        system.restart("router")
        out = finish(process)
        assert out.startswith("snapshot ")
        steps = {}
        with client.subscribe(f"check-{language}", types=["ticket.*"], start=first_seq) as records:
            while sum("ticket.resolved" in s for s in steps.values()) < open_before + 20:
                record = records.get(LIMIT_S)
                assert record is not None, "the log ends before every ticket is resolved"
                steps.setdefault(record.event.subject, []).append(record.event.type)
                records.ack(record)
    for number in numbers:
        taken = [s for s in steps[number] if s in
                 ("ticket.accepted", "ticket.started", "ticket.resolved")]
        assert taken == ["ticket.accepted", "ticket.started", "ticket.resolved"], number
