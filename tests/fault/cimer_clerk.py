"""Somebody who puts files of CİMER's applications into intake's folder, some of them twice, and reads the list
of tickets beside them in done/; and whether each application of such a list is one ticket under its reference."""
import csv
import datetime
import os
import random
import time

import sheets
from actors import Actor

CLIENT = "turunc.cimer"     # what the record knows them by
FOLDER = "cimer"            # beside the services' other folders
UNITS = ("90000001", "90000002", "90000003", "")


def environment():
    return {"TURUNC_CIMER_DIR": FOLDER, "TURUNC_CIMER_LOOK": "50ms", "TURUNC_CIMER_SETTLE": "100ms"}


class CimerClerk(Actor):
    def __init__(self, name, ledger, pause_s, stack):
        super().__init__(name, ledger, pause_s)
        self.client_name = CLIENT
        self.folder = stack.path(FOLDER)
        os.makedirs(self.folder, exist_ok=True)
        self.dice = random.Random(name)
        self.files = 0
        self.sent = []      # rows of files that are done

    def turn(self):
        self.files += 1
        day = sheets.today() - datetime.timedelta(days=self.dice.randrange(1, 20))
        rows = [sheets.application(
            f"{self.name}-{self.files}-{n}", day.strftime("%d.%m.%Y"), "Defter için başvuru.", name="Defter", surname="Tutan",
            unit=self.dice.choice(UNITS), phone=f"053{self.dice.randrange(10**8):08d}" if n == 0 else "",
            address=f"Defter Sokak No {n}") for n in range(self.dice.randrange(1, 5))]
        again = self.dice.sample(self.sent, min(len(self.sent), self.dice.randrange(3)))
        for row in rows:
            self.ledger.attempt((CLIENT, row[0]), time.monotonic())
            self.ledger.given_up(CLIENT, row[0])      # a file waits by design: it is nobody's request in flight
        name = f"{self.name}-{self.files}"
        data = (sheets.book_of(rows + again) if self.dice.randrange(2)
                else sheets.csv_text(rows + again).encode("windows-1254"))
        with open(os.path.join(self.folder, ".draft"), "wb") as file:
            file.write(data)
        os.rename(os.path.join(self.folder, ".draft"), os.path.join(self.folder, name))
        if not self._put_away(name):
            return
        for _, reference, number, *_ in self._list(name):
            self.ledger.answer((CLIENT, reference), number)
        self.sent = (self.sent + rows)[-50:]

    def _put_away(self, name):
        """Until it is in done/; False when that has not come within two minutes of being told to stop."""
        end = None
        while not os.path.exists(os.path.join(self.folder, "done", name)):
            if os.path.exists(os.path.join(self.folder, "rejected", name)):
                raise AssertionError(f"{name} was rejected")
            if self.stopping():
                end = end or time.monotonic() + 80
                if time.monotonic() > end:
                    raise AssertionError(f"{name} was left in the folder")
            time.sleep(0.03)
        return True

    def _list(self, name):
        with open(os.path.join(self.folder, "done", f"{name}.tickets.csv"), encoding="utf-8-sig", newline="") as file:
            return list(csv.reader(file, delimiter=";"))[1:]


def check_applications(stack, ledger):
    """What a list said was opened is there under its reference; no reference has two tickets."""
    rows = dict(stack.sql("select reference, ticket_id from turunc.cimer_application"))
    for (client, reference), number in ledger.answers.items():
        if client == CLIENT and rows.get(reference) != int(number.replace("-", "")[:-1]):
            yield "lost", f"application {reference} is ticket {number} by its list; the record says {rows.get(reference)}"
    for reference in rows:
        if (CLIENT, reference) not in ledger.attempts:
            yield "phantom", f"application {reference} was in no file"
    yield from lists_left(stack)


def lists_left(stack, limit_s=20):
    """What is in the record is left in no list, whatever was killed as it was put away."""
    folder, end = stack.path("cimer", "done"), time.monotonic() + limit_s
    while os.path.isdir(folder):
        whole = [name for name in os.listdir(folder) if not name.endswith(".tickets.csv") and not name.startswith(".")
                 and os.path.getsize(os.path.join(folder, name)) > 0]
        if not whole:
            return
        if time.monotonic() > end:
            yield "left", f"{len(whole)} lists in done/ keep what they held: {whole[:3]}"
            return
        time.sleep(0.1)
