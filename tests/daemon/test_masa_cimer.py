"""masa cimer: what is still to be answered, the answers as a list to key back, and that they were."""
import csv
import datetime
import json
import os
import re
import stat
import zipfile

import pytest

import turunc
from process import wait_until
from sheets import application, csv_text, days_ago, today
from stack import Stack


@pytest.fixture(scope="module")
def stack(request):
    made = Stack(services=["intake", "router"], env={"intake": {
        "TURUNC_CIMER_DIR": "cimer", "TURUNC_CIMER_LOOK": "50ms", "TURUNC_CIMER_SETTLE": "0s"}})
    os.mkdir(made.path("cimer"))
    made.start()
    made.day_of_late = today() - datetime.timedelta(days=29)
    with open(made.path("cimer", "liste.csv"), "w", encoding="utf-8") as file:
        file.write(csv_text([
            application("c-late", f"{made.day_of_late:%d.%m.%Y}", "Kaldırım", unit="90000001", kind="Şikayet"),
            application("c-soon", days_ago(20), "Çukur", unit="90000001", name="Adı", surname="Gizli"),
            application("c-new", days_ago(1), "Yol", unit="90000001")]))
    wait_until(lambda: made.one("select count(*) from turunc.ticket_state") == 3, 30, "they are routed")
    yield made
    made.keep = request.session.testsfailed > 0
    assert made.close()


@pytest.fixture(scope="module")
def fen(stack):
    with turunc.Client(stack.client("fen", verbs=("command",), departments=("fen",))) as client:
        yield client


def number(stack, reference):
    listed = {row["reference"]: row for row in stack_json(stack, "cimer", "list")}
    return listed[reference]["ticket"]


def add(stack, reference):
    with open(stack.path("cimer", f".{reference}"), "w", encoding="utf-8") as file:
        file.write(csv_text([application(reference, days_ago(3), unit="90000001")]))
    os.rename(stack.path("cimer", f".{reference}"), stack.path("cimer", f"{reference}.csv"))
    wait_until(lambda: stack.sql("""select 1 from turunc.ticket_state join turunc.cimer_application using (ticket_id)
        where reference = %s and status = 3""", reference), 30, "it is routed")
    return number(stack, reference)


def stack_json(stack, *words):
    return json.loads(stack.masa(*words, "--json"))


def answers(stack, name, *words):
    path = stack.path(name)
    told = stack_json(stack, "cimer", "answers", "--out", path, *words)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert told == {"file": path, "answers": len(rows)}
    return {row["Başvuru No"]: row for row in rows}


def test_what_waits_is_listed_the_most_urgent_first(stack):
    listed = stack_json(stack, "cimer", "list")
    assert [row["reference"] for row in listed] == ["c-late", "c-soon", "c-new"]
    assert [row["answered"] for row in listed] == [False] * 3
    assert [row["reference"] for row in stack_json(stack, "cimer", "list", "--due", "12")] == ["c-late", "c-soon"]
    assert stack.masa("cimer", "list", "--due", "soon", check=False).returncode == 2


def test_answers_go_out_until_they_were_keyed(stack, fen):
    assert answers(stack, "none.csv") == {}
    late, soon = number(stack, "c-late"), number(stack, "c-soon")
    fen.command(late, "accept", 2)
    fen.command(late, "answer", 3, text="=Kaldırım; \"onarıldı\"\nTeşekkürler")
    fen.command(soon, "accept", 2)
    fen.command(soon, "resolve", 3, reason_code="yapildi", text="Asfaltlandı")
    out = answers(stack, "first.csv")
    assert set(out) == {"c-late", "c-soon"}
    row = out["c-late"]
    day = stack.day_of_late
    assert row["Kayıt No"] == late and row["Tür"] == "Şikayet" and row["Birim Kodu"] == "90000001"
    assert row["Başvuru Tarihi"] == f"{day:%d.%m.%Y} 00:00"
    assert row["Son Gün"] == f"{day + datetime.timedelta(days=30):%d.%m.%Y}", "the last day, not the one after"
    assert row["Cevap"] == "'=Kaldırım; \"onarıldı\"\nTeşekkürler", "a spreadsheet takes it for no formula"
    assert re.fullmatch(r"c-late@\d+", row["masa cimer keyed"])
    assert out["c-soon"]["Durum"] == "Çözüldü" and out["c-soon"]["Cevap"] == "Asfaltlandı"
    assert "Gizli" not in str(out), "an answer needs no name"

    again = stack.masa("cimer", "answers", "--out", stack.path("first.csv"), check=False)
    assert again.returncode == 5, "a file that is there is not written over"
    stack.masa("cimer", "keyed", row["masa cimer keyed"], "--dry-run")
    assert set(answers(stack, "second.csv")) == {"c-late", "c-soon"}
    stack.masa("cimer", "keyed", row["masa cimer keyed"], out["c-soon"]["masa cimer keyed"])
    assert answers(stack, "third.csv") == {}
    assert set(answers(stack, "all.csv", "--all")) == {"c-late", "c-soon"}
    assert [r["reference"] for r in stack_json(stack, "cimer", "list")] == ["c-new"]
    keyed_by = stack.one("select keyed_by from turunc.cimer_application where reference = 'c-late'")
    assert keyed_by.startswith("user:")
    # Another answer is another thing to key, and keying the first again does not key it.
    fen.command(late, "answer", 4, text="Ek bilgi")
    stack.masa("cimer", "keyed", row["masa cimer keyed"])
    assert answers(stack, "fourth.csv")["c-late"]["Cevap"] == "Ek bilgi"


def record(stack, reference):
    return str(stack.one("select answer_seq from turunc.cimer_answer where reference = %s", reference))


def test_keyed_is_all_or_none(stack):
    before = stack.sql("select * from turunc.cimer_application order by 1")
    for words, code in ((["c-new@1", "nobody@1"], 3), (["c-new@1", "c-new"], 3), (["c-new"], 2), (["c-new@x"], 2),
                        (["@1"], 2), (["c-new@999999999"], 3), (["c-late@999999999"], 3),
                        (["c-late@" + record(stack, "c-soon")], 3)):
        assert stack.masa("cimer", "keyed", *words, check=False).returncode == code, words
    assert stack.sql("select * from turunc.cimer_application order by 1") == before


def test_a_workbook_holds_the_same(stack):
    path = stack.path("cevaplar.xlsx")
    stack.masa("cimer", "answers", "--out", path, "--all")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    with zipfile.ZipFile(path) as book:
        assert book.testzip() is None
        texts = book.read("xl/sharedStrings.xml").decode()
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    for text in ("Başvuru No", "c-late", "Ek bilgi", "Asfaltlandı", "Çözüldü"):
        assert f"<t>{text}</t>" in texts
    assert "<f>" not in sheet
    assert stack.masa("cimer", "answers", "--out", stack.path("x.pdf"), check=False).returncode == 2
    nowhere = stack.masa("cimer", "answers", "--out", "/nowhere/x.xlsx", check=False)
    assert nowhere.returncode == 1 and "nowhere" in nowhere.stderr


def test_looking_at_answers_of_a_special_subject_is_noted(stack, fen):
    operator = turunc.Client(stack.client("operator", verbs=("command",)))
    reference = number(stack, "c-new")
    operator.command(reference, "triage", 2, reason_code="not_ours")
    operator.command(reference, "route", 3, department="fen", subject_code="evde-saglik")
    operator.command(reference, "answer", 4, text="Gidildi")
    operator.close()
    before = stack.one("select count(*) from turunc.event_log where type = 'ticket.viewed'")
    assert "c-new" in answers(stack, "special.csv")
    assert stack.one("select count(*) from turunc.event_log where type = 'ticket.viewed'") == before + 1


def keyed(stack, out, reference):
    stack.masa("cimer", "keyed", out[reference]["masa cimer keyed"])


def test_an_end_without_words_and_the_next_after_reopening_are_two(stack, fen):
    operator = turunc.Client(stack.client("operator-ends", verbs=("command",)))
    ends = add(stack, "c-ends")
    fen.command(ends, "accept", 2)
    fen.command(ends, "resolve", 3, reason_code="yapildi")
    out = answers(stack, "ends-1.csv")
    assert out["c-ends"]["Cevap"] == ""
    keyed(stack, out, "c-ends")
    assert "c-ends" not in answers(stack, "ends-2.csv")
    operator.command(ends, "reopen", 4, reason_code="yetersiz")
    fen.command(ends, "reject", 5, reason_code="asilsiz")
    assert answers(stack, "ends-3.csv")["c-ends"]["Durum"] == "Reddedildi"
    assert "c-ends" in [row["reference"] for row in stack_json(stack, "cimer", "list")]
    keyed(stack, answers(stack, "ends-4.csv"), "c-ends")
    assert "c-ends" not in answers(stack, "ends-5.csv")
    operator.close()


def test_a_joined_application_waits_for_the_others_answer(stack, fen):
    """Also when its own was keyed at a higher version than the other's answer has."""
    operator = turunc.Client(stack.client("operator-joins", verbs=("command",)))
    own, other = add(stack, "c-joined"), add(stack, "c-primary")
    fen.command(other, "answer", 2, text="Ortak cevap")
    fen.command(own, "accept", 2)
    fen.command(own, "answer", 3, text="Kendi cevabı")
    keyed(stack, answers(stack, "joined-1.csv"), "c-joined")
    operator.command(own, "join", 4, primary=other)
    out = answers(stack, "joined-2.csv")
    assert out["c-joined"]["Cevap"] == "Ortak cevap"
    keyed(stack, out, "c-joined")
    assert "c-joined" not in answers(stack, "joined-3.csv")
    operator.close()
