"""The months' reports over HTTP, of figures that were put into the record."""
import io
import json
import re
import xml.etree.ElementTree as tree
import zipfile

import pytest

import report_month
from stack import Stack
from standing_clock import StandingClock

MAY_US = 1_777_712_400_000_000  # 2026-05-02 12:00 in Istanbul
APRIL_7_US = 1_775_509_200_000_000
STREET = {"headers": {"X-Forwarded-For": "203.0.113.9"}}
SHEET = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    clock = StandingClock(str(tmp_path_factory.mktemp("clock") / "clock"), MAY_US)
    shared = {"TURUNC_CLOCK_FILE": clock.path}
    with Stack(services=["router", "metrics"], env={"router": shared, "metrics": shared}) as made:
        made.start()
        settled(made)
        yield made


def settled(stack):
    """Whoever counts the log has come to its end, and leaves alone what is put there now."""
    stack.wait(lambda: stack.http("metrics", "GET", "/reports/").status == 200, 20, "the list of months")
    if stack.sql("select from turunc.consumer_cursor where client = '' and name = 'figures'"):
        stack.wait(lambda: stack.one("""select c.seq = (select coalesce(max(last_seq), 0) from turunc.log_batch)
            from turunc.consumer_cursor c where c.client = '' and c.name = 'figures'"""), 20, "the log is counted")


@pytest.fixture(scope="module")
def march(stack):
    now = report_month.figures()
    report_month.put(stack, {202503: report_month.figures(0.97, 5), 202602: report_month.figures(0.96, 6), 202603: now},
                     MAY_US, [(202603, 1, 3, APRIL_7_US, {}),
                              (202603, 2, 4, APRIL_7_US + 86_400_000_000,
                               {"calls.answered": (21218, 21219), "tickets.subject.cop-alinmadi": (5, 7)})])
    return now


def read(stack, path, status=200, **more):
    answer = stack.http("metrics", "GET", f"/reports/{path}", **more)
    assert answer.status == status, (path, answer.status, answer.text[:300])
    return answer


def test_months_are_listed(stack, march):
    text = read(stack, "?lang=tr").text
    assert "Mart 2026" in text and "2. yayım" in text and "Nisan 2026" in text and "sürüyor" in text
    text = read(stack, "?lang=en").text
    assert "March 2026" in text and "revision 2" in text and "March 2025" in text
    assert text.index("May 2026") < text.index("March 2026") < text.index("March 2025"), "newest first"


@pytest.mark.parametrize("path", ["2025-02", "2026-06", "2026-13", "x", "2026-03.pdf", "2026-03.", "1970-01.csv",
                                  "9999-12.xlsx", "files/none.js", "2025-02/press"])
def test_what_is_not_there(stack, march, path):
    read(stack, path, 404)


@pytest.mark.parametrize("path, leads", [("2025-02", "/reports/2025-02?lang=en"), ("2025-02/press", "/reports/2025-02/press?lang=en"),
                                         ("2026-13", "/reports/2026-13?lang=en"), ("%22x%3C", "/reports/?lang=en")])
def test_people_are_told_in_their_language(stack, march, path, leads):
    turkish, english = (read(stack, f"{path}?lang={lang}", 404).text for lang in ("tr", "en"))
    assert "Bu ayın raporu yok" in turkish and 'href="/reports/?lang=tr"' in turkish and f'href="{leads}"' in turkish
    assert "There is no report of that month" in english and 'lang="en"' in english and "x<" not in english


@pytest.mark.parametrize("path", ["", "2026-03", "2026-03.json", "2026-03.csv", "2026-03.xlsx", "2026-03/press",
                                  "2026-03/press.txt"])
def test_shown_to_whom_the_board_is(stack, march, path):
    read(stack, path, 403, **STREET)


def test_the_page_says_what_is_counted(stack, march):
    text = read(stack, "2026-03?lang=tr").text
    for words in ("Mart 2026 raporu", "21.219", "11.651", "Şubat 2026", "Mart 2025", "%95,3", "Raporun biçimleri",
                  "Yanıtlanan çağrılardan, sonucu", "Balbey", "21.218 → 21.219"):
        assert words in text, words
    english = read(stack, "2026-03?lang=en").text
    for words in ("Report of March 2026", "21,219", "95.3%", "Calls answered", "February 2026", "21,218 → 21,219"):
        assert words in english, words
    assert "style=" not in text and "<script>" not in text


def test_json_is_the_canonical_form(stack, march):
    answer = read(stack, "2026-03.json")
    found = json.loads(answer.body)
    assert answer.body == read(stack, "2026-03.json").body and answer.body.endswith(b"\n")
    head = stack.sql("select last_seq, encode(hash, 'hex') from turunc.log_batch order by last_seq desc limit 1")[0]
    assert head[1] in answer.text and str(head[0]) in answer.text
    values = json.dumps(found)
    for name in ("calls.answered", "tickets.subject.cop-alinmadi", "ladder.satisfied"):
        assert f'"{name}": {march[name]}' in values, name


def test_csv_opens_in_a_spreadsheet(stack, march):
    answer = read(stack, "2026-03.csv?lang=tr")
    assert answer.body[:3] == b"\xef\xbb\xbf" and 'filename="turunc-2026-03.csv"' in answer.headers["Content-Disposition"]
    lines = {line.split(";")[1]: line.split(";") for line in answer.text.split("\r\n") if line.count(";") > 4}
    assert lines["calls.answered"][4:7] == ["21219", "20370", "20582"]
    assert lines["tickets.subject.cop-alinmadi"][2] == "Çöp toplanmadı"
    assert lines["calls.answered.w1.h9"][4] == str(march["calls.answered.w1.h9"])


def cells(book, number):
    """A sheet's cells by their address."""
    strings = ["".join(node.itertext()) for node in tree.fromstring(book.read("xl/sharedStrings.xml"))]
    found = {}
    for cell in tree.fromstring(book.read(f"xl/worksheets/sheet{number}.xml")).iterfind(".//s:c", SHEET):
        value = cell.find("s:v", SHEET)
        if value is not None:
            found[cell.get("r")] = strings[int(value.text)] if cell.get("t") == "s" else float(value.text)
    return found


def test_the_workbook_holds_numbers(stack, march):
    answer = read(stack, "2026-03.xlsx?lang=tr")
    assert answer.body == read(stack, "2026-03.xlsx?lang=tr").body, "the same bytes"
    book = zipfile.ZipFile(io.BytesIO(answer.body))
    assert book.testzip() is None
    names = [sheet.get("name") for sheet in tree.fromstring(book.read("xl/workbook.xml")).iterfind(".//s:sheet", SHEET)]
    assert names[0] == "Özet" and names[-1] == "Tanımlar" and "Mahalleler" in names
    summary = cells(book, 1)
    row = next(re.sub(r"\D", "", place) for place, value in summary.items() if value == "Yanıtlanan çağrı")
    assert summary["B" + row] == 21219 and summary["C" + row] == 20370
    hours = cells(book, names.index("Yanıtlanan saatler") + 1)
    assert hours["K2"] == march["calls.answered.w1.h9"]
    definitions = cells(book, len(names))
    assert any("Calls that the exchange put into a queue" in str(value) for value in definitions.values())


def test_the_press_sheet(stack, march):
    text = read(stack, "2026-03/press.txt").text
    assert "2026 yılı Mart ayında 21.219 çağrıyı yanıtladı" in text and "TASLAK" not in text
    assert "Evde sağlık" not in text and "Hasta nakil" not in text, "special categories are not named"
    assert "2. yayımıdır" in text
    page = read(stack, "2026-03/press?lang=en").text
    assert "21.219’u yanıtlandı" in page and '<article class="press" lang="tr">' in page


def test_a_month_that_goes_on_says_so(stack, march):
    assert "Ay sürüyor" in read(stack, "2026-05?lang=tr").text
    assert "TASLAK" in read(stack, "2026-05/press.txt").text


END_US = "(select committed_at_us from turunc.event_log order by seq desc limit 1)"
ALL = ("", "2026-03", "2026-03.json", "2026-03.csv", "2026-03.xlsx", "2026-03/press", "2026-03/press.txt")


@pytest.mark.parametrize("part", ["fold_version = fold_version - 1", "seq = seq - 10001",
                                  f"seq = seq - 1, at_us = {END_US} - 90000000000"])
def test_a_count_that_is_far_behind_is_no_report(stack, march, part):
    """Counted by another program, more than 10,000 records to go, more than a day of the log to go."""
    was = stack.sql("select fold_version, seq, at_us from turunc.month_state")[0]
    stack.sql(f"update turunc.month_state set {part}")
    before = stack.metric("metrics", "turunc_metrics_reports_behind_total")
    try:
        for path in ALL:
            answer = read(stack, path + "?lang=tr", 503)
            assert answer.headers["Retry-After"] == "5", path
            if path in ("", "2026-03", "2026-03/press"):
                assert "yeniden sayılıyor" in answer.text and "TASLAK" not in answer.text, path
                assert "counted anew" in read(stack, path + "?lang=en", 503).text, path
            else:
                assert "counted anew" in answer.text, path
    finally:
        stack.sql("update turunc.month_state set fold_version = %s, seq = %s, at_us = %s", *was)
    assert stack.metric("metrics", "turunc_metrics_reports_behind_total") == before + len(ALL) + 3
    for path in ALL:
        read(stack, path)


def test_a_count_that_is_a_little_behind_is_one(stack, march):
    was = stack.sql("select seq, at_us from turunc.month_state")[0]
    stack.sql(f"update turunc.month_state set seq = seq - 9000, at_us = {END_US} - 3600000000")
    try:
        for path in ALL:
            read(stack, path)
    finally:
        stack.sql("update turunc.month_state set seq = %s, at_us = %s", *was)


def test_names_and_populations_are_those_of_the_months(stack, march):
    """Of the configuration as it was at the last record counted, whatever is in force."""
    assert json.loads(read(stack, "2026-03.json").body)["figures"]["inhabitants.balbey"] == 988
    stack.sql("""insert into turunc.config_version (digest, applied_us, applied_by)
        select digest, applied_us, applied_by from turunc.config_version where version = 1""")
    other = stack.one("select max(version) from turunc.config_version")
    stack.sql("""insert into turunc.config_file (version, name, content) select %s, name, convert_to(replace(
        convert_from(content, 'UTF8'), 'Balbey', 'Bambaşka'), 'UTF8') from turunc.config_file where version = 1""", other)
    assert other != 1 and "Bambaşka" not in read(stack, "2026-03?lang=tr").text
    try:
        stack.sql("update turunc.month_state set config_version = %s", other)
        text = read(stack, "2026-03?lang=tr").text
        assert "Bambaşka" in text and "Balbey" not in text
        stack.sql("update turunc.month_state set config_version = 0")
        assert "inhabitants.balbey" not in json.loads(read(stack, "2026-03.json").body)["figures"]
        stack.sql("update turunc.month_state set config_version = %s", other + 1)
        read(stack, "2026-03", 503)
    finally:
        stack.sql("update turunc.month_state set config_version = 1")
    assert "Balbey" in read(stack, "2026-03?lang=tr").text


def test_the_record_is_away(stack, march):
    away = stack.metric("metrics", "turunc_metrics_reports_away_total")
    stack.sql("revoke select on turunc.month_cell from turunc_metrics")
    try:
        assert "Retry-After" in read(stack, "2026-03", 503).headers
        assert "ulaşılamıyor" in read(stack, "2026-03?lang=tr", 503).text
        assert read(stack, "2026-03.json", 503).text == "The record cannot be reached at the moment.\n"
    finally:
        stack.sql("grant select on turunc.month_cell to turunc_metrics")
    read(stack, "2026-03")
    assert stack.metric("metrics", "turunc_metrics_reports_away_total") == away + 3
