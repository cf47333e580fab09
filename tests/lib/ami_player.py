"""Plays the manager interface of an Asterisk over a real TCP socket: it greets, checks the login, answers
pings, and says what a test tells it to.  It is no Asterisk: it knows the words of the protocol that
turunc-asterisk uses, as Asterisk's documentation has them, and nothing of telephony."""
import socket
import threading


class Player:
    def __init__(self, user="turunc", secret="s3cret", port=0):
        self.user, self.secret = user, secret
        self.refuse = False
        self.mute = False           # takes what comes and says nothing
        self.logins = []            # (user, secret, events) of each
        self.pings = 0
        self._listener = None
        self._peer = None
        self._lock = threading.Lock()
        self.port = port
        self.open()

    def open(self):
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def close(self):
        """The Asterisk is gone: nobody listens and the connection breaks."""
        try:
            self._listener.shutdown(socket.SHUT_RDWR)  # or accept() would go on
        except OSError:
            pass
        self._listener.close()
        self.cut()

    def cut(self):
        with self._lock:
            if self._peer is not None:
                try:
                    self._peer.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                self._peer.close()
            self._peer = None

    def _serve(self, listener):
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(peer,), daemon=True).start()

    def _talk(self, peer):
        try:
            if not self.mute:
                peer.sendall(b"Asterisk Call Manager/5.0.2\r\n")
            text = b""
            while True:
                part = peer.recv(4096)
                if not part:
                    self._gone(peer)
                    return
                text += part
                while b"\r\n\r\n" in text:
                    action, text = text.split(b"\r\n\r\n", 1)
                    self._answer(peer, dict(line.split(": ", 1) for line in action.decode().split("\r\n") if ": " in line))
        except OSError:
            self._gone(peer)

    def _gone(self, peer):
        with self._lock:
            if self._peer is peer:
                self._peer = None

    def _answer(self, peer, action):
        if self.mute:
            return
        tag = f"ActionID: {action.get('ActionID', '')}\r\n"
        if action["Action"] == "Login":
            login = (action.get("Username"), action.get("Secret"), action.get("Events"))
            if self.refuse or (action.get("Username"), action.get("Secret")) != (self.user, self.secret):
                self.logins.append(login)
                peer.sendall(f"Response: Error\r\n{tag}Message: Authentication failed\r\n\r\n".encode())
                peer.close()
                return
            peer.sendall(f"Response: Success\r\n{tag}Message: Authentication accepted\r\n\r\n".encode())
            peer.sendall(b"Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n")
            with self._lock:
                self._peer = peer
                self.logins.append(login)
        elif action["Action"] == "Ping":
            self.pings += 1
            peer.sendall(f"Response: Success\r\n{tag}Ping: Pong\r\nTimestamp: 1.000000\r\n\r\n".encode())

    @property
    def listening(self):
        with self._lock:
            return self._peer is not None

    def raw(self, data):
        """OSError: nobody listens any more."""
        with self._lock:
            if self._peer is None:
                raise BrokenPipeError("the adapter has gone")
            self._peer.sendall(data)

    def say(self, event, **fields):
        lines = [f"Event: {event}", "Privilege: agent,all"] + [f"{name}: {value}" for name, value in fields.items()]
        self.raw(("\r\n".join(lines) + "\r\n\r\n").encode())

    def call(self, uniqueid, caller, interface="PJSIP/201", ends="complete", queue="masa"):
        """A whole call, with the events around it that nobody needs."""
        self.say("Newchannel", Channel="PJSIP/trunk-1", Uniqueid=uniqueid, CallerIDNum=caller)
        self.say("QueueCallerJoin", Channel="PJSIP/trunk-1", Uniqueid=uniqueid, Linkedid=uniqueid, CallerIDNum=caller,
                 CallerIDName="", Queue=queue, Position=1, Count=1)
        if ends == "abandon":
            self.say("QueueCallerAbandon", Uniqueid=uniqueid, Queue=queue, Position=1, HoldTime=7)
            self.say("Hangup", Channel="PJSIP/trunk-1", Uniqueid=uniqueid, Cause=16)
            return
        self.say("AgentCalled", Uniqueid=uniqueid, Queue=queue, Interface=interface, MemberName=interface,
                 CallerIDNum=caller, DestUniqueid=f"{uniqueid}9")
        self.say("AgentConnect", Uniqueid=uniqueid, Queue=queue, Interface=interface, MemberName=interface, HoldTime=3, RingTime=2)
        if ends == "talking":
            return
        self.say("AgentComplete", Uniqueid=uniqueid, Queue=queue, Interface=interface, TalkTime=60,
                 Reason="transfer" if ends == "transfer" else "caller")
        self.say("Hangup", Channel="PJSIP/trunk-1", Uniqueid=uniqueid, Cause=16)
