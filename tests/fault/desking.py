"""An operator at the desk who notes tickets and decides over what failed, and remembers what was answered:
a note that was said to be recorded is there once, also when its form was sent again because nobody
answered; a decision that was said to be taken stands."""
import re
import time
import uuid

import photos
from people import Browser

PASSWORD = "nobetci masasi 1"
NAME = "nobet-masa"


class Desker:
    def __init__(self, stack):
        self.stack = stack
        stack.user(NAME, "operator", password=PASSWORD)
        self.someone = Browser(stack, "router", "/desk/")
        self.form = None                # (number, fields, with a photo): sent, and not answered yet
        self.noted = []                 # form ids that were answered positively
        self.photographed = []          # those of them that had a photo
        self.wrong = []

    def _ready(self):
        if self.someone.cookie is None and self.someone.try_to_sign_in(NAME, PASSWORD).status != 303:
            return False
        if self.someone.csrf is None and self.someone.get("/desk/password").status != 200:
            self.someone.cookie = None
            return False
        return True

    def turn(self, step):
        if self._ready():
            if step == "decide_letter":
                self._decide("letter")
            elif step == "acknowledge":
                self._acknowledge()
            elif step == "decide_message":
                self._decide("message")
            else:
                self._note(step in ("add_photos", "evidence"))

    def _note(self, with_photo):
        if self.form is None:
            department = self.stack.one("select department from turunc.ticket_state where status between 3 and 6 "
                                        "order by ticket_id desc limit 1")
            page = department and self.someone.get(f"/desk/?department={department}")
            row = page and re.search(r'<tr id="t-([\d-]+)" data-v="(\d+)"', page.body.decode("utf-8", "replace"))
            if not row:
                return
            self.form = (row.group(1), {"id": str(uuid.uuid4()), "version": row.group(2), "verb": "note",
                                        "text": "Masadan not."}, with_photo)
        number, fields, has_photo = self.form
        if has_photo:
            body, kind = photos.multipart(fields.items(), [("photo", "a.jpg", photos.jpeg())])
            answer = self.stack.http("router", "POST", f"/desk/ticket/{number}?csrf={self.someone.csrf}", body=body, timeout=60,
                                     headers=self.someone.headers({"Content-Type": kind}))
        else:
            answer = self.someone.post(f"/desk/ticket/{number}", fields)
        if answer.status == 303 and "/sign-in" not in answer.headers["Location"]:
            self.noted.append(fields["id"])
            self.photographed += [fields["id"]] * has_photo
        if answer.status in (303, 403, 409, 422):
            self.form = None

    def _decide(self, kind):
        """Something that failed is put there, and discarded."""
        ticket = self.stack.one("select max(ticket_id) from turunc.ticket")
        if ticket is None:
            return
        if kind == "message":
            what = str(uuid.uuid4())
            self.stack.sql("insert into turunc.notification (notification_id, ticket_id, about_seq, about_type, channel, "
                           "language, recipient, body, state, created_us, updated_us) values (%s, %s, %s, 'probe', 'probe', "
                           "'tr', 'x', 'x', 5, 1, 1)", what, ticket, uuid.uuid4().int % 2**62)
        else:
            seq = uuid.uuid4().int % 2**40 + 2**50
            what = f"metrics:{seq}"
            self.stack.sql("insert into turunc.dead_letter (consumer, seq, type, reason, first_us, last_us, in_row) "
                           "values ('metrics', %s, 'probe', 'misfit', 1, 1, 1)", seq)
        answer = self.someone.post("/desk/failed", {"kind": kind, "what": what, "do": "discard", "why": "deneme"})
        state = self.stack.one("select state from turunc.notification where notification_id::text = %s", what) \
            if kind == "message" else self.stack.one("select state from turunc.dead_letter where consumer || ':' || seq = %s",
                                                     what)
        if answer.status == 303 and "done" in answer.headers["Location"] and state != (7 if kind == "message" else 4):
            self.wrong.append(f"{kind} {what} was said to be discarded, and is {state}")
        # What nobody answered is not left for others to stumble over.
        if kind == "message":
            self.stack.sql("delete from turunc.notification where notification_id::text = %s", what)
        else:
            self.stack.sql("delete from turunc.dead_letter where consumer || ':' || seq = %s", what)

    def _acknowledge(self):
        """An alarm is put there, long ended, and acknowledged."""
        alarm = self.stack.one("insert into turunc.board_alarm (kind, about, value, bound, raised_us, seen_us, ended_us) "
                               "values ('surge', 'defter/tutan', 5, 5, 1, 1, %s) returning alarm_id", time.time_ns() // 1000)
        answer = self.someone.post("/desk/alarms", {"alarm": str(alarm)})
        by = self.stack.one("select acknowledged_by from turunc.board_alarm where alarm_id = %s", alarm)
        if answer.status == 303 and "done" in answer.headers["Location"] and by != NAME:
            self.wrong.append(f"alarm {alarm} was said to be acknowledged, and is {by}")
        self.stack.sql("delete from turunc.board_alarm where alarm_id = %s", alarm)

    def complaints(self):
        for form_id in self.noted:
            if self.stack.one("select count(*) from turunc.command_result where client = %s and command_id = %s "
                              "and refusal = 0", f"user:{NAME}", form_id) != 1:
                self.wrong.append(f"note {form_id} was said to be recorded, and is not")
        done = self.stack.one("select count(*) from turunc.command_result where client = %s and refusal = 0", f"user:{NAME}")
        texts = self.stack.one("select count(*) from turunc.ticket_text where actor = %s", f"user:{NAME}")
        photographed = self.stack.one("select count(*) from turunc.attachment where actor = %s", f"user:{NAME}")
        without = self.stack.one("select count(*) from turunc.attachment f where actor = %s and not exists (select 1 from "
                                 "turunc.ticket_text x where x.text_id = f.owner_id)", f"user:{NAME}")
        if photographed < len(self.photographed) or without > 0:
            self.wrong.append(f"{len(self.photographed)} photos were said to be kept, {photographed} are; "
                              f"{without} without their note")
        if done != texts:
            self.wrong.append(f"{done} notes were recorded at the desk, {texts} are there")
        return self.wrong
