"""A report through each door of a system in containers; its number, printed or without its check digit."""
import re
import subprocess
import uuid

import turunc

import lmtp
from composed import PATIENCE_S
from engine import DOCKER
from outside import Browser
from process import wait_until
from sheets import application, csv_text, days_ago


def by_open311(outside):
    return outside.report()


def by_form(outside):
    system = outside.system
    page = system.http("GET", "/report?subject=cadde-supurme&lang=tr").text
    token = re.search(r'name="token" value="([^"]+)"', page).group(1)
    answer = system.http("POST", "/report?lang=tr", form={
        "token": token, "service_code": "cadde-supurme", "description": "Sokak süpürülmedi", "lat": "36.872345",
        "long": "30.723456", "address_string": "1964 Sok. No 5", "neighbourhood": "fener"},
        headers={"Origin": f"https://127.0.0.1:{system.port['edge']}"})
    assert answer.status == 201, answer.text
    return re.search(r'class="number">([0-9-]+)<', answer.text).group(1)


def by_bus(outside):
    return outside.publisher.publish(turunc.ticket_request("other-system", "Ağaç devrildi",
                                                          subject_code="cadde-supurme"), timeout=PATIENCE_S).ticket


def by_mail(outside):
    system = outside.system
    before = set(tickets(system))
    mail = lmtp.letter(sender="ayse@yurttas.example", to="turuncmasa@muratpasa.example")
    assert lmtp.send(system.port["lmtp"], mail, ["turuncmasa@muratpasa.example"])[0][:3] == "250"
    return one_new(system, before)


def by_cimer(outside):
    """A list is put into the volume, as who works with the portal does."""
    system = outside.system
    before = set(tickets(system))
    text = csv_text([application(f"26{uuid.uuid4().int % 10**9:09}", days_ago(2))])
    intake = system.container("intake")["Id"]
    subprocess.run([DOCKER, "exec", "-i", intake, "sh", "-c",
                    "cat >/var/lib/cimer/.new && mv /var/lib/cimer/.new /var/lib/cimer/liste.csv"],
                   env=system.env, check=True, input=text.encode(), capture_output=True)
    return one_new(system, before)


def by_phone(outside):
    """A call-taker writes down what is said, at /call/."""
    system = outside.system
    desk = Browser(system, "/call/", "ayse", outside.user("ayse", "call-taker"))
    desk.get("/call/?lang=tr")
    answer = desk.post("/call/ticket?lang=tr", {
        **desk.hidden(), "service_code": "cadde-supurme", "phone": "0532 123 45 67", "description": "Sokak süpürülmedi",
        "address_id": "fener", "address_string": "1964 Sok. No 5"})
    assert answer.status == 303, desk.page
    desk.get(answer.headers["Location"])
    return re.search(r'class="number">([0-9-]+)<', desk.page).group(1)


def tickets(system):
    return system.sql("select ticket_id from turunc.ticket").split()


def one_new(system, before):
    new = wait_until(lambda: set(tickets(system)) - before, PATIENCE_S, "there is a new ticket", 0.5)
    assert len(new) == 1
    return new.pop()


DOORS = (by_open311, by_form, by_bus, by_mail, by_cimer, by_phone)
