"""People at the desk, and tickets for them to work with."""
import html
import re
import uuid

from people import Browser
from router_world import Opener, Reader

PEOPLE = {  # name: roles, departments
    "ayse": ("clerk", "temizlik"),
    "fatma": ("clerk", "fen"),
    "iki": ("clerk", "temizlik,fen"),
    "oya": ("operator", ""),
    "cem": ("call-taker", ""),
    "vedat": ("viewer", "temizlik"),
}


class Person(Browser):
    def __init__(self, stack, name):
        super().__init__(stack, "router", "/desk/")
        self.name = name

    def step(self, number, verb, version, form_id=None, **fields):
        """Takes a step as the page's form would."""
        return self.post(f"/desk/ticket/{number}?lang=tr", {
            "id": form_id or str(uuid.uuid4()), "version": version, "verb": verb, **fields})

    def ticket(self, number, **more):
        return self.get(f"/desk/ticket/{number}?lang=tr", **more)


class DeskWorld:
    def __init__(self, stack):
        self.stack = stack
        self.opener = Opener(stack)
        self.reader = Reader(stack)
        self.password = {name: stack.user(name, *rights) for name, rights in PEOPLE.items()}
        for name in PEOPLE:
            setattr(self, name, Person(stack, name))

    def sign_everybody_in(self):
        for name in PEOPLE:
            getattr(self, name).sign_in(name, self.password[name])

    def routed(self, subject="cop-alinmadi", neighbourhood="sirinyali", **more):
        number = self.opener.open(subject, neighbourhood, **more)
        self.reader.wait_status(number, "routed")
        return number

    def version(self, number):
        return self.reader.state(number)["version"]


def text_of(page):
    """What a person reads, without markup."""
    return html.unescape(re.sub(r"<[^>]+>", " ", page.text))
