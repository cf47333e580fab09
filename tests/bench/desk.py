#!/usr/bin/python3
"""How long the desk takes in a grown record: a queue page of a department with 100,000 tickets of which
5,000 are open, a ticket's page, and searches among all tickets.

    tests/bench/desk.py [--tickets 1000000] [--rounds 200]

Server time is what a request takes on the loopback without a browser, asked one at a time of a router
that does nothing else; the router's own measure (turunc_desk_page_seconds) is printed beside it."""
import argparse
import os
import random
import statistics
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
for _folder in ("lib", "daemon"):
    sys.path.insert(0, os.path.join(ROOT, "tests", _folder))

import psycopg2  # noqa: E402
from desk_world import DeskWorld  # noqa: E402
from router_world import printed  # noqa: E402
from stack import Stack  # noqa: E402

DEPARTMENT_TICKETS, OPEN = 100_000, 5_000
NAMES = "ayse fatma mehmet ali huseyin emine hatice mustafa zeynep ahmet elif murat hulya kemal".split()
SURNAMES = "yilmaz kaya demir celik sahin yildiz ozturk aydin arslan dogan kilic aslan cetin kara".split()
WORDS = ("cop konteyner kaldirim cukur agac dal budama kopek kedi gurultu park bank aydinlatma su kanal rogar "
         "isgal seyyar tabela hafriyat moloz koku ilaclama yol asfalt tretuvar merdiven duvar cit").split()

# Rows as the services would have written them; the words as search_words.c makes them.
TICKETS = """
insert into turunc.ticket (ticket_id, contact_id, channel, subject_code, neighbourhood, legal_basis, public,
  arrived_us, recorded_us, client)
select 250000000 + n, md5('c' || n)::uuid, 1 + n %% 3, s.code, h.code, 0, true, %(t0)s + n * 20000000::bigint,
  %(t0)s + n * 20000000::bigint, ''
from generate_series(%(from)s::bigint, %(to)s::bigint) n,
  lateral (select (array['cop-alinmadi','konteyner-hasar','cadde-supurme'])[1 + n %% 3] as code) s,
  lateral (select (array['fener','sirinyali','balbey','demircikara','altindag'])[1 + (n / 3) %% 5] as code) h"""
STATES = """
insert into turunc.ticket_state (ticket_id, status, version, department, subject_code, priority, legal_due_us,
  service_due_us, ended_us, updated_us)
select 250000000 + n, case when n %% %(open_of)s = 0 then 3 else 12 end, 3,
  case when n %% %(ours_of)s = 0 then 'temizlik' else (array['fen', 'park', 'zabita', 'saglik'])[1 + n %% 4] end,
  (array['cop-alinmadi','konteyner-hasar','cadde-supurme'])[1 + n %% 3], 2, null,
  %(t0)s + n * 20000000::bigint + (n * 7919 %% 100000) * 1000000, case when n %% %(open_of)s = 0 then null else 1 end, 1
from generate_series(%(from)s::bigint, %(to)s::bigint) n"""
CONTACTS = """
insert into turunc.contact (contact_id, ticket_id, kind, channel, arrived_us, recorded_us, language, name, phone,
  description, address, salt)
select md5('c' || n)::uuid, 250000000 + n, 'report', 1, 1, 1, 'tr',
  (%(names)s::text[])[1 + n * 31 %% 14] || ' ' || (%(surnames)s::text[])[1 + n * 17 %% 14],
  '+90532' || lpad((n * 7919 %% 10000000)::text, 7, '0'),
  (select string_agg((%(words)s::text[])[1 + (n * (k * 37 + 11) + k * k * n / 7) %% 29], ' ') from generate_series(1, 12) k),
  (1 + n %% 4000) || '. sokak no ' || (1 + n %% 90), 's'
from generate_series(%(from)s::bigint, %(to)s::bigint) n"""
SEARCH = """
insert into turunc.contact_search (contact_id, ticket_id, words)
select c.contact_id, c.ticket_id, array_to_tsvector(string_to_array('d=' || s.department || ' ' || c.ticket_id || ' '
  || c.name || ' ' || substr(c.phone, 4) || ' ' || right(c.phone, 7) || ' ' || right(c.phone, 4) || ' '
  || replace(c.address, '.', '') || ' ' || c.description, ' '))
from turunc.contact c join turunc.ticket_state s using (ticket_id)
where c.ticket_id between 250000000 + %(from)s and 250000000 + %(to)s"""


def grow(stack, tickets):
    """The department's tickets lie among the others."""
    values = {"t0": time.time_ns() // 1000 - tickets * 20_000_000, "names": NAMES, "surnames": SURNAMES, "words": WORDS}
    with psycopg2.connect(stack.conninfo()) as link:
        with link.cursor() as cursor:
            for first in range(1, tickets + 1, 100_000):
                last = min(tickets, first + 99_999)
                part = {**values, "from": first, "to": last}
                part["ours_of"] = max(1, tickets // DEPARTMENT_TICKETS)
                part["open_of"] = part["ours_of"] * DEPARTMENT_TICKETS // OPEN
                for statement in (TICKETS, STATES, CONTACTS, SEARCH):
                    cursor.execute(statement, part)
                link.commit()
    stack.sql("vacuum analyze")


def measure(person, path_of, rounds):
    """Milliseconds of each request."""
    taken = []
    for i in range(rounds):
        path = path_of(i)
        start = time.perf_counter()
        answer = person.stack.http("router", "GET", path, headers=person.headers({"Origin": None}))
        taken.append((time.perf_counter() - start) * 1000)
        assert answer.status in (200, 303), (path, answer)
    return taken


def say(what, taken):
    taken = sorted(taken)
    print(f"{what:44} n={len(taken)} p50={statistics.median(taken):6.1f} p95={taken[int(len(taken) * .95) - 1]:6.1f} "
          f"p99={taken[int(len(taken) * .99) - 1]:6.1f} max={taken[-1]:6.1f} ms", flush=True)


def searches(rng):
    """What people type: a whole name, a phone, a street, one frequent word, two, a rare pair."""
    return rng.choice([
        lambda: f"{rng.choice(NAMES)} {rng.choice(SURNAMES)}",
        lambda: "0532" + "".join(rng.choice("0123456789") for _ in range(7)),
        lambda: f"{rng.randint(1, 4000)} sokak no {rng.randint(1, 90)}",
        lambda: rng.choice(WORDS),
        lambda: f"{rng.choice(WORDS)} {rng.choice(WORDS)}",
        lambda: f"{rng.choice(NAMES)} {rng.randint(1, 4000)} sokak",
    ])().replace(" ", "+")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tickets", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=200)
    asked = parser.parse_args()
    rng = random.Random(7)
    with Stack(services=["router"], own_postgres=True,
               postgres_settings=("shared_buffers=1GB", "max_wal_size=4GB", "synchronous_commit=off")) as stack:
        world = DeskWorld(stack)
        start = time.time()
        grow(stack, asked.tickets)
        print(f"{asked.tickets} tickets made in {time.time() - start:.0f} s", flush=True)
        stack.start()
        world.sign_everybody_in()
        for warm in ("/desk/", "/desk/search?q=cop"):
            measure(world.ayse, lambda i, path=warm: path, 5)
        say("queue by deadline", measure(world.ayse, lambda i: "/desk/", asked.rounds))
        say("queue by neighbourhood", measure(world.ayse, lambda i: "/desk/?order=2", asked.rounds))
        say("queue of one subject and neighbourhood", measure(
            world.ayse, lambda i: "/desk/?subject=cop-alinmadi&neighbourhood=fener", asked.rounds))
        ids = [row[0] for row in stack.sql("select ticket_id from turunc.ticket_state where department = 'temizlik' "
                                           "and status = 3 limit 500")]
        say("a ticket", measure(world.ayse, lambda i: f"/desk/ticket/{printed(rng.choice(ids))}", asked.rounds))
        say("search, an operator", measure(world.oya, lambda i: "/desk/search?q=" + searches(rng), asked.rounds))
        say("search, a clerk", measure(world.ayse, lambda i: "/desk/search?q=" + searches(rng), asked.rounds))
        for line in stack.http("router", "GET", "/metrics").text.splitlines():
            if line.startswith(("turunc_desk_page_seconds_sum", "turunc_desk_page_seconds_count")):
                print(line)


if __name__ == "__main__":
    main()
