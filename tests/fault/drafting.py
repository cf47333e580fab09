"""A call-taker whose draft is kept again and again, and who remembers what was answered: a draft that
was said to be kept is there, whatever becomes of the service in between."""
from people import Browser

PASSWORD = "nobetci parolasi 1"


class Drafter:
    def __init__(self, stack):
        self.stack = stack
        self.name = "nobet-cagri"
        stack.user(self.name, "call-taker", password=PASSWORD)
        self.someone = Browser(stack, "intake", "/call/")
        self.count = 0
        self.form = {}
        self.wrong = []

    def _ready(self):
        """Signed in, with a page's form."""
        if self.someone.cookie is None and self.someone.try_to_sign_in(self.name, PASSWORD).status != 303:
            return False
        page = self.someone.get("/call/")
        if page.status != 200:
            self.someone.cookie = None
            return False
        self.form = {"token": page.text.split('name="token" value="')[1].split('"')[0]}
        return True

    def turn(self):
        if not self.form and not self._ready():
            return
        self.count += 1
        words = f"taslak-{self.count}"
        answer = self.someone.post("/call/draft", {**self.form, "description": words})
        if answer.status in (401, 303, 400):
            self.form = {}
        elif answer.status == 204 and self.stack.one(
                "select count(*) from turunc.call_draft where agent = %s and position(%s in fields) > 0",
                self.name, words) != 1:
            self.wrong.append(f"{words} was said to be kept, and is not there")

    def complaints(self):
        return self.wrong
