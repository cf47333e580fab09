"""A citizen at the page: takes a form, fills it in, mostly with photos, and sends it until it is answered;
and whether every photo that was answered for is there, once, and nothing else."""
import base64
import glob
import hashlib
import http.client
import os
import random
import re
import time

import photos
from actors import Citizen

SUBJECTS = ("sulama-ariza", "park-bakim", "cadde-supurme")
KINDS = (photos.jpeg, photos.png, photos.webp)


class WebCitizen(Citizen):
    def __init__(self, name, ledger, pause_s, port):
        super().__init__(name, ledger, pause_s, port, None, "", SUBJECTS)
        self.dice = random.Random(name)

    def turn(self):
        subject = self.dice.choice(self.subjects)
        token = None
        while token is None:
            if self.stopping():
                return
            page = self._ask("GET", f"/report?subject={subject}")
            found = page and re.search(rb'name="token" value="([^"]+)"', page[1])
            token = found.group(1).decode() if found else time.sleep(0.03)
        # Its random part names the form, and the report by it.
        key = ("", base64.urlsafe_b64decode(token)[16:32].hex())
        sent = [self.dice.choice(KINDS)(self.dice.randrange(1, 9)) for _ in range(self.dice.randrange(4))]
        form = [("token", token), ("service_code", subject), ("address_id", "fener"),
                ("address_string", f"Defter Sokak No {self.dice.randrange(300)}"),
                ("description", "Defter için bildirim."), ("first_name", "Defter"), ("last_name", "Tutan"),
                ("phone", f"053{self.dice.randrange(10**8):08d}" if self.dice.randrange(2) else "")]
        body, media = photos.multipart(form, [("photo", "x", data) for data in sent])
        self.ledger.send_photos(key, len(sent))
        self.ledger.attempt(key, time.monotonic())
        while True:
            answer = self._ask("POST", "/report?lang=tr", body, {"Content-Type": media})
            if answer is not None and answer[0] == 201:
                number = re.search(rb'class="number">([0-9-]+)<', answer[1]).group(1).decode()
                self.ledger.answer(key, number)
                return
            if answer is not None and answer[0] not in (429, 502, 503):
                raise AssertionError(f"intake said {answer[0]}: {answer[1][:3000]}")
            self.refused += 1
            time.sleep(0.03)

    def _ask(self, method, path, body=None, headers=None):
        """(status, body), None when there was no answer."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            link.request(method, path, body, headers or {})
            answer = link.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            link.close()


def files_of(stack):
    """name -> path, of every whole file."""
    folder = stack.path("state", "intake", "attachments")
    return {os.path.basename(path): path for path in glob.glob(os.path.join(folder, "[0-9a-f][0-9a-f]", "*"))}


def orphans(stack):
    known = {name for name, in stack.sql("select encode(digest, 'hex') from turunc.attachment")}
    return sorted(set(files_of(stack)) - known)


def check_photos(stack, ledger):
    """What was answered for is there, as often as it was sent; each row has its file, as it was written."""
    kept = dict(stack.sql("""select i.id, count(f.digest) from turunc.inbound_item i
                             left join turunc.attachment f on f.owner_id = i.item_id
                             where i.client = '' group by 1"""))
    for (client, item), wanted in ledger.photos.items():
        got = kept.get(item)
        if (client, item) in ledger.answers and got is not None and got != wanted:
            yield ("lost" if got < wanted else "applied twice"), f"form {item} has {got} photos of {wanted}"
    files = files_of(stack)
    for name, salt in stack.sql("select encode(digest, 'hex'), salt from turunc.attachment where digest is not null"):
        if name not in files:
            yield "lost", f"photo {name} has no file"
            continue
        with open(files[name], "rb") as file:
            content = file.read()
        if hashlib.sha256(bytes(salt) + content).hexdigest() != name:
            yield "lost", f"photo {name} is not what was written"
        if photos.SECRET in content:
            yield "personal data", f"photo {name} says who took it, and where"
    for name in orphans(stack):
        yield "phantom", f"file {name} belongs to no row"
