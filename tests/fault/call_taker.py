"""A call-taker at their page: registers what callers say, each form until it is answered, and signs in again
when that is asked for; and whether every call that was answered for is in the ledger, with its ticket."""
import base64
import html
import http.client
import random
import re
import time
import urllib.parse

from web_citizen import WebCitizen

PASSWORD = "nobetci parolasi 2"
SUBJECTS = ("sulama-ariza", "park-bakim", "cadde-supurme")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class CallTaker(WebCitizen):
    def __init__(self, name, ledger, pause_s, stack, port):
        super().__init__(name, ledger, pause_s, port)
        stack.user(name, "call-taker", password=PASSWORD)
        self.user = name
        self.dice = random.Random(name)
        self.cookie = None

    def _request(self, method, path, form=None):
        """(status, body, location), None when there was no answer."""
        headers = {"Accept": "text/html", "Origin": f"http://127.0.0.1:{self.port}", **FORM}
        if self.cookie:
            headers["Cookie"] = f"turunc={self.cookie}"
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            link.request(method, path, form and urllib.parse.urlencode(form), headers)
            answer = link.getresponse()
            body = answer.read().decode("utf-8", "replace")
            for given in answer.headers.get_all("Set-Cookie") or []:
                self.cookie = re.match(r"turunc=([^;]*)", given).group(1) or None
            return answer.status, body, answer.headers.get("Location", "")
        except (OSError, http.client.HTTPException):
            return None
        finally:
            link.close()

    def _page(self):
        """csrf and token of the page's form; None when told to stop."""
        while not self.stopping():
            answer = self._request("GET", "/call/?lang=tr") if self.cookie else None
            if answer and answer[0] == 200 and 'id="call"' in answer[1]:
                form = answer[1].split('id="call"')[1]
                return [html.unescape(re.search(rf'name="{name}" value="([^"]+)"', form).group(1))
                        for name in ("csrf", "token")]
            if not self.cookie or (answer and answer[0] in (303, 401, 403)):
                self._request("POST", "/call/sign-in", {"name": self.user, "password": PASSWORD})
            time.sleep(0.03)
        return None

    def turn(self):
        page = self._page()
        if page is None:
            return
        csrf, token = page
        key = ("", base64.urlsafe_b64decode(token)[16:32].hex())
        form = {"token": token, "service_code": self.dice.choice(SUBJECTS), "address_id": "fener",
                "address_string": f"Defter Sokak No {self.dice.randrange(300)}", "description": "Defter için çağrı.",
                "first_name": "Defter Arayan", "phone": f"053{self.dice.randrange(10**8):08d}"}
        self.ledger.send_photos(key, 0)
        self.ledger.attempt(key, time.monotonic())
        self.ledger.calls.add(key[1])
        while True:
            answer = self._request("POST", "/call/ticket?lang=tr", {**form, "csrf": csrf})
            number = answer and answer[0] == 303 and re.search(r"no=([0-9-]+)", answer[2])
            if number:
                self.ledger.answer(key, number.group(1))
                return
            if answer and answer[0] in (303, 401, 403):     # the session has ended: another, the same form
                page = self._page() or [csrf]
                csrf = page[0]
            elif answer and answer[0] not in (502, 503):
                raise AssertionError(f"intake said {answer[0]}: {answer[1][:3000]}")
            self.refused += 1
            time.sleep(0.03)


def check_calls(stack, ledger):
    """Each call that was answered for is a row of its own, ended with the ticket it was answered with."""
    rows = {call: (ticket, disposition, answered) for call, ticket, disposition, answered in stack.sql(
        "select call_id, ticket_id, disposition, answered_us from turunc.call where client = ''")}
    aliases = dict(stack.sql("select alias_id, ticket_id from turunc.ticket_alias"))
    for form in ledger.calls:
        number = ledger.answers.get(("", form))
        if number is None:
            continue
        ticket = int(number.replace("-", "")[:-1])
        got = rows.get(f"page-{form}")
        if got is None or got[2] is None:
            yield "lost", f"the call of form {form} is not in the ledger, or was not answered"
        elif got[1] != "ticket" or aliases.get(got[0], got[0]) != aliases.get(ticket, ticket):
            yield "lost", f"the call of form {form} ended as {got[:2]} and not with {number}"
