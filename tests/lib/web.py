"""HTTP as the tests speak it: one request, one answer, nothing hidden."""
import http.client
import json
import urllib.parse


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def text(self):
        return self.body.decode("utf-8")

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


def request(port, method, path, body=None, headers=None, form=None, as_json=None, timeout=60):
    """Asks 127.0.0.1:port.  form and as_json are bodies of their kinds.  Status 0: nobody there."""
    headers = dict(headers or {})
    if form is not None:
        body = urllib.parse.urlencode(form)
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    elif as_json is not None:
        body = json.dumps(as_json)
        headers.setdefault("Content-Type", "application/json")
    if isinstance(body, str):
        body = body.encode("utf-8")
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        link.request(method, path, body=body, headers=headers)
        answer = link.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    except (ConnectionError, http.client.RemoteDisconnected, TimeoutError) as gone:
        return Answer(0, {}, str(gone).encode())
    finally:
        link.close()
