"""A real Postfix of its own, with its own queue, that takes mail by SMTP and brings it to intake as
docs/mail.md says: the settings below are only what makes it private."""
import json
import os
import pwd
import re
import subprocess

from ports import free_port
from process import run, wait_until
from servers import ROOT

MAIN = """compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/maillog
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.muratpasa.example
mydestination =
local_recipient_maps =
alias_maps =
smtpd_relay_restrictions = reject_unauth_destination
smtpd_peername_lookup = no
disable_dns_lookups = yes
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
# At once on the heels of a failure, where an operator's would wait minutes.
transport_retry_time = 1s
lmtp_destination_concurrency_failed_cohort_limit = 1000
bounce_queue_lifetime = 1h
"""
MASTER = """127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
lmtp unix - - n - - lmtp
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def documented():
    """The lines of main.cf in docs/mail.md."""
    with open(os.path.join(ROOT, "docs", "mail.md"), encoding="utf-8") as file:
        return re.search(r"```\n(# main\.cf\n.*?)```", file.read(), re.S).group(1)


class Postfix:
    def __init__(self, folder, lmtp_port):
        self.folder = folder
        self.port = free_port()
        for part in ("", "queue", "data", "config"):
            os.makedirs(os.path.join(folder, part), exist_ok=True)
        os.chmod(folder, 0o755)
        os.chown(os.path.join(folder, "data"), pwd.getpwnam("postfix").pw_uid, 0)
        with open(os.path.join(folder, "config", "main.cf"), "w", encoding="utf-8") as file:
            ours = documented()
            assert ours.count("127.0.0.1:8024") == 1
            file.write(MAIN.format(folder=folder) + ours.replace("127.0.0.1:8024", f"127.0.0.1:{lmtp_port}"))
        with open(os.path.join(folder, "config", "master.cf"), "w", encoding="utf-8") as file:
            file.write(MASTER.format(port=self.port))

    def _postfix(self, word):
        return ["/usr/sbin/postfix", "-c", os.path.join(self.folder, "config"), word]

    def __enter__(self):
        run(self._postfix("start"))
        return self

    def __exit__(self, *why):
        subprocess.run(self._postfix("stop"), capture_output=True, timeout=60, check=False)

    def queue(self):
        """What waits, one dict a mail."""
        done = run(["/usr/sbin/postqueue", "-c", os.path.join(self.folder, "config"), "-j"])
        return [json.loads(line) for line in done.splitlines()]

    def flush(self):
        run(["/usr/sbin/postqueue", "-c", os.path.join(self.folder, "config"), "-f"])

    def wait_empty(self, limit_s):
        def empty():
            waiting = self.queue()
            if waiting:
                self.flush()
            return not waiting
        wait_until(empty, limit_s, "the queue is empty")

    def log(self):
        try:
            with open(os.path.join(self.folder, "maillog"), encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def statuses(self):
        """How often each outcome was logged for a delivery."""
        found = {}
        for status in re.findall(r"postfix/lmtp\[.* status=(\w+)", self.log()):
            found[status] = found.get(status, 0) + 1
        return found


