"""What the tests of the notifier share: a mail server and an SMS gateway that misbehave on demand
and keep everything they took, and people who have something to tell."""
import asyncio
import email
import email.policy
import glob
import http.server
import json
import os
import shutil
import threading
import time

import turunc
from aiosmtpd.controller import Controller
from intake_world import ticket_request
from router_world import Opener, Reader, event
from stack import CONFIG, Stack

STATES = ["", "queued", "sending", "sent", "unknown", "dead", "delivered", "discarded"]
# A message is sent and tried again at once; how long a server may take and how often it may put a message off is
# limited only against what never comes, so that a busy machine turns no message into one in doubt or a dead one.
FAST = {"TURUNC_NOTIFIER_SEND_TIMEOUT": "60s", "TURUNC_NOTIFIER_RETRY_FIRST": "100ms",
        "TURUNC_NOTIFIER_RETRY_CAP": "300ms", "TURUNC_NOTIFIER_ATTEMPTS": "100",
        "TURUNC_NOTIFIER_RATE": "100000"}
# Of those who wait for a server that never answers.
IMPATIENT = {"TURUNC_NOTIFIER_SEND_TIMEOUT": "5s"}


class Mail:
    """One mail as it came: the envelope's recipient and sender, and the parsed message."""

    def __init__(self, to, content, sender=None):
        self.to = to
        self.sender = sender
        self.raw = content
        self.message = email.message_from_bytes(content, policy=email.policy.default)
        self.subject = str(self.message["subject"])
        self.text = self.message.get_body(("plain",)).get_content().replace("\r\n", "\n")
        self.html = self.message.get_body(("html",)).get_content().replace("\r\n", "\n")
        self.id = str(self.message["message-id"])[1:].split("@")[0]


class MailServer:
    """mode: ok, later (451 once a message, then ok), no_such (550 at RCPT), spam (554 after DATA),
    bytes (that once, with words that are no ASCII), vanish (takes the mail, closes without a word),
    hang (takes the mail, never answers)."""

    def __init__(self, port, **tls):
        self.port = port
        self.tls = tls  # tls_context, require_starttls
        self.mode = "ok"
        self.delay_s = 0
        self.taken = []
        self.tries = {}
        self._controller = None

    def start(self):
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, ident="test",
                                      enable_SMTPUTF8=True, **self.tls)
        self._controller.start()

    def stop(self):
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.mode == "no_such":
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = Mail(envelope.rcpt_tos[0], envelope.content, envelope.mail_from)
        mail.tls = session.ssl is not None
        self.tries[mail.id] = self.tries.get(mail.id, 0) + 1
        if self.mode == "later" and self.tries[mail.id] == 1:
            return "451 4.3.0 come back"
        if self.mode == "spam":
            return "554 5.7.1 not this"
        if self.mode == "bytes":
            self.mode = "ok"
            return "554 5.7.1 " + "ş" * 200
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        self.taken.append(mail)
        if self.mode == "vanish":
            server.transport.abort()
        elif self.mode == "hang":
            await asyncio.sleep(30)
        return "250 2.0.0 taken"


class Gateway:
    """mode: ok, busy (503 once a message, then ok), no (400), broken (500, and took it), hang
    (takes it, never answers), garbage (takes it, answers no HTTP), login (401)."""

    def __init__(self, port):
        self.mode = "ok"
        self.taken = []
        self.tries = {}
        self.authorization = set()
        gateway = self

        class Door(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                gateway.authorization.add(self.headers.get("Authorization"))
                gateway.answer(self, body)

            def log_message(self, *args):
                """Says nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Door)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def answer(self, door, body):
        self.tries[body["id"]] = self.tries.get(body["id"], 0) + 1
        if self.mode == "busy" and self.tries[body["id"]] == 1:
            return self._say(door, 503, b"busy")
        if self.mode == "no":
            return self._say(door, 400, b"{}")
        if self.mode == "login":
            return self._say(door, 401, b"{}")
        self.taken.append(body)
        if self.mode == "broken":
            return self._say(door, 500, b"oops")
        if self.mode == "hang":
            time.sleep(30)
        if self.mode == "garbage":
            door.wfile.write(b"\x00\x01\x02 nonsense\r\n\r\n")
            door.close_connection = True
            return None
        return self._say(door, 200, json.dumps({"id": f"gw-{len(self.taken)}"}).encode())

    @staticmethod
    def _say(door, status, body):
        door.send_response(status)
        door.send_header("Content-Length", str(len(body)))
        door.end_headers()
        door.wfile.write(body)


class World:
    """intake, router and notifier, with the two servers in this process."""

    def __init__(self, quiet=("08:00", "08:00"), own_postgres=False, **env):
        self.stack = Stack(services=["intake", "router", "notifier"], config=None,
                           own_postgres=own_postgres, env={"notifier": {**FAST, **env}})
        self.configure(quiet)
        self.mail = MailServer(self.stack.port["smtp"])
        self.sms = Gateway(self.stack.port["sms"])
        self.mail.start()
        self.stack.start()
        folder = self.stack.client("merkez")
        self.department = turunc.Client(folder)
        self.reader = Reader(self.stack)

    def configure(self, quiet=("08:00", "08:00"), keyword=""):
        """The worked municipality, quiet from and to these times (equal: never); with a keyword, that citizens send to 3344."""
        folder = self.stack.path("config")
        shutil.copytree(CONFIG, folder, dirs_exist_ok=True)
        path = os.path.join(CONFIG, "municipality.csv")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        text = text.replace("quiet_from,21:00", f"quiet_from,{quiet[0]}")
        text = text.replace("quiet_to,08:00", f"quiet_to,{quiet[1]}")
        if keyword:
            text = text.replace("sms_reply_to,\nsms_keyword,\n", f"sms_reply_to,3344\nsms_keyword,{keyword}\n")
            for name in glob.glob(os.path.join(folder, "templates", "*.reply.txt")):
                with open(name, "a", encoding="utf-8") as file:
                    file.write("{sms_keyword}\n")
        with open(os.path.join(folder, "municipality.csv"), "w", encoding="utf-8") as file:
            file.write(text)
        before = self._loaded()
        applied = self._applied()
        self.stack.masa("config", "apply", folder)
        if self._is_running() and self._applied() > applied:
            self.stack.wait(lambda: self._loaded() > before, 30, "the notifier has the new words")

    def _applied(self):
        return self.stack.one("select count(*) from turunc.event_log where type = 'config.applied'")

    def _loaded(self):
        return self.stack.log("notifier").count("catalogue loaded") if self._is_running() else 0

    def _is_running(self):
        return self.stack.process["notifier"].running()

    def close(self):
        self.department.close()
        clean = self.stack.close()
        self.mail.stop()
        self.sms.stop()
        return clean

    def open(self, count=1, **fields):
        """Printed numbers of new tickets."""
        given = {"subject_code": "cop-alinmadi", "neighbourhood": "sirinyali",
                 "description": "Çöp toplanmadı", "name": "Ayşe Yılmaz", "language": "tr",
                 **fields}
        for_each = [{k: (v.format(n=n) if isinstance(v, str) else v) for k, v in given.items()}
                    for n in range(count)]
        results = self.department.publish_many([ticket_request(**f) for f in for_each], timeout=120)
        assert all(r.ticket for r in results), results
        return [r.ticket for r in results]

    def end(self, number, verb="resolve", **more):
        """As the department does, when the ticket has been routed."""
        state = self.reader.wait_status(number, "routed")
        fields = {"reason_code": "yapildi", "text": "Ekip gönderildi; alan temizlendi.", **more}
        return self.department.command(number, verb, state["version"], timeout=60, **fields)

    def rows(self, number=None):
        """{(about, channel): (state, attempts, error, id)} of a ticket; of all as a list."""
        names = """about_type, channel, state, attempts, last_error, notification_id::text"""
        where = "" if number is None else f"where ticket_id = {Opener.id_of(number)}"
        found = self.stack.sql(f"select {names} from turunc.notification {where} order by about_seq")
        rows = [((a.split(".")[1], c), (STATES[s], n, e, i)) for a, c, s, n, e, i in found]
        return dict(rows) if number is not None else rows

    def state(self, number, about):
        found = [row for (what, _), row in self.rows(number).items() if what == about]
        return found[0][0] if found else None

    def wait_state(self, number, about, state, limit_s=15):
        self.stack.wait(lambda: self.state(number, about) == state, limit_s,
                        f"{about} of {number} is {state}: {self.rows(number)}")
        return [row for (what, _), row in self.rows(number).items() if what == about][0]

    def wait_settled(self, limit_s=60):
        """Every ticket is routed, every record was told, and nothing is queued or being sent."""
        def settled():
            if self.stack.one("""select count(*) from turunc.ticket t where not exists
                                 (select from turunc.ticket_state s where s.ticket_id = t.ticket_id)"""):
                return False
            behind = self.stack.one(
                """select coalesce((select max(seq) from turunc.event_log where type like 'ticket.%'
                           and type in ('ticket.opened', 'ticket.routed', 'ticket.resolved')), 0)
                   - (select seq from turunc.consumer_cursor
                      where client = '' and name = 'notifier')""")
            left = self.stack.one("select count(*) from turunc.notification where state in (1, 2)")
            return behind is not None and behind <= 0 and left == 0
        self.stack.wait(settled, limit_s, "everything is told")

    def outcomes(self):
        """{notification id: [type, ...]} of the records in the log."""
        found = {}
        for kind, data in self.stack.sql("""select type, event from turunc.event_log
                                            where type like 'notification.%' order by seq"""):
            step = event.Event.FromString(bytes(data)).notification
            found.setdefault(step.notification_id, []).append((kind, step.reason))
        return found

