"""A browser as far as signing in goes: it keeps the cookie and says where its forms come from.

    someone = Browser(stack, "router", "/desk/")
    someone.sign_in("ayse", password)
    someone.get("/desk/"); someone.post("/desk/accept", {"ticket": "..."})
"""
import html
import re

HTML = "text/html,application/xhtml+xml"


class Browser:
    def __init__(self, stack, service, prefix, address="10.0.0.1"):
        self.stack = stack
        self.service = service
        self.prefix = prefix
        self.address = address
        self.cookie = None
        self.csrf = None

    @property
    def host(self):
        return f"127.0.0.1:{self.stack.port['edge' if self.service == 'edge' else self.service + '_http']}"

    def headers(self, more=None):
        headers = {"Accept": HTML, "Origin": f"http://{self.host}", "X-Forwarded-For": self.address}
        if self.cookie is not None:
            headers["Cookie"] = f"turunc={self.cookie}"
        headers.update(more or {})
        return {name: value for name, value in headers.items() if value is not None}

    def _take(self, answer):
        for set_cookie in answer.headers.get_all("Set-Cookie") or [] if answer.status else []:
            value = re.match(r"(?:__Host-)?turunc=([^;]*)", set_cookie).group(1)
            self.cookie = value or None
        found = re.search(r'name="csrf" value="([^"]+)"', answer.body.decode("utf-8", "replace"))
        if found:
            self.csrf = html.unescape(found.group(1))
        return answer

    def get(self, path, **more):
        return self._take(self.stack.http(self.service, "GET", path, headers=self.headers({"Origin": None, **more})))

    def post(self, path, form=None, csrf=True, **more):
        form = dict(form or {})
        if csrf and self.csrf:
            form.setdefault("csrf", self.csrf)
        return self._take(self.stack.http(self.service, "POST", path, form=form, headers=self.headers(more), timeout=60))

    def try_to_sign_in(self, name, password, next_page=None, **more):
        form = {"name": name, "password": password}
        if next_page is not None:
            form["next"] = next_page
        return self.post(self.prefix + "sign-in", form, csrf=False, **more)

    def sign_in(self, name, password):
        answer = self.try_to_sign_in(name, password)
        assert answer.status == 303, answer
        assert self.get(self.prefix + "password").status == 200
        return self
