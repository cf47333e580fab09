#!/usr/bin/python3
"""A private system for the tests of the desk: prints one line of JSON when it is ready, then does what
it is told on standard input (open SUBJECT NEIGHBOURHOOD, "-" for no subject; step NUMBER VERB as the other clerk), one
answer a line, until that ends."""
import json
import os
import sys
import tempfile
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
for folder in ("lib", "daemon"):
    sys.path.insert(0, os.path.join(os.path.dirname(HERE), folder))

from people import Browser  # noqa: E402
from router_world import Opener  # noqa: E402
from stack import Stack  # noqa: E402

PEOPLE = {"ayse": ("clerk", "temizlik"), "mehmet": ("clerk", "temizlik"), "oya": ("operator", "")}
WORDS = {"cop-alinmadi": "Üç gündür çöpler alınmadı, koku başladı. Konteyner da dolu taştı.",
         "-": "Konteynerin kapağı kırık, çukura düşecek biri"}


def report(stack, subject, neighbourhood):
    """The number of a report as a citizen would make it."""
    number = stack.opener.open("" if subject == "-" else subject, neighbourhood, channel=2, basis=1)
    ticket = Opener.id_of(number)
    stack.sql("update turunc.contact set description = %s, address = %s, name = 'Gülşen Işık', "
              "phone = '+905321234567' where ticket_id = %s", WORDS.get(subject, WORDS["-"]),
              f"{neighbourhood.title()} Mahallesi, 1234. Sokak No: 5", ticket)
    stack.wait(lambda: stack.one("select 1 from turunc.ticket_state where ticket_id = %s", ticket), 20)
    return number


def obey(stack, words):
    if words[0] == "open":
        return report(stack, *words[1:3])
    if words[0] == "step":
        ticket = int(words[1].replace("-", "")[:-1])
        version = stack.one("select version from turunc.ticket_state where ticket_id = %s", ticket)
        return stack.other.post(f"/desk/ticket/{words[1]}", {
            "id": str(uuid.uuid4()), "version": version, "verb": words[2],
            **dict(word.split("=", 1) for word in words[3:])}).status
    return None


def main():
    with tempfile.TemporaryDirectory(prefix="turunc-photos-") as folder, \
            Stack(services=["intake", "router", "edge"], env={"TURUNC_ATTACHMENTS_DIR": folder}) as stack:
        password = [stack.user(name, *rights) for name, rights in PEOPLE.items()][0]
        stack.start()
        stack.opener = Opener(stack)
        stack.opener.next_id += 500_000  # intake gives numbers too
        stack.other = Browser(stack, "router", "/desk/").sign_in("mehmet", password)
        print(json.dumps({"origin": f"http://127.0.0.1:{stack.port['edge']}", "password": password}), flush=True)
        for line in sys.stdin:
            print(json.dumps(obey(stack, line.split())), flush=True)


if __name__ == "__main__":
    main()
