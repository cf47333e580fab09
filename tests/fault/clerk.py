"""A clerk at the desk who notes what waits in triage, each note's form until it is answered; and whether each that
was answered for stands there, once."""
import re
import time
import uuid

from actors import Actor
from people import Browser
from web import request

NAME, PASSWORD, OFFICE = "katip-masa", "katibin dort kelimesi", "yazi"


class Through:
    """The stack as it looks from behind a link in front of one service."""

    def __init__(self, stack, service, port):
        self.port = {**stack.port, f"{service}_http": port}

    def http(self, service, method, path, **more):
        return request(self.port[f"{service}_http"], method, path, **more)


class Clerk(Actor):
    def __init__(self, name, ledger, pause_s, stack, port):
        super().__init__(name, ledger, pause_s)
        self.client_name = name
        stack.user(NAME, "operator", password=PASSWORD)
        self.someone = Browser(Through(stack, "router", port), "router", "/desk/")
        self.in_hand = False    # the queue, or a note, waits for its answer
        self.noted = []         # forms that were answered for
        self.refused = 0

    def turn(self):
        self.in_hand = True
        row = self._first_row()
        if row is not None:
            number, version = row
            form = {"id": str(uuid.uuid4()), "version": version, "verb": "note", "text": "Defter için not."}
            while not self._send(number, form):
                time.sleep(0.03)
        self.in_hand = False

    def _first_row(self):
        """(number, version) of what waits; None when nobody says so."""
        if not self._signed_in():
            return None
        page = self.someone.get(f"/desk/?department={OFFICE}")
        found = re.search(r'<tr id="t-([\d-]+)" data-v="(\d+)"', page.body.decode("utf-8", "replace"))
        return found.groups() if page.status == 200 and found else None

    def _signed_in(self):
        """False while there is no answer."""
        if self.someone.cookie is None and self.someone.try_to_sign_in(NAME, PASSWORD).status != 303:
            return False
        if self.someone.csrf is None and self.someone.get("/desk/password").status != 200:
            self.someone.cookie = None
            return False
        return True

    def _send(self, number, form):
        """True when it was answered, for or against."""
        if not self._signed_in():
            return False
        answer = self.someone.post(f"/desk/ticket/{number}", {k: v for k, v in form.items() if k != "csrf"})
        if answer.status == 303 and "/sign-in" not in answer.headers["Location"]:
            self.noted.append(form["id"])
            self.ledger.answered_by[self.client_name] += 1
            return True
        if answer.status in (403, 303, 401):
            self.someone.cookie = self.someone.csrf = None      # signed in anew, with the same form
            return False
        if answer.status in (409, 422):
            self.refused += 1
            return True
        if answer.status not in (0, 429, 502, 503):
            raise AssertionError(f"the desk said {answer}")
        return False


def check_clerk(stack, clerk):
    who = f"user:{NAME}"
    results = dict(stack.sql("select command_id::text, count(*) from turunc.command_result where client = %s"
                             " and refusal = 0 group by 1", who))
    for form in clerk.noted:
        if results.get(form) != 1:
            yield ("applied twice" if form in results else "lost",
                   f"note {form} was said to be recorded, and stands {results.get(form, 0)} times")
    texts = stack.one("select count(*) from turunc.ticket_text where actor = %s", who)
    if texts != len(results):
        yield "applied twice" if texts > len(results) else "lost", f"{len(results)} notes were recorded, {texts} are there"
