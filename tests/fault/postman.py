"""A mail server that brings what citizens wrote, and reports of mail that did not arrive: each mail again until it hears
250, some again after that, some cut off in the middle; and whether each is in the record once, with its raw self."""
import collections
import os
import random
import time
import uuid

import lmtp
import photos
import reply_address
from actors import Actor
from stack import MAIL_SECRET

BASE = "turuncmasa@muratpasa.example"
TAKEN = "250 2.0.0 Taken."


class Postman(Actor):
    def __init__(self, name, ledger, pause_s, stack, port):
        super().__init__(name, ledger, pause_s)
        self.client_name = ""
        self.port = port
        self.in_hand = False                    # a mail waits for its 250
        self.secret = stack.path("state", "intake", "identity.secret")
        self.dice = random.Random(name)
        self.refused = 0
        self.mails = {}                         # identity -> raw mail that was answered
        self.reports = {}                       # message -> reports about it that were answered
        self.count = 0

    def turn(self):
        if self.dice.randrange(6) == 0:
            message = uuid.UUID(int=self.dice.getrandbits(128), version=4)
            if self._bring(lmtp.report(), reply_address.bounce(MAIL_SECRET, BASE, message), ""):
                self.reports[str(message)] = 1
            return
        self.count += 1
        sender = f"mektup{self.count}@defter.example"
        files = [("image", "png", "a.png", photos.png_of(200, 200))] if self.dice.randrange(5) == 0 else []
        mail = lmtp.letter(subject="Defter için mektup", text="Defter için bildirim.\n", sender=sender, attachments=files,
                           name="Defter Tutan")
        with open(self.secret, "rb") as file:
            key = ("", lmtp.identity(file.read(), mail))
        self.ledger.send_photos(key, len(files) + 1)
        self.ledger.attempt(key, time.monotonic())
        self.ledger.given_up(*key)              # a mail waits by design: it is nobody's request in flight
        if self._bring(mail, BASE, sender):
            self.mails[key[1]] = mail
            self.ledger.answer(key, None)

    def _bring(self, mail, to, sender):
        """Until it is taken; False when that has not come within two minutes of being told to stop."""
        self.in_hand = True
        try:
            return self._bring_until_taken(mail, to, sender)
        finally:
            self.in_hand = False

    def _bring_until_taken(self, mail, to, sender):
        end = None
        while True:
            try:
                if self.dice.randrange(8) == 0:
                    self._cut(mail, to, sender)
                answers = lmtp.send(self.port, mail, [to], sender)
            except (OSError, IndexError):
                answers = ["no answer"]
            if answers == [TAKEN]:
                return self.dice.randrange(6) > 0 or self._again(mail, to, sender)
            if answers[0][:1] == "5":
                raise AssertionError(f"intake said {answers}")
            self.refused += 1
            if self.stopping():
                end = end or time.monotonic() + 120
                if time.monotonic() > end:
                    return False
            time.sleep(0.05)

    def _again(self, mail, to, sender):
        """What was taken comes once more, as after a 250 that got lost."""
        try:
            lmtp.send(self.port, mail, [to], sender)
        except (OSError, IndexError):
            pass
        return True

    def _cut(self, mail, to, sender):
        with lmtp.Lmtp(self.port, timeout=5) as link:
            link.hello()
            link.say(f"MAIL FROM:<{sender}>")
            link.say(f"RCPT TO:<{to}>")
            if link.say("DATA")[:3] == "354":
                link.raw(mail[:self.dice.randrange(len(mail))])


def check_mails(stack, postman):
    """The ledger has looked whether each is there once; here, whether it is all there."""
    raw = collections.defaultdict(list)
    for key, name in stack.sql("select i.id, encode(f.digest, 'hex') from turunc.inbound_item i join turunc.attachment f"
                               " on f.owner_id = i.item_id and f.type = 4 where i.source = 'mail'"):
        raw[key].append(name)
    for key, mail in postman.mails.items():
        if len(raw[key]) != 1:
            yield "lost" if not raw[key] else "applied twice", f"mail {key} has {len(raw[key])} raw files"
            continue
        path = os.path.join(stack.path("state", "intake", "attachments"), raw[key][0][:2], raw[key][0])
        with open(path, "rb") as file:
            if not file.read().endswith(b">\r\n" + mail):
                yield "lost", f"mail {key} is not kept as it was sent"
    noted = dict(stack.sql("select notification_id::text, count(*) from turunc.bounce group by 1"))
    for message in postman.reports:
        if noted.get(message) != 1:
            yield ("lost" if message not in noted else "applied twice",
                   f"report about {message} stands {noted.get(message, 0)} times")
