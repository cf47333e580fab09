"""Photos that clerks put to a ticket: with a solution, as evidence that the citizen sees, or with a note for staff."""
import glob
import hashlib
import os
import re
import tempfile
import uuid

import photos
import pytest
from desk_world import DeskWorld, text_of
from intake_world import check_log
from stack import Stack

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def world():
    with tempfile.TemporaryDirectory(prefix="turunc-evidence-") as folder:
        env = {"TURUNC_ATTACHMENTS_DIR": os.path.join(folder, "photos")}
        with Stack(services=["intake", "router"], env={**env, "router": {
                "TURUNC_ROUTER_PHOTO_BYTES": "1MiB", "TURUNC_ATTACHMENTS_BYTES": "2MiB"}}) as stack:
            made = DeskWorld(stack)
            made.folder = env["TURUNC_ATTACHMENTS_DIR"]
            stack.start()
            made.sign_everybody_in()
            yield made


def files_of(world):
    return sorted(os.path.basename(path) for path in glob.glob(os.path.join(world.folder, "[0-9a-f][0-9a-f]", "*")))


def drafts_of(world):
    return glob.glob(os.path.join(world.folder, "new", "*"))


def rows_of(world, number):
    return world.stack.sql("""select origin, place, actor, encode(digest, 'hex'), encode(salt, 'hex'), type, bytes, owner_id::text
                              from turunc.attachment where ticket_id = %s order by created_us, place""",
                           world.opener.id_of(number))


def step(person, number, verb, version, *files, csrf=None, form_id=None, lang="tr", **fields):
    """The multipart form, as the ticket's page has it."""
    body, kind = photos.multipart(
        [("id", form_id or str(uuid.uuid4())), ("version", version), ("verb", verb), *fields.items()],
        [("photo", f"{n}.jpg", data) for n, data in enumerate(files)])
    token = person.csrf if csrf is None else csrf
    return person._take(person.stack.http(
        "router", "POST", f"/desk/ticket/{number}?lang={lang}&csrf={token}", body=body, timeout=60,
        headers=person.headers({"Content-Type": kind})))


def resolve(person, number, *files, version=2, **more):
    return step(person, number, "resolve", version, *files, **{"reason": "yapildi", **more})


def track(world, number):
    world.stack.sql("update turunc.contact set phone = '+905321234567' where ticket_id = %s", world.opener.id_of(number))
    return world.stack.http("intake", "POST", "/track?lang=tr", form={"no": number, "digits": "4567"}).text


def test_evidence_goes_with_the_solution_and_is_seen(world):
    number = world.routed()
    page = world.ayse.ticket(number).text
    form = re.search(r'<form method="post" enctype="multipart/form-data"[^>]*action="([^"]+)"[^>]*>'
                     r'(?:(?!</form>).)*value="resolve".*?</form>', page, re.S)
    assert form and "csrf=" in form.group(1) and 'type="file" name="photo" multiple' in form.group(0)
    assert resolve(world.ayse, number, photos.jpeg(orientation=6), photos.png(), photos.webp(),
                   text="Kapak onarıldı.").status == 303
    rows = rows_of(world, number)
    assert [row[:3] for row in rows] == [(3, place, "user:ayse") for place in (1, 2, 3)]
    assert [row[5] for row in rows] == [1, 2, 3]
    assert {row[7] for row in rows} == {world.stack.one(
        "select text_id::text from turunc.ticket_text where ticket_id = %s and kind = 'closing'", world.opener.id_of(number))}
    assert world.reader.state(number)["status"] == "resolved"

    page = world.ayse.ticket(number)
    links = re.findall(r'<img [^>]*src="(/photo/[^"]+)"[^>]*alt="Kanıt fotoğrafı, ', page.text)
    assert len(links) == 3 and "Kanıt fotoğrafı · ayse" in text_of(page)
    assert "Evidence photo · ayse" in text_of(world.ayse.get(f"/desk/ticket/{number}?lang=en"))
    for link, row in zip(links, rows):
        shown = world.stack.http("intake", "GET", link)
        assert shown.status == 200 and len(shown.body) == row[6]
        assert photos.SECRET not in shown.body and b"Nikon" not in shown.body, "cleaned"
        assert hashlib.sha256(bytes.fromhex(row[4]) + shown.body).hexdigest() == row[3]
    assert "/photo/" not in world.fatma.ticket(number).text, "another department's"

    page = track(world, number)
    assert "Yapılan işin fotoğrafları" in page and "Fotoğraflarınız" not in page
    for link in re.findall(r'<img [^>]*src="(/photo/[^"]+)"', page):
        assert world.stack.http("intake", "GET", link).status == 200
    assert len(re.findall(r'<img [^>]*src="/photo/', page)) == 3
    assert "ayse" not in page, "who it was is no matter of the citizen's"
    check_log(world.stack)


def test_without_words_the_photo_still_says_whose_it_is(world):
    number = world.routed()
    assert resolve(world.ayse, number, photos.jpeg()).status == 303
    assert [row[:3] for row in rows_of(world, number)] == [(3, 1, "user:ayse")]
    assert len(re.findall(r'src="/photo/', track(world, number))) == 1


def test_a_photo_of_a_note_stays_with_staff(world):
    number = world.routed()
    assert step(world.ayse, number, "note", 2, photos.png(), text="Yerinde bakıldı.").status == 303
    assert [row[:3] for row in rows_of(world, number)] == [(2, 1, "user:ayse")]
    assert "Nottaki fotoğraf · ayse" in text_of(world.ayse.ticket(number))
    assert "/photo/" not in track(world, number)


REFUSED = [
    ((photos.HTML,), 422, "1. dosya fotoğraf değil", "File 1 is no photo"),
    ((photos.jpeg(), photos.HEIC), 422, "2. fotoğraf HEIC biçiminde", "Photo 2 is a HEIC file"),
    ((photos.plain("plain.jpeg")[:600],), 422, "1. fotoğraf yarım", "Photo 1 is incomplete"),
    ((photos.bomb(),), 422, "ölçüleri çok büyük", "too many pixels"),
    ((photos.jpeg() + b"\0" * MIB,), 422, "1. fotoğraf çok büyük: en çok 1 MB", "Photo 1 is too large: 1 MB"),
    ((photos.jpeg(),) * 4, 422, "En çok üç fotoğraf", "Three photos can be sent at most"),
]


@pytest.mark.parametrize("files, status, turkish, english", REFUSED, ids=[row[3] for row in REFUSED])
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(world, files, status, turkish, english):
    number = world.routed()
    before = files_of(world)
    for lang, words in (("tr", turkish), ("en", english)):
        answer = resolve(world.ayse, number, *files, text="Kapak onarıldı, teşekkürler.", lang=lang)
        assert answer.status == status
        assert words in text_of(answer), text_of(answer)
        assert re.search(r"<textarea[^>]*>\s*Kapak onarıldı, teşekkürler\.</textarea>", answer.text)
        assert re.search(r'<option value="yapildi" selected', answer.text)
        assert "csrf=" not in re.search(r'<a lang="(?:tr|en)" href="([^"]+)"', answer.text).group(1), \
            "the token stays out of links"
    assert world.reader.state(number)["status"] == "routed"
    assert rows_of(world, number) == [] and files_of(world) == before and drafts_of(world) == []


def test_a_step_that_is_refused_leaves_no_file(world):
    number, before = world.routed(), files_of(world)
    stale = resolve(world.ayse, number, photos.jpeg(), version=7, text="Yapıldı.")
    assert stale.status == 409 and "yeniden seçmeniz gerekir" in text_of(stale) and "Yapıldı." in stale.text
    assert resolve(world.ayse, number, photos.jpeg(), reason="").status == 422
    assert resolve(world.fatma, number, photos.jpeg()).status == 403
    other = step(world.ayse, number, "accept", 2, photos.jpeg())
    assert other.status == 422 and "Fotoğraf yalnız çözümle ya da notla" in text_of(other)
    assert resolve(world.ayse, number, photos.jpeg(), csrf="x").status == 403
    assert rows_of(world, number) == [] and files_of(world) == before and drafts_of(world) == []
    assert world.version(number) == 2


def test_a_form_sent_twice_is_one_step_with_its_photos_once(world):
    number, form_id = world.routed(), str(uuid.uuid4())
    picture = photos.jpeg()
    assert resolve(world.ayse, number, picture, form_id=form_id).status == 303
    files = files_of(world)
    assert resolve(world.ayse, number, picture, form_id=form_id).status == 303
    assert files_of(world) == files and len(rows_of(world, number)) == 1
    # Another photo under the same id is another content.
    assert resolve(world.ayse, number, photos.png(), form_id=form_id).status == 409
    assert files_of(world) == files and len(rows_of(world, number)) == 1
    assert resolve(world.ayse, number, form_id=form_id).status == 409


def test_every_file_has_its_row_and_every_row_its_file(world):
    named = [row[0] for row in world.stack.sql(
        "select encode(digest, 'hex') from turunc.attachment where digest is not null order by 1")]
    assert named and files_of(world) == sorted(named)
    for outcome in ("stored", "turned_down", "dropped"):
        assert world.stack.metric("router", f'turunc_desk_photos_total{{as="{outcome}"}}') > 0, outcome


def test_no_room_is_said_and_nothing_stands(world):
    number, before = world.routed(), files_of(world)
    data = photos.png_of(600, 500, b"".join(b"\0" + os.urandom(1800) for _ in range(500)))
    answer = resolve(world.ayse, number, data, data, data, text="Yapıldı.")
    assert answer.status == 503 and "Fotoğraflar şu anda saklanamıyor" in text_of(answer) and "Yapıldı." in answer.text
    assert rows_of(world, number) == [] and files_of(world) == before and drafts_of(world) == []
    assert resolve(world.ayse, number, text="Yapıldı.").status == 303, "without them it goes"


def test_erasing_a_person_takes_the_evidence_too(world):
    number = world.routed()
    assert resolve(world.ayse, number, photos.jpeg()).status == 303
    ticket, name = world.opener.id_of(number), rows_of(world, number)[0][3]
    world.stack.sql("update turunc.contact set phone = '+905559998877' where ticket_id = %s", ticket)
    assert name in files_of(world)
    exported = world.stack.masa("citizen", "export", "05559998877")
    assert name in exported
    world.stack.masa("citizen", "erase", "05559998877", "--reason", "KVKK md. 7", "--confirm", "1")
    world.stack.wait(lambda: name not in files_of(world), 20)
    assert [row[:3] for row in rows_of(world, number)] == [(3, 1, "user:ayse")], "counted still"
    assert "/photo/" not in world.ayse.ticket(number).text
