"""An intake that watches a folder for files of CİMER's applications, and what becomes of them there."""
import csv
import os

from process import wait_until
from stack import Stack


class World:
    def __init__(self):
        self.folder = None
        self.stack = None
        self.count = 0

    def open(self, services=("intake", "router"), **settings):
        self.stack = Stack(services=list(services), env={"intake": {
            "TURUNC_CIMER_DIR": "cimer", "TURUNC_CIMER_LOOK": "50ms", "TURUNC_CIMER_SETTLE": "100ms", **settings}})
        self.folder = self.stack.path("cimer")
        os.mkdir(self.folder)
        self.stack.start()
        return self

    def put(self, name, data):
        """As a program does that knows what it is doing: by renaming."""
        data = data.encode() if isinstance(data, str) else data
        with open(os.path.join(self.folder, ".draft"), "wb") as file:
            file.write(data)
        os.rename(os.path.join(self.folder, ".draft"), os.path.join(self.folder, name))

    def where(self, name):
        for place in ("done", "rejected"):
            if os.path.exists(os.path.join(self.folder, place, name)):
                return place
        return "waiting" if os.path.exists(os.path.join(self.folder, name)) else None

    def report(self, name):
        """The rows of the list beside it, without the header."""
        place = self.where(name)
        ending = {"done": "tickets", "rejected": "errors"}[place]
        with open(os.path.join(self.folder, place, f"{name}.{ending}.csv"), encoding="utf-8-sig",
                  newline="") as file:
            return list(csv.reader(file, delimiter=";"))[1:]

    def settled(self, name, limit_s=40):
        wait_until(lambda: self.where(name) in ("done", "rejected"), limit_s, f"{name} was put away")
        return self.where(name)

    def take(self, data, ending="csv"):
        """(where it went, the list beside it)"""
        self.count += 1
        name = f"liste {self.count}.{ending}"
        self.put(name, data)
        return self.settled(name), self.report(name)

    def ticket(self, reference):
        rows = self.stack.sql("""select t.ticket_id, t.arrived_us, t.legal_basis, t.subject_code, t.channel,
            c.name, c.phone, c.email, c.description, c.address, t.neighbourhood, t.public from
            turunc.cimer_application a join turunc.ticket t using (ticket_id) join turunc.contact c using
            (contact_id) where a.reference = %s""", reference)
        return rows[0] if rows else None

    def tickets(self):
        return self.stack.one("select count(*) from turunc.ticket")
