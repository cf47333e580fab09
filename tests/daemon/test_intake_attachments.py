"""Photos with a report: cleaned, kept, told of in one transaction, shown, erased; and what is refused."""
import base64
import glob
import hashlib
import json
import os
import re
import subprocess
import time

import pytest

import photos
from intake_world import add_api_key, check_log, post, ticket_id
from servers import BUILD
from stack import Stack

SAID = {"service_code": "cop-alinmadi", "attribute[tur]": "ambalaj", "address_id": "fener",
        "description": "Üç gündür alınmadı", "first_name": "Işıl", "last_name": "Çağrı",
        "phone": "0532 123 45 67"}
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def stack():
    with Stack(services=["intake"], env={"intake": {
            "TURUNC_INTAKE_PHOTO_BYTES": "1MiB", "TURUNC_ATTACHMENTS_BYTES": "4MiB",
            "TURUNC_ATTACHMENTS_ORPHAN_AGE": "1h",
            "TURUNC_INTAKE_PHOTOS_PER_MINUTE": "0"}}) as made:
        made.key = add_api_key(made, "app")
        made.start()
        made.wait(lambda: post(made, made.key).status == 201)
        yield made


def files_of(stack):
    return sorted(glob.glob(os.path.join(stack.path("intake"), "attachments", "[0-9a-f][0-9a-f]", "*"))
                  or glob.glob(os.path.join(stack.folder, "**", "attachments", "[0-9a-f][0-9a-f]", "*"),
                               recursive=True))


def drafts_of(stack):
    return glob.glob(os.path.join(stack.folder, "**", "attachments", "new", "*"), recursive=True)


def token_of(stack):
    page = stack.http("intake", "GET", "/report?subject=cop-alinmadi&lang=tr").text
    return re.search(r'name="token" value="([^"]+)"', page).group(1)


def send(stack, token, *sent, lang="tr", timeout=20, **fields):
    """sent: photos' bytes."""
    form = [(name, value) for name, value in {**SAID, "token": token, **fields}.items()]
    body, kind = photos.multipart(form, [("photo", f"../{n}.txt", data) for n, data in enumerate(sent)])
    return stack.http("intake", "POST", f"/report?lang={lang}", body=body, timeout=timeout,
                      headers={"Content-Type": kind})


def number_on(answer):
    assert answer.status == 201, answer
    return re.search(r'class="number">([0-9-]+)<', answer.text).group(1)


def track(stack, number, digits="4567"):
    return stack.http("intake", "POST", "/track?lang=tr", form={"no": number, "digits": digits}).text


def rows_of(stack, number):
    return stack.sql("""select encode(digest, 'hex'), encode(salt, 'hex'), type, bytes, width, height, place
                        from turunc.attachment where ticket_id = %s order by place""", ticket_id(number))


def counts(stack):
    return (stack.one("select count(*) from turunc.ticket"), stack.one("select count(*) from turunc.attachment"),
            len(files_of(stack)), len(drafts_of(stack)))


KINDS = {"jpeg": (photos.jpeg, "image/jpeg", 1), "png": (photos.png, "image/png", 2),
         "webp": (photos.webp, "image/webp", 3)}


def test_three_photos_are_cleaned_kept_and_shown(stack):
    answer = send(stack, token_of(stack), *(make(orientation=6) for make, _, _ in KINDS.values()))
    number = number_on(answer)
    rows = rows_of(stack, number)
    assert [row[2] for row in rows] == [1, 2, 3] and [row[6] for row in rows] == [1, 2, 3]
    assert all(row[4:6] == (32, 48) for row in rows), "turned by a quarter"
    page = track(stack, number)
    links = re.findall(r'<img [^>]*src="(/photo/[^"]+)"', page)
    assert len(links) == 3
    for link, row, (_, media, _) in zip(links, rows, KINDS.values()):
        shown = stack.http("intake", "GET", link)
        assert shown.status == 200 and shown.headers["Content-Type"] == media
        assert shown.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in shown.headers["Content-Security-Policy"]
        assert len(shown.body) == row[3]
        assert photos.SECRET not in shown.body and b"Nikon" not in shown.body
        assert hashlib.sha256(bytes.fromhex(row[1]) + shown.body).hexdigest() == row[0]
    check_log(stack)


@pytest.mark.parametrize("data, status, turkish, english", [
    (photos.HTML, 400, "1. dosya fotoğraf değil", "File 1 is no photo"),
    (photos.GIF, 400, "1. dosya fotoğraf değil", "File 1 is no photo"),
    (photos.HEIC, 400, "1. fotoğraf HEIC biçiminde", "Photo 1 is a HEIC file"),
    (photos.plain("plain.jpeg")[:600], 400, "1. fotoğraf yarım", "Photo 1 is incomplete"),
    (photos.plain("plain.png")[:900], 400, "1. fotoğraf yarım", "Photo 1 is incomplete"),
    (photos.plain("lossy.webp")[:400], 400, "1. fotoğraf yarım", "Photo 1 is incomplete"),
    (photos.plain("plain.png").replace(b"IDAT", b"IDAX"), 400, "1. fotoğrafın dosyası bozuk",
     "The file of photo 1"),
    (photos.bomb(), 400, "ölçüleri çok büyük: en çok 64 megapiksel", "too many pixels: 64 megapixels"),
    (photos.moving_webp(), 400, "1. dosya hareketli", "File 1 is an animation"),
    (photos.plain("plain.jpeg") + b"x" * (MIB + 1), 400, "1. fotoğraf çok büyük: en çok 1 MB",
     "Photo 1 is too large: 1 MB"),
], ids=["html", "gif", "heic", "half-jpeg", "half-png", "half-webp", "broken", "bomb", "moving", "large"])
def test_what_is_no_photo_is_named_and_what_was_typed_is_kept(stack, data, status, turkish, english):
    before = counts(stack)
    token = token_of(stack)
    answer = send(stack, token, data)
    assert answer.status == status and turkish in answer.text, answer.text
    assert "Üç gündür alınmadı" in answer.text and 'value="Işıl"' in answer.text
    assert "fotoğrafları yeniden seçin" in answer.text
    assert english in send(stack, token, data, lang="en").text
    assert counts(stack) == before, "nothing half-stored"
    assert send(stack, token, photos.plain("plain.jpeg")).status == 201, "mended, the same form goes"


def test_four_are_too_many_and_an_empty_field_is_none(stack):
    before = counts(stack)
    answer = send(stack, token_of(stack), *[photos.plain("plain.jpeg")] * 4)
    assert answer.status == 400 and "En çok üç fotoğraf" in answer.text
    assert counts(stack) == before
    body, kind = photos.multipart([*SAID.items(), ("token", token_of(stack))], [("photo", "", b"")])
    answer = stack.http("intake", "POST", "/report", body=body, headers={"Content-Type": kind})
    assert rows_of(stack, number_on(answer)) == []


def test_a_polyglot_is_only_its_picture(stack):
    number = number_on(send(stack, token_of(stack), photos.polyglot()))
    link = re.search(r'src="(/photo/[^"]+)"', track(stack, number)).group(1)
    shown = stack.http("intake", "GET", link).body
    assert b"<script" not in shown and b"PK" not in shown[-100:] and shown.endswith(b"\xff\xd9")


def test_the_same_form_twice_is_one_report_with_one_photo(stack):
    token, before = token_of(stack), counts(stack)
    first, again = (send(stack, token, photos.jpeg()) for _ in range(2))
    assert number_on(first) == number_on(again)
    after = counts(stack)
    assert after == (before[0] + 1, before[1] + 1, before[2] + 1, 0)
    other = send(stack, token, photos.png())
    assert other.status == 409 and counts(stack) == after, "other photos are another report"


def test_links_open_to_nobody_else_and_expire(stack):
    number = number_on(send(stack, token_of(stack), photos.jpeg()))
    assert "/photo/" not in track(stack, number, "0000")
    link = re.search(r'src="(/photo/[^"]+)"', track(stack, number)).group(1)
    assert stack.http("intake", "GET", link).status == 200
    for n in (7, 20, 60, len(link) - 1):
        wrong = link[:n] + ("A" if link[n] != "A" else "B") + link[n + 1:]
        assert stack.http("intake", "GET", wrong).status == 404, n
    digest = rows_of(stack, number)[0][0]
    for path in (f"/photo/{digest}", "/photo/..%2f..%2fintake.key", "/photo/x", f"/photo/{link[7:]}x"):
        assert stack.http("intake", "GET", path).status in (400, 404), path


def test_no_room_is_said_and_nothing_is_kept(stack):
    before = counts(stack)
    room = 4 * MIB - sum(os.path.getsize(path) for path in files_of(stack))
    big = photos.png_of(500, 400, os.urandom(601 * 400)[:0] + b"".join(
        b"\0" + os.urandom(1500) for _ in range(400)))
    for _ in range(room // len(big) + 1):
        answer = send(stack, token_of(stack), photos.plain("plain.jpeg"), big)
    assert answer.status == 503 and "saklanamıyor" in answer.text and "Üç gündür alınmadı" in answer.text
    after = counts(stack)
    assert after[1] == after[2] and after[3] == 0, "of two the first does not stay"
    assert send(stack, token_of(stack)).status == 201, "without photos it goes"
    assert after[0] > before[0]


def test_erasing_takes_the_files_along(stack):
    number = number_on(send(stack, token_of(stack), photos.plain("plain.jpeg"), phone="0532 999 88 77"))
    name = rows_of(stack, number)[0][0]
    assert any(path.endswith(name) for path in files_of(stack))
    shown, = json.loads(stack.masa("citizen", "export", "05329998877"))["photos"]
    assert shown["file"] == name and shown["content_base64"] is None, "masa knows no folder here"
    env = {**stack._common_env("masa", "turunc_admin"),  # pylint: disable=protected-access
           "TURUNC_ATTACHMENTS_DIR": stack.path("state", "intake", "attachments")}
    done = subprocess.run([os.path.join(BUILD, "bin", "masa"), "citizen", "export", "05329998877"], env=env,
                          cwd=stack.folder, capture_output=True, timeout=60, check=True)
    shown, = json.loads(done.stdout)["photos"]
    with open(next(path for path in files_of(stack) if path.endswith(name)), "rb") as file:
        assert base64.b64decode(shown["content_base64"]) == file.read()
    stack.masa("citizen", "erase", "05329998877", "--reason", "istek", "--confirm", "1", "--open-too")
    stack.wait(lambda: not any(path.endswith(name) for path in files_of(stack)), 30, "the file is gone")
    assert rows_of(stack, number)[0][:2] == (None, "")
    stack.wait(lambda: stack.one("select count(*) from turunc.erased_file") == 0, 30, "its name is off")
    assert stack.one("select files from turunc.destruction order by at_us desc limit 1") == 1
    assert 'src="/photo/' not in track(stack, number, "8877")


def test_orphans_go_and_what_is_new_or_known_stays(stack):
    number = number_on(send(stack, token_of(stack), photos.plain("plain.jpeg")))
    known = next(path for path in files_of(stack) if path.endswith(rows_of(stack, number)[0][0]))
    folder = os.path.dirname(os.path.dirname(known))
    old, new = (os.path.join(folder, name[:2], name) for name in ("ab" * 32, "cd" * 32))
    for path in (old, new):
        with open(path, "wb") as file:
            file.write(photos.plain("plain.jpeg"))
    draft = os.path.join(folder, "new", "00ff")
    with open(draft, "wb") as file:
        file.write(b"half")
    for path in (old, known, draft):
        os.utime(path, (time.time() - 7200, time.time() - 7200))
    stack.restart("intake")
    stack.wait(lambda: not os.path.exists(old), 60, "the orphan is removed")
    assert os.path.exists(new) and os.path.exists(known) and not os.path.exists(draft)
    assert stack.metric("intake", 'turunc_intake_attachments_removed_total{why="orphan"}') == 1


def test_only_the_openers_photos_are_on_the_page(stack):
    number = number_on(send(stack, token_of(stack), photos.jpeg()))
    for kind, channel, phone in (("follow_up", 4, None), ("joined", 1, "+905340004567"), ("sms", 8, "+905340004567"),
                                 ("follow_up", 2, None)):
        stack.sql("""with c as (insert into turunc.contact (contact_id, ticket_id, kind, channel, arrived_us, recorded_us,
                         language, phone, salt) values (gen_random_uuid(), %s, %s, %s, 1, 1, 'tr', %s, 's')
                         returning contact_id)
                     insert into turunc.attachment (owner_id, place, ticket_id, origin, digest, salt, type, bytes, width,
                         height, created_us)
                     select c.contact_id, 1, f.ticket_id, 1, sha256(convert_to(c.contact_id::text, 'UTF8')), f.salt, f.type, f.bytes, f.width, f.height, 1
                     from c, turunc.attachment f where f.ticket_id = %s and f.created_us > 1""",
                  ticket_id(number), kind, channel, phone, ticket_id(number))
        assert track(stack, number).count('src="/photo/') == (2 if (kind, channel) == ("follow_up", 2) else 1), kind
