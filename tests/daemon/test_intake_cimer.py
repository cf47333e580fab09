"""Files of CİMER's applications: what is taken, what is not, and what survives a kill."""
import contextlib
import csv
import datetime
import os
import re
import signal
import time
import zipfile

import pytest

import sheets
from cimer_world import World
from people import Browser
from process import wait_until
from servers import BUILD
from sheets import application, book_of, csv_text, days_ago, today

DAY_US = 86400 * 10**6


@pytest.fixture(scope="module")
def world(request):
    made = World().open()
    yield made
    made.stack.keep = request.session.testsfailed > 0
    assert made.stack.close()


def istanbul_us(*when):
    return int(datetime.datetime(*when, tzinfo=datetime.timezone(datetime.timedelta(hours=3))).timestamp()) * 10**6


def test_a_file_becomes_tickets_with_the_clock_of_its_own_date(world):
    day = today() - datetime.timedelta(days=12)
    rows = [application("2600001", f"{day:%d.%m.%Y} 14:05", phone="0532 123 45 67", email="a@example.org",
                        address="1964 Sok. No 3", neighbourhood="Fener Mahallesi", unit="90000003"),
            application("2600002", f"{day:%d.%m.%Y}", kind="BİLGİ EDİNME", phone="dahili 12", text="Kaç ağaç?"),
            application("2600003", f"{day:%d.%m.%Y}", unit="12345678")]
    place, report = world.take("Muratpaşa Belediyesi;CİMER listesi\r\n\r\n" + csv_text(rows))
    assert place == "done", report
    assert [row[1] for row in report] == ["2600001", "2600002", "2600003"]
    assert all(re.fullmatch(r"\d\d-\d{7}-\d", row[2]) for row in report)
    assert {row[4] for row in report} == {"Opened."}
    _, arrived, basis, subject, channel, name, phone, email, text, address, place, public = world.ticket("2600001")
    assert arrived == istanbul_us(day.year, day.month, day.day, 14, 5)
    assert (subject, channel, name, phone, email) == ("diger", 5, "Ayşe Yılmaz", "+905321234567", "a@example.org")
    assert (text, address, place, public) == (rows[0][4], "1964 Sok. No 3", "fener", False)
    information = world.ticket("2600002")
    assert information[1] == istanbul_us(day.year, day.month, day.day)
    assert information[3] == "bilgi-edinme" and information[6] is None
    assert information[8] == "Kaç ağaç?\n\nTelefon: dahili 12"

    def routed(reference):
        return world.stack.sql("""select s.department, s.legal_due_us from turunc.cimer_application a join
            turunc.ticket_state s using (ticket_id) where a.reference = %s""", reference)
    wait_until(lambda: len(routed("2600003")) == 1, 20, "the last was routed")
    department, due = routed("2600001")[0]
    assert department == "park", "its unit code is a department's"
    end = day + datetime.timedelta(days=31)
    assert due == istanbul_us(end.year, end.month, end.day), "thirty days after its own date"
    assert routed("2600003")[0][0] == "yazi", "by the rules"
    assert routed("2600002")[0][1] != due, "working days"
    assert basis == 1 and information[2] == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "windows-1254"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_csv_as_programs_here_save_it(world, encoding, separator):
    reference = f"e-{encoding}-{ord(separator)}"
    text = 'Ç ğ ı İ ö Ş ü; "tırnak", virgül\r\nikinci satır'
    place, report = world.take(csv_text([application(reference, days_ago(2), text)], separator).encode(encoding))
    assert place == "done", report
    assert world.ticket(reference)[8] == text.replace("\r\n", "\n")


@pytest.mark.parametrize("shared", [True, False])
def test_a_workbook(world, shared):
    day = today() - datetime.timedelta(days=5)
    serial = (day - datetime.date(1899, 12, 30)).days
    rows = [application(f"x-{shared}", serial + 0.5, "Birinci\nikinci _x000D_ satır & <işaret>"),
            application(26000040 + shared, days_ago(3), unit=90000001)]
    place, report = world.take(book_of(rows, shared), "xlsx")
    assert place == "done", report
    assert world.ticket(f"x-{shared}")[1] == istanbul_us(day.year, day.month, day.day, 12)
    assert world.ticket(f"x-{shared}")[8] == "Birinci\nikinci \n satır & <işaret>"
    assert world.ticket(str(26000040 + shared)) is not None
    assert report[0][0] == "2"


def test_days_from_1904(world):
    day = today() - datetime.timedelta(days=9)
    serial = (day - datetime.date(1904, 1, 1)).days
    place, report = world.take(book_of([application("x-1904", serial)], from_1904=True), "xlsx")
    assert place == "done", report
    assert world.ticket("x-1904")[1] == istanbul_us(day.year, day.month, day.day)


def test_a_reference_seen_again_is_one_ticket(world):
    first = csv_text([application("again-1", days_ago(4)), application("again-2", days_ago(4))])
    _, report = world.take(first)
    numbers = [row[2] for row in report]
    before = world.tickets()
    place, report = world.take(first)
    assert (place, [row[2] for row in report]) == ("done", numbers)
    assert {row[4] for row in report} == {"Taken before."}
    changed = csv_text([application("again-1", days_ago(4), "Başka metin"),
                        application("again-3", days_ago(4)), application("again-3", days_ago(4))])
    place, report = world.take(changed)
    assert place == "done"
    assert [row[4][:12] for row in report] == ["Taken before", "Opened.", "Taken before"]
    assert report[0][2] == numbers[0] and report[1][2] == report[2][2]
    assert "other content" in report[0][4]
    assert world.tickets() == before + 1
    assert world.ticket("again-1")[8] == "Yol bozuk, ŞİĞÜÇÖ ışığı yanmıyor"


def test_a_wrong_row_keeps_the_whole_file_out(world):
    before = world.tickets()
    ahead = days_ago(-3)
    rows = [application("w-1", days_ago(1)), application("", days_ago(1)), application("w-3", "31.02.2026"),
            application("1,23457E+11", days_ago(1)), application("w-5", ahead), application("w-6", days_ago(500)),
            application("w-7", days_ago(1), ""), application("w-8", days_ago(1), unit="123"),
            application("w-9", days_ago(1), "x" * 8001)]
    place, report = world.take(csv_text(rows))
    assert place == "rejected"
    assert "nothing of the file was taken" in report[0][4]
    assert [(row[0], row[3]) for row in report[1:]] == [
        ("3", "reference"), ("4", "date"), ("5", "reference"), ("6", "date"), ("7", "date"), ("8", "text"),
        ("9", "unit"), ("10", "text")]
    assert world.tickets() == before
    assert world.ticket("w-1") is None
    place, _ = world.take(csv_text(rows[:1]))
    assert place == "done" and world.tickets() == before + 1, "mended, it is taken"


def bomb(megabytes):
    """A sheet of space between its rows."""
    yield sheets.SHEET
    for _ in range(megabytes):
        yield b" " * 2**20


def long_cell(megabytes):
    yield sheets.SHEET + '<row><c t="inlineStr"><is><t>'
    for _ in range(megabytes):
        yield b" " * 2**20


def a_million_rows(count=1_000_000):
    yield sheets.sheet_xml([sheets.HEADER])[:-len("</sheetData></worksheet>")]
    cells = "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>'
                    for text in application("SIRA", days_ago(1)) if text)
    row = f"<row>{cells}</row>"
    for at in range(0, count, 1000):
        yield "".join(row.replace("SIRA", f"m{at + i}") for i in range(1000))
    yield "</sheetData></worksheet>"


def many_strings(megabytes):
    yield "<sst>"
    for i in range(megabytes):
        yield f"<si><t>{i}{'a' * 2**20}</t></si>"


def a_few_strings():
    """Small, and some seconds' work."""
    yield "<sst>"
    for _ in range(200):
        yield "<si><t>a</t></si>" * 5000
    yield "</sst>"


def many_parts():
    return [(f"xl/{i}", b"") for i in range(1001)]


ENTITIES = ('<!DOCTYPE x [<!ENTITY a "aaaaaaaaaaaaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
            '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>')
XXE = '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
SOUND = book_of([application("never", days_ago(1))])


def header_only():
    return sheets.sheet_xml([sheets.HEADER])


def wrong_files():
    """name -> (bytes, what the list beside it must say)"""
    sheet = sheets.sheet_xml([sheets.HEADER, application("never", days_ago(1))])
    return {
        "empty": (b"", "empty"),
        "no header": ("a;b;c\r\n1;2;3\r\n", "No header"),
        "header alone": (csv_text([]), "no application"),
        "two columns for one": (csv_text([], header=["Başvuru No", "Başvuru Numarası", "Tarih", "Metin"]),
                                "Two columns"),
        "old workbook": (b"\xd0\xcf\x11\xe0" + b"\0" * 600, ".xls"),
        "utf-16": (csv_text([application("never", days_ago(1))]).encode("utf-16"), "UTF-16"),
        "half of each encoding": (csv_text([application("never", days_ago(1))]).encode()
                                  + "Şçğ;\r\n".encode("windows-1254"), "neither UTF-8"),
        "nul": (csv_text([application("never", days_ago(1), "a\0b")]), "neither UTF-8"),
        "quote open": (csv_text([application("never", days_ago(1))]) + '"', "never closed"),
        "quote inside": (csv_text([]) + 'never;1.1.2026;a "b" c\r\n', "quote inside"),
        "long row": (csv_text([]) + "x" * 200000, "too long"),
        "many columns": (csv_text([]) + ";" * 300 + "x", "too many columns"),
        "cut workbook": (SOUND[:len(SOUND) // 2], "damaged"),
        "damaged workbook": (SOUND.replace(b"xl/worksheets", b"xl/Worksheets"), "no XLSX"),
        "not a workbook": (workbook_without("xl/workbook.xml"), "no XLSX"),
        "many parts": (sheets.workbook([sheet], extra=many_parts()), "more parts"),
        "other packing": (sheets.workbook([sheet], compression=zipfile.ZIP_BZIP2), "unknown way"),
        "entities": (sheets.workbook([ENTITIES + sheet]), "DOCTYPE"),
        "outside entity": (sheets.workbook([XXE + sheet.replace("never", "&f;")]), "DOCTYPE"),
        "xml cut off": (sheets.workbook([sheet[:-20]]), "inside of the workbook"),
        "string that is none": (sheets.workbook(
            [sheets.SHEET + '<row><c t="s"><v>7</v></c></row></sheetData></worksheet>']), "inside of the workbook"),
        "cell far out": (sheets.workbook(
            [sheets.SHEET + '<row><c r="XFD1"><v>7</v></c></row></sheetData></worksheet>']), "too many columns"),
        "formula error": (sheets.workbook(
            [sheets.SHEET + '<row><c t="e"><v>#REF!</v></c></row></sheetData></worksheet>']), "formula"),
        "second sheet": (sheets.workbook([sheet, sheet]), "Another sheet"),
        "bomb in a cell": (sheets.workbook([long_cell(20)]), "too long"),
        "too many rows": (csv_text([application(f"n{i}", days_ago(1), "x") for i in range(5001)]), "more rows"),
    }


def workbook_without(part):
    return SOUND.replace(part.encode(), part.replace("workbook", "w0rkbook").encode())


def test_what_is_wrong_is_said_and_nothing_is_kept(world):
    before = world.tickets()
    said = {}
    for name, (data, _) in wrong_files().items():
        world.put(f"{name}.bad", data.encode() if isinstance(data, str) else data)
    for name, (_, words) in wrong_files().items():
        assert world.settled(f"{name}.bad", 90) == "rejected", name
        report = world.report(f"{name}.bad")
        said[name] = report[0][4]
        assert words in report[0][4], (name, report)
        assert report[0][2] and report[0][2] != report[0][4], "in Turkish, too"
    assert world.tickets() == before
    assert world.stack.process["intake"].running()
    assert world.stack.metric("intake", 'turunc_intake_cimer_files_total{as="rejected"}') >= len(said)
    # An empty second sheet is what many programs add.
    place, report = world.take(sheets.workbook([sheets.sheet_xml([sheets.HEADER, application("two", days_ago(1))]),
                                                header_free()]), "xlsx")
    assert place == "done", report


def header_free():
    return sheets.sheet_xml([])


def sanitized():
    with open(os.path.join(BUILD, "CMakeCache.txt"), encoding="utf-8") as cache:
        return "TURUNC_SANITIZE:BOOL=ON" in cache.read()


def reader_status(world):
    """What the kernel says of the process that reads a workbook, {} while there is none."""
    service = world.stack.process["intake"].pid
    try:
        with open(f"/proc/{service}/task/{service}/children", encoding="ascii") as file:
            child = file.read().split()[0]
        with open(f"/proc/{child}/status", encoding="utf-8") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    except (OSError, IndexError):
        return {}


def memory(world, what):
    with open(f"/proc/{world.stack.process['intake'].pid}/status", encoding="ascii") as file:
        return int(re.search(rf"^{what}:\s+(\d+) kB", file.read(), re.M).group(1)) / 1024


def worked_s(world):
    """Processor time that intake's loop has had: what it was made to wait by others on the machine is no work of its own."""
    service = world.stack.process["intake"].pid
    with open(f"/proc/{service}/task/{service}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0]) / 1e9


def test_a_million_rows_and_bombs_take_little_memory(world):
    files = {"milyon.xlsx": sheets.workbook([a_million_rows()]), "bomba.xlsx": sheets.workbook([bomb(400)]),
             "metin.xlsx": sheets.workbook([header_free()], many_strings(200))}
    with open(f"/proc/{world.stack.process['intake'].pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")
    start = memory(world, "VmRSS")
    for name, data in files.items():
        world.put(name, data)
    slowest = reader = 0
    filters = set()
    while not all(world.where(name) == "rejected" for name in files):
        asked = worked_s(world)
        assert world.stack.http("intake", "GET", "/healthz").status == 200
        slowest = max(slowest, worked_s(world) - asked)
        status = reader_status(world)
        reader = max(reader, int(status.get("VmHWM", "0 kB").split()[0]) / 1024)
        filters.add(status.get("Seccomp"))
        time.sleep(0.01)
    for name, words in {"milyon.xlsx": "more rows", "bomba.xlsx": "unpacks to more",
                        "metin.xlsx": "texts of the workbook"}.items():
        assert words in world.report(name)[0][4]
    grown = memory(world, "VmHWM") - start
    sizes = {name: len(data) // 2**20 for name, data in files.items()}
    print(f"files of {sizes} MiB: {grown:.1f} MiB more at most, the reader {reader:.1f} MiB, most work before an answer "
          f"{slowest * 1000:.0f} ms")
    assert grown < (400 if sanitized() else 24), "the sanitizer keeps what was freed"
    assert "2" in filters and 0 < reader < (900 if sanitized() else 160)
    assert slowest < (4 if sanitized() else 1), "the loop goes on to others between the pieces of a file"


def test_a_workbook_whose_reader_is_killed_is_read_again(world):
    """It may have been for want of memory; five times over it is the file's own fault."""
    name = "durdurulan.xlsx"
    data = sheets.workbook([sheets.sheet_xml([sheets.HEADER, application("stopped-1", days_ago(1))])],
                           a_few_strings())
    killed = 0
    world.put(name, data)
    while (place := world.where(name)) != "rejected":
        assert place != "done", "no reader was seen in time"
        status = reader_status(world)
        if status.get("Seccomp") == "2":
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(status["Pid"]), signal.SIGKILL)
                killed += 1
        time.sleep(0.005)
    assert "to its end" in world.report(name)[0][4]
    assert killed >= 5 and world.ticket("stopped-1") is None
    place, _ = world.take(data, "xlsx")
    assert place == "done" and world.ticket("stopped-1") is not None


def test_a_file_being_written_is_left_until_it_is_whole(world):
    text = csv_text([application("slow-1", days_ago(1)), application("slow-2", days_ago(1))])
    half = len(text) * 3 // 4
    path = os.path.join(world.folder, "yavas.csv")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text[:half])
        file.flush()
        # Many looks, and longer than it takes for a file to count as whole: it is open.
        looked = world.stack.metric("intake", "turunc_intake_cimer_files_waiting")
        wait_until(lambda: world.stack.metric("intake", "turunc_intake_cimer_files_waiting") == 1, 10, "it was seen")
        place, _ = world.take(csv_text([application("meanwhile", days_ago(1))]))
        assert place == "done" and looked is not None
        assert world.where("yavas.csv") == "waiting" and world.ticket("slow-1") is None
        file.write(text[half:])
    assert world.settled("yavas.csv") == "done"
    assert world.ticket("slow-1") is not None and world.ticket("slow-2")[8] == "Yol bozuk, ŞİĞÜÇÖ ışığı yanmıyor"
    for passed_over in (".gizli.csv", "~$liste.xlsx", "liste.csv.part"):
        world.put(passed_over, csv_text([application("hidden", days_ago(1))]))
    os.symlink("/etc/passwd", os.path.join(world.folder, "link.csv"))
    os.mkfifo(os.path.join(world.folder, "pipe.csv"))
    place, _ = world.take(csv_text([application("after", days_ago(1))]))
    assert place == "done" and world.ticket("hidden") is None
    assert os.path.islink(os.path.join(world.folder, "link.csv"))


def test_the_desk_shows_what_the_portal_calls_it(world):
    day = days_ago(3)
    place, report = world.take(csv_text([application("desk <1>", day)]))
    assert place == "done"
    number = re.search(r"\d\d-\d{7}-\d", " ".join(report[0])).group(0)
    password = world.stack.user("oya", "operator")
    oya = Browser(world.stack, "router", "/desk/").sign_in("oya", password)
    kind = world.stack.one("select kind from turunc.cimer_application where reference = 'desk <1>'")
    page = oya.get(f"/desk/ticket/{number}?lang=tr").body.decode()
    assert re.search(r"CİMER başvuru no</dt>\s*<dd[^>]*>desk &lt;1&gt;", page)
    assert kind and re.search(rf"CİMER türü</dt>\s*<dd[^>]*>{re.escape(kind)}", page)
    assert re.search(r"CİMER tarihi</dt>\s*<dd[^>]*>.*?" + re.escape(str(day)[:10]), page, re.S) and "Başvuru anı" not in page


def test_names_that_are_taken_get_a_number(world):
    for n in range(3):
        world.put("ayni.csv", csv_text([application(f"same-{n}", days_ago(1))]))
        wait_until(lambda n=n: world.ticket(f"same-{n}") is not None and world.where("ayni-3.csv" if n == 2 else (
            "ayni-2.csv" if n else "ayni.csv")) == "done", 20, "it was put away")
    assert not os.path.exists(os.path.join(world.folder, "ayni.csv"))
    long_name = "ş" * 100 + ".csv"
    world.put(long_name, csv_text([application("long-name", days_ago(1))]))
    wait_until(lambda: world.ticket("long-name") is not None
               and not os.path.exists(os.path.join(world.folder, long_name)), 20, "a long name was put away")


def dependency(world):
    answer = world.stack.http("intake", "GET", "/readyz")
    assert answer.status == 200, "one way in is not the whole service"
    return {d["name"]: d for d in answer.json()["dependencies"]}["cimer"]


def said(world, words):
    wait_until(lambda: words in (dependency(world).get("detail") or ""), 10, f"/readyz says {words}")


def look_at_rejected(world):
    """As somebody does who takes out what is there."""
    for name in os.listdir(os.path.join(world.folder, "rejected")):
        os.unlink(os.path.join(world.folder, "rejected", name))


def test_the_folder_away_and_back(world):
    os.rename(world.folder, world.folder + ".away")
    wait_until(lambda: dependency(world)["state"] != "up", 10, "it is said")
    os.rename(world.folder + ".away", world.folder)
    place, _ = world.take(csv_text([application("back", days_ago(1))]))
    assert place == "done"
    look_at_rejected(world)
    wait_until(lambda: dependency(world)["state"] == "up", 10, "it is said, too")


def test_what_is_rejected_waits_for_somebody(world):
    place, _ = world.take("x;y\n1;2\n")
    assert place == "rejected"
    said(world, "rejected wait")
    look_at_rejected(world)
    wait_until(lambda: dependency(world)["state"] == "up", 10, "somebody has looked")


@pytest.mark.parametrize("place", ["done", "rejected"])
def test_a_place_that_is_a_link_is_not_gone_into(world, place):
    """Whoever may write to the folder may also rename what is in it."""
    precious = world.stack.path("precious-" + place)
    os.mkdir(precious)
    own = os.path.join(world.folder, place)
    os.rename(own, own + ".away")
    while not os.path.islink(own):
        try:
            os.symlink(precious, own)
        except FileExistsError:  # intake looked meanwhile, and made what was missing
            os.rmdir(own)
    said(world, place + " is no folder")
    name = f"link-{place}.csv"
    world.put(name, csv_text([application("link-" + place, days_ago(1))]) if place == "done" else "x;y\n1;2\n")
    said(world, place + " is no folder")
    assert world.where(name) == "waiting" and os.listdir(precious) == []
    os.unlink(own)
    os.makedirs(own, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(own, 12345, 12345)
        said(world, place + " is no folder")
        assert world.where(name) == "waiting" and os.listdir(own) == []
    os.rmdir(own)
    os.rename(own + ".away", own)
    assert world.settled(name) == place
    look_at_rejected(world)


@pytest.mark.parametrize("place", ["done", "rejected"])
def test_what_lies_in_a_place_is_not_written_through(world, place):
    """Where a report is written there was once a fixed name: a FIFO held all doors, a link lost a file."""
    victim = world.stack.path("victim-" + place)
    with open(victim, "w", encoding="ascii") as file:
        file.write("precious")
    data = {"done": lambda n: csv_text([application(f"lies-{n}", days_ago(1))]), "rejected": lambda n: "x;y\n1;2\n"}[place]
    ending = {"done": "tickets", "rejected": "errors"}[place]
    own = os.path.join(world.folder, place)

    def link(path):
        os.symlink(victim, path)
    for make in (link, os.mkfifo, os.mkdir):
        names = [".report", f"lies.csv.{ending}.csv"]
        for name in names:
            make(os.path.join(own, name))
        world.put("lies.csv", data(make.__name__))
        wait_until(lambda: not os.path.exists(os.path.join(world.folder, "lies.csv")), 20, "it is put away")
        assert world.stack.http("intake", "GET", "/healthz", timeout=5).status == 200
        assert os.path.isfile(os.path.join(own, f"lies-2.csv.{ending}.csv")), "beside one that is ours"
        for name in names:
            (os.rmdir if make is os.mkdir else os.unlink)(os.path.join(own, name))
        for name in os.listdir(own):
            if name.startswith("lies"):
                os.unlink(os.path.join(own, name))
    with open(victim, encoding="ascii") as file:
        assert file.read() == "precious"
    assert not [name for name in os.listdir(own) if name.startswith(".")], "no draft is left"
    look_at_rejected(world)


def high_water(world):
    return world.stack.one("select max(next_no) from turunc.number_block")


def test_a_file_that_cannot_be_put_away_uses_up_no_numbers(world):
    blocked = [os.path.join(world.folder, "done", f"dolu{n}.csv") for n in [""] + [f"-{n}" for n in range(2, 1001)]]
    for path in blocked:
        open(path, "w", encoding="ascii").close()
    waited = world.stack.metric("intake", 'turunc_intake_cimer_files_total{as="waited"}')
    world.put("dolu.csv", csv_text([application(f"full-{n}", days_ago(1)) for n in range(50)]))
    wait_until(lambda: world.ticket("full-49") is not None, 20, "its applications are there")
    mark = high_water(world)
    said(world, "cannot be read, written or put away")
    wait_until(lambda: world.stack.metric("intake", 'turunc_intake_cimer_files_total{as="waited"}') >= waited + 4, 20,
               "it is tried again")
    assert high_water(world) == mark
    tries = [int(ms) for ms in re.findall(r'file="dolu.csv" wait_ms=(\d+)', world.stack.log("intake"))]
    assert tries[:4] == [50, 100, 200, 400], "later and later"
    for path in blocked:
        os.unlink(path)
    assert world.settled("dolu.csv") == "done"
    assert {row[4] for row in world.report("dolu.csv")} == {"Taken before."}
    assert high_water(world) == mark


def test_a_file_that_the_record_refuses_goes_to_rejected_and_uses_up_no_numbers(world):
    world.stack.sql("alter table turunc.cimer_application add constraint nothing_like_it check (reference <> 'refused-3')")
    try:
        before, mark = world.tickets(), high_water(world)
        place, report = world.take(csv_text([application(f"refused-{n}", days_ago(1)) for n in range(40)]))
        assert place == "rejected" and "The record refused it" in report[0][4]
        assert world.tickets() == before
        used = high_water(world) - mark
        assert used <= 40, "leased once, or left of a former file"
        refused = world.stack.log("intake").count("refused by the record")
        assert refused == 5 and 'constraint="nothing_like_it"' in world.stack.log("intake")
        place, _ = world.take(csv_text([application(f"accepted-{n}", days_ago(1)) for n in range(40)]))
        assert place == "done" and high_water(world) == mark + used, "the next file takes what was leased"
    finally:
        world.stack.sql("alter table turunc.cimer_application drop constraint nothing_like_it")
    look_at_rejected(world)


def test_more_names_than_are_looked_at(world):
    names = [os.path.join(world.folder, f".gizli{n}") for n in range(2500)]
    for path in names:
        open(path, "w", encoding="ascii").close()
    said(world, "2,000 names")
    for path in names:
        os.unlink(path)
    wait_until(lambda: dependency(world)["state"] == "up", 10, "there are few again")


def test_five_thousand_applications_are_one_transaction(world):
    before = world.tickets()
    began = time.monotonic()
    place, report = world.take(csv_text([application(f"many-{n}", days_ago(1), "x" * 500) for n in range(5000)]))
    print(f"5,000 applications in {time.monotonic() - began:.1f} s")
    assert place == "done" and len(report) == 5000
    assert world.tickets() == before + 5000
    # One commit: one batch of the log.
    assert world.stack.one("""select count(distinct committed_at_us) from turunc.event_log e join
        turunc.cimer_application a using (ticket_id) where type = 'ticket.opened' and reference like 'many-%%'""", ) == 1


def test_nothing_of_a_person_is_logged(world):
    world.take(csv_text([application("quiet", days_ago(1), "gizlisözler", name="Adısanı", phone="0533 999 88 77")]))
    world.take(csv_text([application("", days_ago(1), "gizlisözler", name="Adısanı", phone="0533 999 88 77")]))
    log = world.stack.log("intake")
    for word in ("gizlisözler", "Adısanı", "5339998877", "533 999"):
        assert word not in log
    events = world.stack.sql("select event from turunc.event_log")
    assert not any("gizlisözler".encode() in bytes(row[0]) for row in events)
