"""Other systems that publish on the bus and are killed half way: nothing lost, nothing twice."""
import collections

import pytest

from process import wait_until
from world import Program, admitted
from turunc.v1 import event_pb2

# More calls than are made before the kill, however late it comes.
CALLS, MORE = 3000, 50
PARTS = ("offered", "answered", "ticket.request", "ended")


def results(log):
    """Every result line: id -> words said of it."""
    found = collections.defaultdict(list)
    for line in log.splitlines():
        words = line.split()
        if len(words) >= 2 and words[1] in ("accepted", "duplicate", "rejected", "spooled"):
            found[words[0]].append(words[1:])
    return found


@pytest.mark.parametrize("language", ["c", "python"])
def test_publisher_killed_half_way(stack, language):
    name = f"pbx-{language}"
    keys = admitted(stack, name, door="publish", verbs=("publish",))

    def publisher(count, prefix):
        return Program(stack, language, "publisher", "--keys", keys, "--source", name, "--store",
                       stack.path(f"{name}-store"), "--count", count, "--rate", 100, "--prefix", prefix)

    with publisher(CALLS, f"{name}-first") as first:
        wait_until(lambda: len(results(first.log())) > 40, 30, "it is half way", every_s=0.002)
        first.kill9()
    before = results(first.log())
    assert len(before) < CALLS * len(PARTS)
    with publisher(MORE, f"{name}-second") as second:
        assert second.wait_end() == 0, second.log()
    after = results(second.log())

    # What was answered before the kill is in the record; what the store held at the kill was sent
    # by the next process; so the calls of the first are whole up to one, and nothing after it.
    items = dict(stack.sql("select id, ticket_id from turunc.inbound_item where client = %s", name))
    calls = collections.Counter(id.split("/")[0] for id in items)
    made = sum(1 for call in calls if "first" in call)
    assert 0 < made < CALLS
    assert calls == {**{f"{name}-first-{n}": 4 for n in range(made)},
                     **{f"{name}-second-{n}": 4 for n in range(MORE)}}
    # An answer that came in the instant of the kill was taken and not printed any more.
    assert before.keys() | after.keys() <= items.keys()

    # One ticket a call, whoever was told of it and however often.
    tickets = [ticket for ticket in items.values() if ticket]
    assert len(tickets) == len(set(tickets)) == len(calls)
    assert stack.one("select count(*) from turunc.ticket where client = %s", name) == len(calls)
    for id, answers in after.items():
        assert [words[0] for words in answers] in (["accepted"], ["duplicate"])
        if id in before:
            assert answers[0] == ["duplicate"] + before[id][0][1:]

    # And so says the log.
    counted = collections.Counter()
    for kind, data in stack.sql("select type, event from turunc.event_log where type like 'call.%'"):
        counted[kind] += event_pb2.Event.FromString(bytes(data)).call.call_id.startswith(name)
    assert counted == dict.fromkeys(("call.offered", "call.answered", "call.ended"), len(calls))
