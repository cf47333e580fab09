"""Tokens of invitations, made without the product's code (survey_link.h)."""
import base64
import hashlib


def token(secret, survey, purpose=b"turunc survey link 1"):
    """secret: the text of TURUNC_MAIL_SECRET_FILE; survey: the invitation's uuid.UUID."""
    state = hashlib.blake2b(key=hashlib.sha256(secret.encode()).digest(), digest_size=32)
    for part in (purpose, survey.bytes):
        state.update(len(part).to_bytes(8, "big") + part)
    return base64.urlsafe_b64encode(survey.bytes + state.digest()[:8]).decode()


def stop_token(secret, message):
    """Of the link that ends them; message: the notification's uuid.UUID."""
    return token(secret, message, b"turunc survey stop 1")
