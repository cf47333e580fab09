#!/usr/bin/python3
"""A private system for the tests of the call-taker's page: prints one line of JSON when it is ready, then
does what it is told on standard input, one answer a line, until that ends:

    ring AGENT CALLER CALL [STEP]     the exchange tells of a call (offered unless said)
    loose NAME                        a machine's mail and a text message that belong to no ticket, of that name
    report SUBJECT ADDRESS            somebody else's ticket in Fener; its number once it is routed
    kill intake                       kill -9, and started again
"""
import json
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "lib"), os.path.join(ROOT, "daemon"),
                os.path.join(os.path.dirname(ROOT), "clients", "python")]

import lmtp  # noqa: E402
from intake_world import Publisher, call, event, ticket_id, ticket_request  # noqa: E402
from stack import Stack  # noqa: E402


def obey(stack, words):
    if words[0] == "loose":
        mail = lmtp.letter(subject=f"Sayaç {words[1]}", sender="uzun.adli.bir.makine.hesabi@sayaclar.example.org",
                           text="Isı sayacı 14 arıza verdi: ŞİĞÜÇÖ.\n" * 4, headers=[("Auto-Submitted", "auto-generated")])
        lmtp.send(stack.port["lmtp"], mail, ("turuncmasa@muratpasa.example",), "makine@sayaclar.example.org")
    with Publisher(stack, stack.pbx) as pbx:
        if words[0] == "loose":
            message = event("sms.received")
            message.sms.sender, message.sms.gateway = "+905321230099", "deneme"
            message.sms.text = f"Işıklar sokağında lamba yanmıyor {words[1]}"
            return pbx.publish(message)[0].status
        if words[0] == "ring":
            made = call(words[4] if len(words) > 4 else "offered", agent=words[1], caller=words[2], queue="masa")
            made.call.call_id = words[3]
            return pbx.publish(made)[0].status
        if words[0] == "report":
            number = pbx.publish(ticket_request(subject_code=words[1], address=" ".join(words[2:]), neighbourhood="fener",
                                                description="Tabela yere düşmüş"))[0].ticket
            stack.wait(lambda: stack.one("select count(*) from turunc.ticket_state where ticket_id = %s",
                                         ticket_id(number)), 20)
            return number
    stack.kill9(words[1])
    stack.restart(words[1])
    return True


def main():
    with Stack(services=["intake", "router", "metrics", "edge"]) as stack:
        stack.pbx = stack.client("pbx")
        password = stack.user("ayse", "call-taker")
        head = stack.user("oya", "administrator")
        stack.start()
        print(json.dumps({"origin": f"http://127.0.0.1:{stack.port['edge']}", "user": "ayse", "password": password,
                          "administrator": "oya", "administrator_password": head}),
              flush=True)
        for line in sys.stdin:
            print(json.dumps(obey(stack, line.split())), flush=True)


if __name__ == "__main__":
    main()
