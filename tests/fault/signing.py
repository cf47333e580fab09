"""Somebody who signs in, changes their password and signs out again and again, and remembers what was
answered: a session that was given is there, one that was ended is not, and a password that was
changed is the new one, whatever becomes of the service in between."""
import hashlib
import base64
import struct

from people import Browser

PURPOSE = b"turunc session 1"
PASSWORDS = ("ilk parola budur 1", "son parola budur 2")


def digest_of(token):
    """What the record keeps of a token (people_token_digest)."""
    key = base64.urlsafe_b64decode(token + "=")
    return hashlib.blake2b(struct.pack(">Q", len(PURPOSE)) + PURPOSE, key=key, digest_size=32).digest()


class Signer:
    def __init__(self, stack, service, prefix):
        self.stack = stack
        self.name = f"nobet-{service}"
        self.at = lambda: Browser(stack, service, prefix)
        self.prefix = prefix
        self.password = stack.user(self.name, "operator", password=PASSWORDS[0])
        self.may_be = None              # the other one, when a change was not answered
        self.began = 0                  # sessions given, as answered
        self.wrong = []

    def _one(self, query, *values):
        return self.stack.one(query, *values)

    def _session(self, token):
        return self._one("select name from turunc.person_session where token_digest = %s", digest_of(token))

    def _enter(self, someone, password):
        """True, False for a wrong password, None when there was no answer to rely on."""
        answer = someone.try_to_sign_in(self.name, password)
        if answer.status == 303:
            self.began += 1
            if self._session(someone.cookie) != self.name:
                self.wrong.append(f"{self.name} was let in, and there is no session")
            return True
        return False if answer.status == 401 else None

    def turn(self):
        """In, the password changed, and out; as far as the service comes."""
        someone = self.at()
        entered = self._enter(someone, self.password)
        if entered is False and self.may_be is not None:
            self.password, self.may_be = self.may_be, None
            entered = self._enter(someone, self.password)
        if entered is False:
            self.wrong.append(f"{self.name}'s password is not what it was changed to")
        if not entered or someone.get(self.prefix + "password").status != 200:
            return
        self.may_be = None
        self._change(someone)
        self._leave(someone)

    def _change(self, someone):
        new = PASSWORDS[self.password == PASSWORDS[0]]
        self.may_be = new
        answer = someone.post(self.prefix + "password", {"old": self.password, "new": new, "again": new})
        if answer.status == 200:
            self.password, self.may_be = new, None
        elif answer.status == 422:
            self.wrong.append(f"{self.name}: a right password was refused")

    def _leave(self, someone):
        token = someone.cookie
        answer = someone.post(self.prefix + "sign-out")
        if answer.status == 303 and self._session(token) is not None:
            self.wrong.append(f"{self.name} has signed out, and the session is there")

    def complaints(self):
        noted = self._one("select count(*) from turunc.person_act where name = %s and kind = 'signed-in'", self.name)
        if noted < self.began:
            self.wrong.append(f"{self.name}: {self.began} sessions were given, {noted} are noted")
        return self.wrong
