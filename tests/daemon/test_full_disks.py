"""intake's own disk is full for real, a tiny file system: what can be taken without it is taken, everything else is
turned away for now, and nothing of what was turned away stays."""
import errno
import os
import re
import subprocess

import pytest

import lmtp
import photos
from intake_world import check_log, drained, post, ticket_id
from stack import Stack

BASE = "turuncmasa@muratpasa.example"
SAID = {"service_code": "cop-alinmadi", "attribute[tur]": "ambalaj", "address_id": "fener", "description": "Dolu disk",
        "phone": "0532 123 45 67"}
LEFT = 4096     # the file that fills the disk is written in such pieces


@pytest.fixture(scope="module")
def stack():
    if os.geteuid() != 0:
        pytest.fail("mounting a file system needs root")
    with Stack(services=["intake"], env={"intake": {"TURUNC_INTAKE_PHOTOS_PER_MINUTE": "0", "TURUNC_INTAKE_KEY_PER_MINUTE": "0",
                                                    "TURUNC_INTAKE_ADDRESS_PER_MINUTE": "0"}}) as made:
        home = made.path("state", "intake")
        os.makedirs(home, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "turunc-test", home], check=True)
        try:
            made.start()
            made.key = made.api_key("app")
            yield made
            made.terminate("intake")
        finally:
            subprocess.run(["umount", "--lazy", home], check=True)


def fill(stack):
    """Not one more page fits."""
    with open(stack.path("state", "intake", "filler"), "wb", buffering=0) as file:
        with pytest.raises(OSError) as full:
            while True:
                file.write(b"\0" * LEFT)
    assert full.value.errno == errno.ENOSPC


def make_room(stack):
    os.unlink(stack.path("state", "intake", "filler"))


def send(stack, *pictures):
    page = stack.http("intake", "GET", "/report?subject=cop-alinmadi&lang=tr").text
    token = re.search(r'name="token" value="([^"]+)"', page).group(1)
    body, kind = photos.multipart([*SAID.items(), ("token", token)], [("photo", "a", data) for data in pictures])
    return stack.http("intake", "POST", "/report?lang=tr", body=body, headers={"Content-Type": kind}, timeout=30)


def mail(stack, subject):
    return lmtp.send(stack.port["lmtp"], lmtp.letter(subject=subject), [BASE], f"{len(subject)}@example.org")[0]


def held(stack):
    """(tickets, rows of files, files and drafts on the disk)."""
    found = sum(len(names) for _, _, names in os.walk(stack.path("state", "intake", "attachments"))
                ) - os.path.exists(stack.path("state", "intake", "attachments", "link.key"))
    return (stack.one("select count(*) from turunc.ticket"), stack.one("select count(*) from turunc.attachment"), found)


def test_what_needs_the_disk_is_turned_away_and_all_else_is_taken(stack):
    assert send(stack, photos.jpeg()).status == 201 and mail(stack, "Önce")[:3] == "250"
    before = held(stack)
    assert before[1] == before[2] == 2
    fill(stack)
    answer = send(stack, photos.jpeg())
    assert answer.status == 503 and "saklanamıyor" in answer.text and "Dolu disk" in answer.text
    assert mail(stack, "Dolu iken")[:1] == "4"
    assert held(stack) == before, "nothing of them stays"
    assert send(stack).status == 201 and post(stack, stack.key).status == 201, "the record is there"
    make_room(stack)
    assert send(stack, photos.jpeg()).status == 201 and mail(stack, "Dolu iken")[:3] == "250"
    after = held(stack)
    assert (after[0] - before[0], after[1] - before[1]) == (4, 2) and after[1] == after[2]
    check_log(stack)


def test_started_on_a_full_disk_it_gives_no_number_twice(stack):
    """The mark of the numbers that were leased is on that disk."""
    given = [post(stack, stack.key).json()[0]["service_request_id"] for _ in range(3)]
    fill(stack)
    try:
        stack.kill9("intake")
        stack.restart("intake", wait=False)
        stack.wait(lambda: stack.http("intake", "GET", "/healthz").status == 200, 30, "it lives")
        answers = [post(stack, stack.key) for _ in range(5)]
        assert {answer.status for answer in answers} <= {201, 503}
        given += [answer.json()[0]["service_request_id"] for answer in answers if answer.status == 201]
    finally:
        make_room(stack)
    stack.wait(lambda: stack.ready("intake"), 30, "it is ready")
    stack.wait(lambda: post(stack, stack.key).status == 201, 30, "it takes reports")
    given += [post(stack, stack.key).json()[0]["service_request_id"] for _ in range(3)]
    assert len(set(given)) == len(given)
    # Ready does not mean that the record is reached: until then reports go to the spool.
    drained(stack)
    present = {row[0] for row in stack.sql("select ticket_id from turunc.ticket")}
    assert {ticket_id(number) for number in given} <= present
    check_log(stack)


def test_a_disk_that_keeps_no_numbers_does_not_use_them_up(stack):
    """What was leased to be set aside is offered to it again; nothing else is leased for it meanwhile."""
    def leased():
        return stack.one("select sum(next_no) from turunc.number_block")
    before = leased()
    said = stack.log("intake").count("does not keep ticket numbers")
    fill(stack)
    try:
        stack.restart("intake", wait=False, env={"TURUNC_INTAKE_NUMBERS_ASIDE": "60000"})
        stack.wait(lambda: stack.log("intake").count("does not keep ticket numbers") > said, 30, "the disk refuses them")
        for _ in range(50):     # each is a turn of its loop
            stack.http("intake", "GET", "/healthz")
        stack.wait(lambda: post(stack, stack.key).status == 201, 30, "reports are taken all the same")
        assert leased() - before < 2 * 60000
    finally:
        make_room(stack)
    stack.wait(lambda: (stack.metric("intake", "turunc_intake_numbers_aside") or 0) >= 60000, 60, "it takes them later")
    assert leased() - before < 2 * 60000
