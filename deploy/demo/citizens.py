"""The invented citizens of a demonstration: who they are, where they live and what they say.

Names are common ones put together by chance.  Telephone numbers are of 0505 000, which is given to
nobody here, and mail goes to example.com; no message of a demonstration leaves the machine anyway.
"""
import csv
import datetime
import os
import random

FIRST = ("Ayşe Fatma Emine Zeynep Elif Meryem Şerife Zehra Sultan Hatice Özlem Gülsüm Çiğdem "
         "Mehmet Mustafa Ahmet Ali Hüseyin Hasan İbrahim İsmail Ömer Yusuf Ümit Işıl Ilgaz").split()
LAST = ("Yılmaz Kaya Demir Şahin Çelik Yıldız Yıldırım Öztürk Aydın Özdemir Arslan Doğan Kılıç "
        "Aslan Çetin Kara Koç Kurt Özkan Şimşek Işık Güneş Turunç Narenciye").split()
STREETS = ("Işıklar Caddesi", "Güllük Caddesi", "Tonguç Caddesi", "Metin Kasapoğlu Caddesi",
           "1412. Sokak", "Portakal Çiçeği Bulvarı", "Sinanoğlu Caddesi", "2042. Sokak",
           "Atatürk Caddesi", "Özgürlük Bulvarı")
OPENINGS = ("Merhaba, ", "İyi günler, ", "Kolay gelsin. ", "", "", "Daha önce de aramıştım; ")
CLOSINGS = ("Gereğini rica ederim.", "İlgilenirseniz seviniriz.", "Teşekkürler.",
            "Ne zaman bakılır?", "Çocuklar için tehlikeli oluyor.", "Günlerdir böyle.", "")
SPREAD_DEGREES = 0.004
TURKISH_TO_ASCII = str.maketrans("çğıöşüÇĞİÖŞÜ", "cgiosuCGIOSU")


class Neighbourhoods:
    """Picked as often as people live there."""

    def __init__(self, config):
        with open(os.path.join(config, "neighbourhoods.csv"), encoding="utf-8", newline="") as file:
            self._rows = [row for row in csv.DictReader(file) if row["latitude"]]
        self._weights = [int(row["population"] or 1) for row in self._rows]

    def pick(self):
        return random.choices(self._rows, self._weights)[0]


def person():
    """A name, and a way to be reached: by phone, by mail, by both, or not at all."""
    first, last = random.choice(FIRST), random.choice(LAST)
    said = {"first_name": first, "last_name": last}
    reach = random.random()
    if reach < 0.75:
        said["phone"] = f"0505 000 {random.randrange(100):02d} {random.randrange(100):02d}"
    if reach < 0.30 or 0.75 <= reach < 0.93:
        name = f"{first}.{last}".translate(TURKISH_TO_ASCII).lower()
        said["email"] = f"{name}{random.randrange(100)}@example.com"
    return said


def lower(text):
    """Turkish: I becomes ı, İ becomes i."""
    return text.replace("I", "ı").replace("İ", "i").lower()


def sentence(text):
    """Begins with a capital: i becomes İ, ı becomes I."""
    first = {"i": "İ", "ı": "I"}.get(text[0], text[0].upper())
    return first + text[1:]


def description(subject_name):
    opening = random.choice(OPENINGS)
    said = f"{lower(subject_name)} için yazıyorum."
    if not opening.rstrip().endswith((",", ";")):
        said = sentence(said)
    return f"{opening}{said} {random.choice(CLOSINGS)}".strip()


def address(neighbourhood):
    return (f"{neighbourhood['name']} Mahallesi, {random.choice(STREETS)} "
            f"No: {random.randrange(1, 120)}")


def position(neighbourhood):
    return (float(neighbourhood["latitude"]) + random.uniform(-SPREAD_DEGREES, SPREAD_DEGREES),
            float(neighbourhood["longitude"]) + random.uniform(-SPREAD_DEGREES, SPREAD_DEGREES))


def answer(question):
    """One that the question's type allows, as the form fields of Open311 want it."""
    kind = question["datatype"]
    if kind in ("singlevaluelist", "multivaluelist"):
        return random.choice(question["values"])["key"]
    if kind == "number":
        return str(random.randrange(1, 9))
    if kind == "datetime":
        day = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=3)
        return day.strftime("%Y-%m-%dT%H:%M:%SZ")
    return "Bilgi telefonla verilecek"
