"""SMS providers that speak their own protocols, strictly: what the texts of Netgsm (REST v2), İleti Merkezi
(JSON v1) and Verimor (JSON v2) do not say is refused.  Each keeps what it took, and misbehaves on demand."""
import base64
import http.server
import json
import re
import threading
import time
import urllib.parse

MOBILE = re.compile(r"5\d{9}$")


class Refusal(Exception):
    """The request is not what the protocol says."""


def need(condition, why):
    if not condition:
        raise Refusal(why)


class Provider:
    """mode: ok; hang (takes it, never answers); lost (takes nothing, never answers); broken (takes it, 500);
    later (503 once a message, and took it all the same); no (will not have this one); login (does not know
    us); garbage (takes it, answers rubbish).  known: what it answers questions, see status."""

    def __init__(self):
        self.mode = "ok"
        self.status = "delivered"  # waiting, failed, mute
        self.taken = []  # (number, text, id)
        self.refused = []  # why a request was not understood
        self.asked = 0
        self.deferred = set()
        provider = self

        class Door(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    need(self.headers["Content-Type"] == "application/json", "content type")
                    provider.post(self, json.loads(body))
                except (Refusal, KeyError, ValueError, TypeError) as why:
                    provider.refused.append(repr(why))
                    provider.say(self, 400, b"NOT_UNDERSTOOD")

            def do_GET(self):
                provider.get(self)

            def log_message(self, *args):
                """Says nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    @staticmethod
    def say(door, status, body):
        if not isinstance(body, bytes):
            body = json.dumps(body, ensure_ascii=False).encode()
        door.send_response(status)
        door.send_header("Content-Length", str(len(body)))
        door.end_headers()
        door.wfile.write(body)

    def texts(self, part):
        return [t for t in list(self.taken) if part in t[1]]

    def message(self, door, number, text, own_id):
        """True: it is to be answered as taken; else it was answered, or never will be."""
        if self.mode == "login":
            self.say_login(door)
        elif self.mode == "no":
            self.say_no(door)
        elif self.mode == "lost":
            time.sleep(30)
            door.close_connection = True
        elif (number, text) in [t[:2] for t in self.taken] and self.say_duplicate(door):
            pass
        else:
            self.taken.append((number, text, own_id))
            if self.mode == "hang":
                time.sleep(30)
                door.close_connection = True
            elif self.mode == "broken":
                self.say(door, 500, b"oops")
            elif self.mode == "later" and (number, text) not in self.deferred:
                self.deferred.add((number, text))
                self.say(door, 503, b"busy")
            elif self.mode == "garbage":
                self.say(door, 200, b"\xff\x00<html>{{{")
            else:
                return True
        return False

    def say_duplicate(self, door):
        """Whether it keeps same texts apart at the door."""
        return False

    def get(self, door):
        self.say(door, 404, b"")


class Netgsm(Provider):
    USER, PASSWORD = "8501112233", "par@ola"
    CODES = {"delivered": 1, "waiting": 0, "failed": 3}

    def post(self, door, body):
        token = base64.b64encode(f"{self.USER}:{self.PASSWORD}".encode()).decode()
        if door.headers["Authorization"] != f"Basic {token}":
            return self.say_login(door)
        if door.path == "/sms/rest/v2/report":
            return self.report(door, body)
        need(door.path == "/sms/rest/v2/send", door.path)
        need(set(body) <= {"msgheader", "encoding", "iysfilter", "appname", "messages", "partnercode"}, set(body))
        need(body["iysfilter"] == "0" and 3 <= len(body["msgheader"]) <= 11, "header or filter")
        need(body["encoding"] in ("", "TR", "UCS2"), "encoding")
        (message,) = body["messages"]
        need(set(message) == {"msg", "no"} and MOBILE.match(message["no"]), message)
        turkish = re.search("[çğıİşŞĞ]", message["msg"]) is not None
        need(turkish == (body["encoding"] == "TR"), "encoding of the text")
        if self.message(door, message["no"], message["msg"], None):
            self.say(door, 200, {"code": "00", "jobid": self.job(len(self.taken)), "description": "queued"})

    @staticmethod
    def job(place):
        return f"1737721534260505041714{place:04d}"

    def report(self, door, body):
        self.asked += 1
        need("jobids" in body or {"startdate", "stopdate"} <= set(body), body)
        if self.status == "mute":
            return self.say(door, 200, b"")
        jobs = [{"jobid": self.job(n + 1), "telno": t[0], "status": self.CODES[self.status]}
                for n, t in enumerate(self.taken)
                if "jobids" not in body or self.job(n + 1) in body["jobids"]]
        return self.say(door, 200, {"code": "00", "jobs": jobs} if jobs else {"code": "60"})

    def say_login(self, door):
        self.say(door, 406, {"code": "30", "description": "invalid login"})

    def say_no(self, door):
        self.say(door, 406, {"code": "20", "description": "message text"})


class IletiMerkezi(Provider):
    KEY, HASH = "anahtar", "0123abcd"
    CODES = {"delivered": 111, "waiting": 110, "failed": 112}

    def post(self, door, body):
        request = body["request"]
        if request["authentication"] != {"key": self.KEY, "hash": self.HASH}:
            return self.say_login(door)
        if door.path == "/v1/get-report/json":
            return self.report(door, request["order"]["id"])
        need(door.path == "/v1/send-sms/json", door.path)
        order = request["order"]
        need(set(order) == {"sender", "iys", "message"} and order["iys"] == "0", order)
        need(len(order["sender"]) <= 11 and order["sender"].isascii(), "title")
        need(set(order["message"]) == {"text", "receipents"}, order["message"])
        (number,) = order["message"]["receipents"]["number"]
        need(re.match(r"\+905\d{9}$", number), number)
        if self.message(door, number, order["message"]["text"], None):
            self.say(door, 200, {"response": {"status": {"code": "200", "message": "İşlem başarılı"},
                                              "order": {"id": str(1000 + len(self.taken))}}})

    def report(self, door, order):
        self.asked += 1
        need(isinstance(order, str), order)
        if self.status == "mute" or not 1001 <= int(order) <= 1000 + len(self.taken):
            return self.say(door, 200, {"response": {"status": {"code": 455, "message": "x"}}})
        return self.say(door, 200, {"response": {"status": {"code": 200}, "order": {
            "id": order, "status": 114, "message": [{"number": self.taken[int(order) - 1001][0],
                                                     "status": self.CODES[self.status]}]}}})

    def say_duplicate(self, door):
        self.say(door, 451, {"response": {"status": {"code": "451", "message": "Mükerrer sipariş"}}})
        return True

    def say_login(self, door):
        self.say(door, 401, {"response": {"status": {"code": 401, "message": "Üyelik bilgileri hatalı"}}})

    def say_no(self, door):
        self.say(door, 452, {"response": {"status": {"code": 452, "message": "x"}}})


class Verimor(Provider):
    USER, PASSWORD = "908501234567", "p&rola 1"
    CODES = {"delivered": "DELIVERED", "waiting": "WAITING", "failed": "NOT_DELIVERED"}

    def post(self, door, body):
        need(door.path == "/v2/send.json", door.path)
        if (body["username"], body["password"]) != (self.USER, self.PASSWORD):
            return self.say_login(door)
        need(set(body) <= {"username", "password", "source_addr", "custom_id", "datacoding", "is_commercial",
                           "messages"}, set(body))
        need(body["is_commercial"] is False and body["datacoding"] in ("0", "1", "2"), "flags")
        (message,) = body["messages"]
        need(set(message) == {"msg", "dest", "id"} and re.match(r"905\d{9}$", message["dest"]), message)
        turkish = re.search("[çğıİşŞĞ]", message["msg"]) is not None
        need(turkish == (body["datacoding"] == "1"), "datacoding of the text")
        if self.message(door, message["dest"], message["msg"], body["custom_id"]):
            self.say(door, 200, str(20000 + len(self.taken)).encode())

    def get(self, door):
        url = urllib.parse.urlsplit(door.path)
        query = dict(urllib.parse.parse_qsl(url.query, strict_parsing=True))
        self.asked += 1
        if url.path != "/v2/status" or (query["username"], query["password"]) != (self.USER, self.PASSWORD):
            return self.say(door, 401, b"Gecersiz")
        if self.status == "mute":
            return self.say(door, 502, b"")
        found = [self.report(n, t, self.CODES[self.status]) for n, t in enumerate(self.taken)
                 if t[2] == query["custom_id"]]
        return self.say(door, 200, found) if found else self.say(door, 404, "bulunamadı".encode())

    @staticmethod
    def report(place, taken, status):
        return {"type": "outbound", "campaign_id": 20001 + place, "campaign_custom_id": taken[2],
                "message_id": str(place), "message_custom_id": taken[2], "dest": taken[0], "size": 1,
                "credits": 1, "status": status, "gsm_error": "0", "sent_at": None, "done_at": None}

    def say_login(self, door):
        self.say(door, 401, b"Gecersiz kullanici")

    def say_no(self, door):
        self.say(door, 400, b"FORBIDDEN_MESSAGE")


class Hasty(Provider):
    """The generic protocol.  It says what it has to say (before: by phone, for the first text there) before it answers."""

    def __init__(self):
        super().__init__()
        self.before = {}

    def post(self, door, body):
        need(set(body) == {"to", "from", "text", "id"}, set(body))
        if self.message(door, body["to"], body["text"], body["id"]):
            self.before.pop(body["to"], lambda own_id: None)(body["id"])
            self.say(door, 200, {"id": self.reference(body["id"])})

    @staticmethod
    def reference(own_id):
        return "hasty-" + own_id[-12:]
