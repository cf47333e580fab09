"""Open data of a month: what anybody may download, and what nobody finds in it."""
import concurrent.futures
import contextlib
import csv
import hashlib
import io
import json
import os
import re
import shutil
import socket
import time
import uuid

import psycopg2
import pytest

from stack import CONFIG, Stack
from standing_clock import StandingClock

APRIL_US = 1_775_552_400_000_000  # 2026-04-07 12:00 in Istanbul
PUBLISHED_US = 1_775_422_800_000_000  # 2026-04-06 00:00, when March is
MARCH_US = 1_772_355_600_000_000  # 2026-03-01 12:00
HOUR_US = 3_600_000_000
FILES = ("requests.csv", "requests.json", "counts.csv", "counts.json", "dictionary.csv", "dictionary.json")
STREET = {"headers": {"X-Forwarded-For": "203.0.113.9"}}


class Tickets:
    """Rows as intake and router leave them."""

    def __init__(self, stack):
        self.stack = stack
        self.number = 0

    def add(self, subject, neighbourhood, count, public=True, arrived_us=None, status=3, ended_us=None, recorded_us=None):
        """Returns their ids."""
        for _ in range(count):
            self.number += 1
            at_us = (arrived_us or MARCH_US) + self.number * 7_000_000
            contact, ticket = str(uuid.uuid4()), 260_000_000 + self.number
            self.stack.sql("""insert into turunc.contact (contact_id, ticket_id, kind, channel, arrived_us,
                recorded_us, language, name, phone, description, address, latitude, longitude, salt)
                values (%s, %s, 'report', 2, %s, %s, 'tr', 'Ayşe Gizli', '+905321234567', 'kapımın önü',
                'Gizli Sokak 5', 36.8851237, 30.7049876, 'x')""", contact, ticket, at_us, at_us)
            self.stack.sql("""insert into turunc.ticket (ticket_id, contact_id, channel, subject_code,
                neighbourhood, legal_basis, public, arrived_us, recorded_us, client)
                values (%s, %s, 2, %s, %s, 0, %s, %s, %s, '')""",
                           ticket, contact, subject, neighbourhood, public, at_us, recorded_us or at_us)
            self.stack.sql("""insert into turunc.ticket_state (ticket_id, status, version, department, subject_code,
                priority, ended_us, updated_us, reason_code) values (%s, %s, 2, 'temizlik', %s, 2, %s, %s, %s)""",
                           ticket, status, subject, ended_us, at_us + HOUR_US, "yapildi" if ended_us else "")
        return [260_000_000 + n for n in range(self.number - count + 1, self.number + 1)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    clock = StandingClock(str(tmp_path_factory.mktemp("clock") / "clock"), PUBLISHED_US - 1)
    shared = {"TURUNC_CLOCK_FILE": clock.path}
    with Stack(services=["router", "metrics"], env={"router": shared, "metrics": {
            **shared, "TURUNC_OPEN_DATA_KEPT": "1s", "TURUNC_OPEN_DATA_TICKETS": "100"}}) as made:
        made.start()
        made.clock = clock
        yield made


def read(stack, path, status=200, **more):
    answer = stack.http("metrics", "GET", f"/open-data/{path}", **more)
    assert answer.status == status, (path, answer.status, answer.text[:300])
    return answer


def requests(stack, month="2026-03"):
    return list(csv.DictReader(io.StringIO(read(stack, f"{month}/requests.csv").text)))


@pytest.fixture(scope="module")
def march(stack):
    """Before it there is nothing, and that is said."""
    assert "Henüz yayımlanan bir ay yok" in read(stack, "?lang=tr").text
    read(stack, "2026-03", 404)
    tickets = Tickets(stack)
    tickets.add("cop-alinmadi", "guzeloba", 9)
    tickets.add("cop-alinmadi", "fener", 2)
    tickets.add("cop-alinmadi", "caglayan", 7, status=7, ended_us=MARCH_US + 30 * HOUR_US)
    tickets.add("cadde-supurme", "fener", 6)
    tickets.add("cadde-supurme", "guzeloba", 8)
    tickets.add("cadde-supurme", "caglayan", 5)
    tickets.add("evde-saglik", "fener", 6)  # of a special category, whatever its row says
    tickets.add("dilencilik", "fener", 7)  # not public, whatever its row says
    tickets.add("cop-alinmadi", "fener", 5, public=False)
    tickets.add("cop-alinmadi", "fener", 9, arrived_us=APRIL_US)
    tickets.add("cop-alinmadi", "fener", 9, recorded_us=PUBLISHED_US)  # late
    for path in ("2026-03", "2026-03/requests.csv"):
        read(stack, path, 404)  # over, but its report is not published either
    assert "2026-03" not in read(stack, "").text
    stack.clock.advance(1)
    assert len(requests(stack)) == 37
    stack.clock.advance(APRIL_US - PUBLISHED_US)
    return tickets


def test_months_that_are_over_are_listed_and_no_other(stack, march):
    for lang, month, other in (("tr", "Mart 2026", "Nisan"), ("en", "March 2026", "April")):
        text = read(stack, f"?lang={lang}", **STREET).text
        assert month in text and other not in text and "/open-data/2026-03?" in text
    for path in ("2026-04", "2026-02", "2026-03/none.csv", "2026-04/requests.csv", "2026-3", "0000-00", "x/requests.csv",
                 "2026-13/requests.csv", "9999-12"):
        read(stack, path, 404)
    for path in ("2026-04", "x"):
        assert "Bu ayın açık verisi yok" in read(stack, f"{path}?lang=tr", 404, **STREET).text
        assert f'href="/open-data/{path}?lang=tr"' in read(stack, f"{path}?lang=en", 404, **STREET).text
    assert stack.http("metrics", "GET", "/live/", **STREET).status == 403, "the board stays where it is shown"


def test_what_is_published_and_what_is_not(stack, march):
    lines = requests(stack)
    assert len(lines) == 37 and {line["service_code"] for line in lines} == {"cop-alinmadi", "cadde-supurme"}
    coarse = [line for line in lines if line["coarse"] == "true"]
    fine = [line for line in lines if line["coarse"] == "false"]
    # Two are too few, and one more cell of their row, of their column, and where those cross tell of them.
    assert len(coarse) == 2 + 7 + 6 + 5
    assert all(not line[name] for line in coarse for name in ("lat", "long", "address", "neighbourhood",
                                                              "agency_responsible"))
    assert all(line["requested_datetime"].endswith("T00:00:00+03:00") and line["service_request_id"][0] == "g"
               for line in coarse)
    assert {(line["lat"], line["long"]) for line in fine} == {("36.885", "30.705")}
    assert {line["address"] for line in fine} == {"Güzeloba"}
    closed = [line for line in lines if line["status_description"] == "closed"]
    assert len(closed) == 7 and all(line["closed_date"] == line["updated_datetime"] != "" for line in closed)
    everything = "".join(read(stack, f"2026-03/{name}").text for name in FILES)
    for secret in ("Gizli", "Ayşe", "5321234567", "kapımın", "evde-saglik", "dilencilik", "36.8851", "30.7049"):
        assert secret not in everything, secret
    assert [dict(line) for line in json.loads(read(stack, "2026-03/requests.json").text)][0]["service_request_id"] \
        == lines[0]["service_request_id"]


def test_counts_tell_no_small_one(stack, march):
    cells = {(cell["service_code"], cell["neighbourhood"]): cell
             for cell in json.loads(read(stack, "2026-03/counts.json").text)}
    assert cells["cop-alinmadi", "fener"] == {
        "service_code": "cop-alinmadi", "service_name": "Çöp toplanmadı", "neighbourhood": "fener",
        "neighbourhood_name": "Fener", "requests": None, "suppressed": True}
    assert cells["*", "*"]["requests"] == 37 and cells["cop-alinmadi", "*"]["requests"] == 18
    assert sum(cell["suppressed"] for cell in cells.values()) == 4


def test_checksums_are_those_of_the_files(stack, march):
    page = read(stack, "2026-03?lang=en").text
    sums = dict(reversed(line.split("  ")) for line in read(stack, "2026-03/SHA256SUMS").text.splitlines())
    assert set(sums) == set(FILES)
    for name in FILES:
        answer = read(stack, f"2026-03/{name}", **STREET)
        assert hashlib.sha256(answer.body).hexdigest() == sums[name] and sums[name] in page
        assert answer.headers["ETag"] == f'"{sums[name]}"' and answer.headers["Access-Control-Allow-Origin"] == "*"
    etag = f'"{sums["requests.csv"]}"'
    read(stack, "2026-03/requests.csv", 304, headers={"If-None-Match": etag})
    names = {line["field"] for line in csv.DictReader(io.StringIO(read(stack, "2026-03/dictionary.csv").text))
             if line["file"] == "requests"}
    assert names == set(requests(stack)[0])


def test_a_correction_moves_nothing_that_is_published(stack, march):
    """A ticket's line stands as it stood, though it is of another subject, maybe of a special category, by now, and
    goes on under that; and one that becomes public does not come in."""
    def published():
        """From a reading that began after this was called."""
        readings = stack.metric("metrics", "turunc_metrics_open_data_readings_total")
        stack.wait(lambda: requests(stack)
                   and stack.metric("metrics", "turunc_metrics_open_data_readings_total") > readings, 10, "it is read anew")
        return requests(stack), read(stack, "2026-03/counts.csv").text

    def correct(ticket, subject, **more):
        stack.sql("""update turunc.ticket_state set subject_code = %s, version = version + 1,
            updated_us = %s where ticket_id = %s""", subject, more.get("at_us", APRIL_US + HOUR_US), ticket, user="turunc_router")

    fine = [int(line["service_request_id"].replace("-", "")[:9]) for line in requests(stack)
            if line["coarse"] == "false" and line["service_code"] == "cop-alinmadi"]
    special, early, ended = fine[0], fine[1], fine[3]
    stack.sql("update turunc.ticket_state set status = 7, reason_code = 'yapildi', ended_us = %s where ticket_id = %s",
              MARCH_US + 99 * HOUR_US, ended)
    lines, counts = published()
    beggars = stack.one("select min(ticket_id) from turunc.ticket where subject_code = 'dilencilik'")
    correct(fine[2], "cadde-supurme")
    correct(fine[2], "konteyner-hasar")
    for ticket in (special, ended):
        correct(ticket, "evde-saglik")
        stack.sql("""update turunc.ticket_state set status = 7, department = 'saglik', reason_code = 'mukerrer', ended_us = %s,
            updated_us = %s where ticket_id = %s""", APRIL_US + HOUR_US, APRIL_US + HOUR_US, ticket)
    correct(beggars, "cop-alinmadi")
    assert published() == (lines, counts), "nothing says which ticket is another one now"
    assert "evde-saglik" not in "".join(read(stack, f"2026-03/{name}").text for name in FILES)

    # Kept before it was known how the line stood: nothing of its state that would name the other matter.
    stack.sql("""update turunc.ticket_former_subject set status = null, department = null, reason_code = null, ended_us = null,
        updated_us = null where ticket_id = %s""", special)
    changed = [(old, new) for old, new in zip(lines, published()[0], strict=True) if old != new]
    assert len(changed) == 1 and int(changed[0][1]["service_request_id"].replace("-", "")[:9]) == special
    assert {changed[0][1][name] for name in ("agency_responsible", "lat", "long")} == {""}

    # Before the month was published, a correction is one.
    correct(early, "cadde-supurme", at_us=PUBLISHED_US - 1)
    stack.wait(lambda: [line["service_code"] for line in requests(stack)].count("cadde-supurme") == 20, 10, "it moved")
    correct(early, "cop-alinmadi", at_us=PUBLISHED_US - 1)
    stack.wait(lambda: [line["service_code"] for line in requests(stack)].count("cadde-supurme") == 19, 10)


def test_what_is_erased_goes_when_the_month_is_read_again(stack, march):
    assert any(line["lat"] for line in requests(stack))
    stack.sql("update turunc.contact set latitude = null, longitude = null")
    stack.wait(lambda: not any(line["lat"] for line in requests(stack)), 10, "positions are gone")
    readings, began = stack.metric("metrics", "turunc_metrics_open_data_readings_total"), time.monotonic()
    for _ in range(20):
        requests(stack)
    most = readings + 2 + (time.monotonic() - began)
    assert stack.metric("metrics", "turunc_metrics_open_data_readings_total") <= most, "kept for a second"


def test_many_ask_at_once_and_the_record_is_read_once_a_month(stack, march):
    march.add("cop-alinmadi", "guzeloba", 6, arrived_us=MARCH_US - 28 * 24 * HOUR_US)
    stack.wait(lambda: stack.http("metrics", "GET", "/open-data/2026-02").status == 200, 10, "February is there")
    before, began = stack.metric("metrics", "turunc_metrics_open_data_readings_total"), time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        found = list(pool.map(lambda n: len(requests(stack, ("2026-02", "2026-03")[n % 2])), range(48)))
    assert set(found) == {6, 37} and found.count(37) == 24
    assert stack.metric("metrics", "turunc_metrics_open_data_readings_total") - before <= 2 * (2 + time.monotonic() - began)


def test_a_month_with_too_many_is_refused(stack, march):
    march.add("cop-alinmadi", "guzeloba", 101, arrived_us=MARCH_US - 90 * 24 * HOUR_US)
    stack.wait(lambda: stack.http("metrics", "GET", "/open-data/2025-12/requests.csv").status == 503, 10)
    assert "Retry-After" in read(stack, "2025-12/requests.csv", 503).headers
    assert stack.metric("metrics", "turunc_metrics_open_data_too_many_total") >= 1
    assert len(requests(stack)) == 37, "the others are there"


def test_the_record_is_away(stack, march):
    stack.sql("revoke select on turunc.ticket from turunc_metrics")
    try:
        stack.wait(lambda: stack.http("metrics", "GET", "/open-data/2026-03").status == 503, 10)
        assert "ulaşılamıyor" in read(stack, "2026-03?lang=tr", 503).text
    finally:
        stack.sql("grant select on turunc.ticket to turunc_metrics")
    stack.wait(lambda: stack.http("metrics", "GET", "/open-data/2026-03").status == 200, 10)


class Municipality:
    """The worked one, of which a subject becomes one of a special category."""

    def __init__(self, stack):
        self.stack, self.folder = stack, stack.path("other")
        shutil.copytree(CONFIG, self.folder)

    def apply(self, subject, mark):
        """The department's name is how the board tells that the catalogue has come."""
        for name, line, becomes in (("subjects.csv", rf"(?m)^({subject},.*),yes,no,(\w+)$", r"\1,no,yes,\2"),
                                    ("departments.csv", r"(?m)^temizlik,[^,]*,", f"temizlik,{mark},")):
            with open(os.path.join(CONFIG, name), encoding="utf-8") as file:
                text, count = re.subn(line, becomes, file.read())
            assert count == 1, name
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        self.stack.masa("config", "apply", self.folder)


def test_a_subject_that_becomes_special_is_published_no_more(stack, march):
    """Neither out of what is held, nor out of what was being read meanwhile."""
    municipality = Municipality(stack)
    march.add("cop-alinmadi", "guzeloba", 6, arrived_us=MARCH_US - 57 * 24 * HOUR_US)
    stack.restart("metrics", env={"TURUNC_OPEN_DATA_KEPT": "1h"})
    stack.wait(lambda: stack.http("metrics", "GET", "/open-data/2026-03/requests.csv").status == 200, 10)
    assert "cadde-supurme" in {line["service_code"] for line in requests(stack)}
    municipality.apply("cadde-supurme", "Birinci")
    stack.wait(lambda: "cadde-supurme" not in read(stack, "2026-03/requests.csv").text, 10, "it is gone from what is held")

    readings = stack.metric("metrics", "turunc_metrics_open_data_readings_total")
    with contextlib.closing(psycopg2.connect(stack.conninfo())) as other, \
            socket.create_connection(("127.0.0.1", stack.port["metrics_http"]), timeout=30) as asked:
        other.cursor().execute("lock table turunc.ticket in access exclusive mode")
        asked.sendall(b"GET /open-data/2026-01/requests.csv HTTP/1.1\r\nHost: localhost\r\n\r\n")
        stack.wait(lambda: stack.one("select count(*) from pg_stat_activity where usename = 'turunc_metrics' "
                                     "and wait_event_type = 'Lock'") == 1, 10, "the reading waits")
        municipality.apply("cop-alinmadi", "Yenisi")
        stack.wait(lambda: "Yenisi" in stack.http("metrics", "GET", "/live/state.json").text, 10)
        other.rollback()
        stack.wait(lambda: "read anew, under another catalogue month=202601" in stack.log("metrics"), 10)
    assert stack.metric("metrics", "turunc_metrics_open_data_readings_total") == readings
