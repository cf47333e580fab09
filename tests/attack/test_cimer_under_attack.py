"""The folder of CİMER's applications, attacked by whoever may write there: workbooks made to be costly, files that
reach for others, names that write into logs, cells that a spreadsheet would run."""
import contextlib
import csv
import os

import pytest

import sheets
from attack_world import citizen, honest_clients, under_attack
from process import wait_until
from sheets import application, csv_text, days_ago, workbook
from stack import Stack

SECRET = "gizli-parola-4711"


@pytest.fixture(scope="module")
def stack():
    with Stack(services=("intake", "router"), env={"intake": {
            "TURUNC_INTAKE_ADDRESS_PER_MINUTE": "0", "TURUNC_CIMER_DIR": "cimer", "TURUNC_CIMER_LOOK": "50ms",
            "TURUNC_CIMER_SETTLE": "50ms"}}) as made:
        os.mkdir(made.path("cimer"))
        made.start()
        honest_clients(made)
        yield made


def put(stack, name, data):
    data = data.encode() if isinstance(data, str) else data
    draft = stack.path("cimer", ".draft")
    with open(draft, "wb") as file:
        file.write(data)
    os.rename(draft, stack.path("cimer", name))


def put_away(stack, name):
    """done or rejected, when it is one of them."""
    for place in ("done", "rejected"):
        if os.path.exists(stack.path("cimer", place, name)):
            return place
    return None


def applications(stack):
    return stack.one("select count(*) from turunc.cimer_application")


def costly():
    """name -> bytes: each keeps a careless reader busy, or fills its memory."""
    close = "</sheetData></worksheet>"
    attributes = " ".join(f'a{i}="x"' for i in range(60_000))
    ends = " ".join(f'a{i}=">"' for i in range(60_000))
    parts = {
        "open-tag": sheets.SHEET + "<row " + "a" * 3_000_000,
        "open-comment": sheets.SHEET + "<!--" + "-a" * 1_500_000,
        "attributes": sheets.SHEET + f"<row {attributes}/>" + close,
        "attributes-with-ends": sheets.SHEET + f"<row {ends}/>" + close,
        "deep": sheets.SHEET + "<a>" * 200_000,
        "names": sheets.SHEET + "".join(f"<n{i}/>" for i in range(150_000)) + close,
        "namespaces": sheets.SHEET + "".join(f'<x xmlns:p{i}="u{i}">' for i in range(250)) * 200,
        "empty-rows": sheets.SHEET + "<row/>" * 800_000 + close,
        "empty-cells": sheets.SHEET + "<row>" + "<c/>" * 800_000 + "</row>" + close,
        "texts": sheets.SHEET + "<row><c><v>" + "<![CDATA[1]]>" * 200_000 + "</v></c></row>" + close,
    }
    made = {f"{name}.xlsx": workbook([text]) for name, text in parts.items()}
    made["strings.xlsx"] = workbook([sheets.SHEET + close], "<sst>" + "<si/>" * 2_000_000 + "</sst>")
    made["sheets.xlsx"] = workbook([sheets.SHEET + close] * 70)
    made["quotes.csv"] = csv_text([]) + '"' * 1_000_001
    made["lines.csv"] = "\n" * 1_000_000
    made["separators.csv"] = ";" * 1_000_000
    return made


def test_files_made_to_be_costly(stack):
    files = costly()
    with under_attack(stack, "costly files at CİMER's folder", by=[citizen(stack, "intake")], grows_mib=48) as said:
        for name, data in files.items():
            said["attempts"] += 1
            put(stack, name, data)
        wait_until(lambda: all(put_away(stack, name) for name in files), 90, "all are put away")
        said["accepted"] = sum(put_away(stack, name) == "done" for name in files)
    assert applications(stack) == 0


def test_files_that_reach_for_others(stack):
    """Links, archives with paths that lead out, and files swapped while they wait: nothing else is read or moved."""
    outside = stack.path("outside.csv")
    text = csv_text([application(SECRET, days_ago(1))])
    with open(outside, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    with under_attack(stack, "reaching out of CİMER's folder", by=[citizen(stack, "intake")]) as said:
        os.symlink(outside, stack.path("cimer", "baglanti.csv"))
        os.symlink(stack.folder, stack.path("cimer", "klasor"))
        os.mkfifo(stack.path("cimer", "boru.csv"))
        sheet = sheets.sheet_xml([sheets.HEADER])
        put(stack, "yol.xlsx", workbook([sheet], extra=[("../../../outside.csv", "x"), ("/etc/cron.d/x", "x")]))
        put(stack, "hedef.xlsx", workbook([sheet], target="../../../../outside.csv"))
        said["attempts"] += 5
        for turn in range(20):
            said["attempts"] += 1
            name = stack.path("cimer", f"takas{turn}.csv")
            put(stack, f"takas{turn}.csv", "x;y\n")
            with contextlib.suppress(FileNotFoundError):  # it may be put away already
                os.unlink(name)
            os.symlink(outside, name)
        wait_until(lambda: put_away(stack, "yol.xlsx") and put_away(stack, "hedef.xlsx"), 30, "they are put away")
        said["accepted"] = applications(stack)
    with open(outside, encoding="utf-8", newline="") as file:
        assert file.read() == text
    assert os.path.islink(stack.path("cimer", "baglanti.csv")) and SECRET not in stack.log("intake")


def test_names_and_cells_that_mean_more_than_text(stack):
    """A name cannot begin a line of the log; what is put beside a file holds no formula and nobody's words."""
    with under_attack(stack, "names and cells at CİMER's folder", by=[citizen(stack, "intake")]) as said:
        names = ["a\n2026-01-01T00:00:00Z error intake forged", "b\x1b[2J", "-rf", "$(id)", "c;d", "ş" * 120, "x" * 250]
        for name in names:
            said["attempts"] += 1
            put(stack, name, "hiç;bir\nşey;yok\n")
        formula = "=HYPERLINK(\"http://kotu.example\")"
        put(stack, "formul.csv", csv_text([application(formula, days_ago(1), "=1+1", name=SECRET),
                                           application("@SUM(1)", "=1", "=1+1", name=SECRET)]))
        wait_until(lambda: len(os.listdir(stack.path("cimer", "rejected"))) and not [
            n for n in os.listdir(stack.path("cimer")) if n in names or n == "formul.csv"], 30, "all are put away")
        said["accepted"] = applications(stack)
        with open(stack.path("cimer", "rejected", "formul.csv.errors.csv"), encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file, delimiter=";"))
        assert len(rows) == 3 and SECRET not in str(rows)
        put(stack, "formul2.csv", csv_text([application(formula, days_ago(1), name=SECRET)]))
        wait_until(lambda: put_away(stack, "formul2.csv") == "done", 20, "a reference may look like one")
        with open(stack.path("cimer", "done", "formul2.csv.tickets.csv"), encoding="utf-8-sig", newline="") as file:
            assert list(csv.reader(file, delimiter=";"))[1][1] == "'" + formula, "and is none beside it"
    log = stack.log("intake")
    assert "\x1b" not in log and SECRET not in log
    assert not [line for line in log.splitlines() if line.startswith("2026-01-01T00:00:00Z error")]
