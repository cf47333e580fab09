"""An operator who takes messages without a ticket off the list and puts them back, and remembers what was answered: what
was said to be off the list is off it, whatever becomes of the service in between."""
import time
import uuid

from people import Browser

PASSWORD = "nobetci parolasi 1"


class Dismisser:
    def __init__(self, stack):
        self.stack = stack
        self.name = "nobet-ayiklayan"
        stack.user(self.name, "operator", password=PASSWORD)
        self.someone = Browser(stack, "intake", "/call/")
        self.contact = str(uuid.uuid4())
        self.off = False
        self.wrong = []
        stack.sql("""insert into turunc.contact (contact_id, kind, channel, arrived_us, recorded_us, language, description, salt)
            values (%s, 'sms', 8, 1, %s, 'tr', 'ayiklanacak', 'x')""", self.contact, time.time_ns() // 1000)

    def turn(self):
        if self.someone.cookie is None and (self.someone.try_to_sign_in(self.name, PASSWORD).status != 303
                                            or self.someone.get("/call/password").status != 200):
            self.someone.cookie = None
            return
        answer = self.someone.post("/call/unassigned", {"contact": self.contact, "dismiss": "back" if self.off else "spam"})
        if answer.status in (401, 303) and "/call/unassigned" not in answer.headers.get("Location", ""):
            self.someone.cookie = None
        elif answer.status == 303:
            self.off = not self.off
            if self._is_off() != self.off:
                self.wrong.append(f"a message was said to be {'off' if self.off else 'on'} the list, and is not")
        else:
            self.off = self._is_off()  # the last act was written, and its answer was never heard

    def _is_off(self):
        return self.stack.one("select dismissed_us is not null from turunc.contact where contact_id = %s", self.contact)

    def complaints(self):
        return self.wrong
