"""The SMS gateway's side of the notifier's door: it says which texts have arrived, and brings what people write, each
until it hears 200 and some again after that; and whether each is in the record, once."""
import http.client
import json
import random
import time

import psycopg2
from actors import Actor

SECRET = "defter-tutan-saglayici"
PATH = f"/receipts/generic/{SECRET}"
RECEIPT, TEXT = "receipt", "text"


class SmsGateway(Actor):
    def __init__(self, name, ledger, pause_s, stack, port):
        super().__init__(name, ledger, pause_s)
        self.client_name = name
        self.stack = stack
        self.port = port
        self.dice = random.Random(name)
        self.link = None
        self.in_hand = None     # what it waits for an answer to
        self.arrived = set()    # messages whose arrival was told, and taken
        self.texts = set()      # what people wrote, and was taken
        self.tried = set()      # all that it has tried to bring
        self.count = 0

    def turn(self):
        if self.dice.randrange(3):
            self._bring_a_text()
        else:
            self._tell_of_an_arrival()

    def _bring_a_text(self):
        self.count += 1
        text = f"Defter için {self.count}. mesaj"
        said = {"from": f"+9053{self.dice.randrange(10**8):08d}", "text": text, "id": f"mesaj-{self.count}"}
        self.tried.add(text)
        self._until_taken(TEXT, said)
        self.texts.add(text)
        if self.dice.randrange(4) == 0:
            self._until_taken(TEXT, said)       # as after a 200 that got lost

    def _tell_of_an_arrival(self):
        fresh = [message for message in self._sent() if message not in self.arrived]
        if fresh:
            message = self.dice.choice(fresh)
            self._until_taken(RECEIPT, {"id": message, "status": "delivered"})
            self.arrived.add(message)

    def _until_taken(self, what, said):
        self.in_hand = what
        while True:
            status = self._post(json.dumps(said))
            if status == 200:
                break
            if status not in (None, 429, 503):
                raise AssertionError(f"the notifier said {status} to {said}")
            time.sleep(0.03)
        self.in_hand = None
        self.ledger.answered_by[self.client_name] += 1

    def _sent(self):
        """Texts that the record calls sent; nothing is ever said of half of them.  [] while the record is away."""
        try:
            if self.link is None or self.link.closed:
                self.link = psycopg2.connect(self.stack.conninfo())
                self.link.autocommit = True
            with self.link.cursor() as cursor:
                cursor.execute("select notification_id::text from turunc.notification where channel = 'sms' and state = 3"
                               " and gateway = 'generic' and right(notification_id::text, 1) < '8'"
                               " order by created_us desc limit 40")
                return [row[0] for row in cursor.fetchall()]
        except psycopg2.Error:
            self.link = None
            return []

    def _post(self, body):
        """The status, None when there was no answer."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            link.request("POST", PATH, body.encode(), {"Content-Type": "application/json"})
            answer = link.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            link.close()


def check_gateway(stack, gateway):
    kept = dict(stack.sql("select description, count(*) from turunc.contact where kind = 'sms'"
                          " and description like 'Defter için %% mesaj' group by 1"))
    for text in sorted(gateway.texts - set(kept)):
        yield "lost", f"the text {text!r} was taken and is not there"
    for text, times in sorted(kept.items()):
        if text not in gateway.tried:
            yield "phantom", f"nobody wrote {text!r}"
        elif times > 1:
            yield "applied twice", f"the text {text!r} stands {times} times"
    states = dict(stack.sql("select notification_id::text, state from turunc.notification where channel = 'sms'"))
    for message in sorted(gateway.arrived):
        if states.get(message) != 6:
            yield "lost", f"{message} has arrived, as was told and taken; the record says {states.get(message)}"
    delivered, told = stack.one("select count(*) from turunc.notification where state = 6"), stack.one(
        "select count(*) from turunc.event_log where type = 'notification.delivered'")
    if delivered != told:
        yield "applied twice" if told > delivered else "lost", f"{delivered} messages have arrived, {told} records say so"
