"""Files of applications as a portal or a spreadsheet would write them, right and wrong."""
import datetime
import io
import zipfile
from xml.sax.saxutils import escape

HEADER = ["Başvuru No", "Başvuru Tarihi", "Başvuru Türü", "Birim Kodu", "Başvuru Metni",
          "Adı", "Soyadı", "Telefon", "E-posta", "Adres", "Mahalle"]
BOOK = ('<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
        "{properties}<sheets>{sheets}</sheets></workbook>")
RELATIONS = ('<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
             "{all}</Relationships>")
TYPE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'


def application(reference, date, text="Yol bozuk, ŞİĞÜÇÖ ışığı yanmıyor", kind="Şikayet", unit="", name="Ayşe",
                surname="Yılmaz", phone="", email="", address="", neighbourhood=""):
    return [reference, date, kind, unit, text, name, surname, phone, email, address, neighbourhood]


def today():
    """In Istanbul, whose days those of a file are; wherever the machine stands."""
    return datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=3))).date()


def days_ago(days):
    return (today() - datetime.timedelta(days=days)).strftime("%d.%m.%Y")


def csv_text(rows, separator=";", header=None):
    def cell(value):
        value = str(value)
        return '"' + value.replace('"', '""') + '"' if any(c in value for c in '";,\t\r\n') else value
    return "".join(separator.join(cell(value) for value in row) + "\r\n"
                   for row in [header or HEADER, *rows])


def column_name(index):
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def cell_xml(line, index, value, shared):
    place = f'r="{column_name(index)}{line}"'
    if isinstance(value, (int, float)):
        return f"<c {place}><v>{value}</v></c>"
    if shared is None:
        return f'<c {place} t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    return f'<c {place} t="s"><v>{shared.setdefault(value, len(shared))}</v></c>'


def sheet_xml(rows, shared=None):
    parts = [SHEET]
    for line, row in enumerate(rows, 1):
        cells = "".join(cell_xml(line, i, value, shared) for i, value in enumerate(row) if value != "")
        parts.append(f'<row r="{line}">{cells}</row>')
    return "".join(parts) + "</sheetData></worksheet>"


def workbook(sheets, strings=None, from_1904=False, extra=(), compression=zipfile.ZIP_DEFLATED, target=None):
    """An XLSX of these sheets (XML texts, or generators of their pieces); bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression, compresslevel=1) as archive:
        listed = "".join(f'<sheet name="S{i}" sheetId="{i}" r:id="rId{i}"/>' for i in range(1, len(sheets) + 1))
        archive.writestr("xl/workbook.xml", BOOK.format(
            properties='<workbookPr date1904="1"/>' if from_1904 else "", sheets=listed))
        relations = "".join(f'<Relationship Id="rId{i}" Type="{TYPE}worksheet" '
                            f'Target="{target or "worksheets/sheet%d.xml" % i}"/>'
                            for i in range(1, len(sheets) + 1))
        if strings is not None:
            relations += f'<Relationship Id="rIdS" Type="{TYPE}sharedStrings" Target="sharedStrings.xml"/>'
        archive.writestr("xl/_rels/workbook.xml.rels", RELATIONS.format(all=relations))
        if strings is not None:
            write_part(archive, "xl/sharedStrings.xml", strings)
        for i, sheet in enumerate(sheets, 1):
            write_part(archive, f"xl/worksheets/sheet{i}.xml", sheet)
        for name, data in extra:
            archive.writestr(name, data)
    return out.getvalue()


def write_part(archive, name, pieces):
    with archive.open(name, "w", force_zip64=True) as part:
        for piece in [pieces] if isinstance(pieces, str) else pieces:
            part.write(piece.encode() if isinstance(piece, str) else piece)


def strings_xml(shared):
    return ("<sst>" + "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in shared)
            + "</sst>")


def book_of(rows, shared=True, **more):
    """One sheet with the header and these rows."""
    texts = {} if shared else None
    sheet = sheet_xml([HEADER, *rows], texts)
    return workbook([sheet], strings_xml(texts) if shared else None, **more)
