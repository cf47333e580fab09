"""What is left of a list of applications once they are in the record."""
import os
import subprocess

import pytest

from cimer_world import World
from process import wait_until
from sheets import application, csv_text, days_ago


@pytest.fixture(scope="module")
def world(request):
    made = World().open(services=["intake"])
    yield made
    made.stack.keep = request.session.testsfailed > 0
    assert made.stack.close()


def left_of(world, name):
    with open(os.path.join(world.folder, "done", name), "rb") as file:
        return file.read()


def test_what_is_in_the_record_stays_nowhere_else(world):
    """Erasing a person reaches all that is kept of them: of a list its name and its tickets are left."""
    rows = [application("silinecek-1", days_ago(2), name="Zühre", surname="Silinir", phone="0532 765 43 21")]
    world.put("silinecek.csv", csv_text(rows))
    assert world.settled("silinecek.csv") == "done"
    wait_until(lambda: left_of(world, "silinecek.csv") == b"", 20, "nothing of the list is left")
    assert [row[1] for row in world.report("silinecek.csv")] == ["silinecek-1"]
    held = subprocess.run(["grep", "-rl", "Silinir", world.stack.path("cimer"), world.stack.path("state")],
                          capture_output=True, text=True, check=False)
    assert held.stdout == "", "nor is it anywhere beside it"
    assert world.ticket("silinecek-1")[5] == "Zühre Silinir"


def test_a_list_that_a_kill_left_whole_is_emptied_at_the_next_start(world):
    folder = os.path.join(world.folder, "done")
    with open(os.path.join(folder, "yarida.csv"), "w", encoding="utf-8") as file:
        file.write("Ayşe Yılmaz")
    world.stack.kill9("intake")
    world.stack.start("intake")
    wait_until(lambda: left_of(world, "yarida.csv") == b"", 20, "it was emptied")


def test_lists_keep_their_content_for_as_long_as_is_said():
    other = World().open(services=["intake"], TURUNC_CIMER_KEEP="720h")
    for reference in ("tutulan-1", "tutulan-2"):
        assert other.take(csv_text([application(reference, days_ago(2))]))[0] == "done"
    assert b"tutulan-1" in left_of(other, "liste 1.csv"), "it was kept while the next one was read"
    intake = other.stack.process["intake"]
    said = subprocess.run([intake.argv[0], "--check-config"], env={**intake.env, "TURUNC_CIMER_KEEP": "721h"},
                          cwd=other.stack.folder, capture_output=True, text=True, check=False)
    assert said.returncode == 78 and "TURUNC_CIMER_KEEP" in said.stderr, "the law gives thirty days to erase"
    assert other.stack.close()
