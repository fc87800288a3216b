"""A server that follows a script: it takes mail as others do, or refuses, stalls, drips or dies in
any phase of the dialogue."""
import socket
import threading

from . import ground

PHASES = ("connect", "ehlo", "helo", "mail", "rcpt", "data", "body", "end", "quit", "rset", "bdat")


class Die(Exception):
    """The connection is cut without a word."""


class Received:
    def __init__(self, sender, recipients, message, helo, parameters, tls=None):
        self.sender = sender
        self.recipients = recipients
        self.message = message
        self.helo = helo
        self.parameters = parameters  # of MAIL, and of each RCPT
        self.tls = tls  # the name that was asked for (SNI), "" for none; None: in the clear


class Hostile:
    """`script`: {phase: action} or a function (session, phase, argument) → action. An action is
    None (the usual), a text (the reply, with or without CRLF), bytes (sent as they are), "DIE"
    (close), "RESET" (a TCP reset), "STALL" (say nothing more), or a list of actions that are used up
    one a visit. A number waits so many seconds and goes on as usual. `tls`: an ssl.SSLContext to do
    STARTTLS with."""

    def __init__(self, address, port, script=None, keywords=("PIPELINING", "8BITMIME", "SIZE", "DSN"), tls=None):
        self.address = address
        self.port = port
        self.script = script or {}
        self.keywords = list(keywords)
        self.mail = []
        self.sessions = []
        self.visits = []  # every (phase, argument)
        self.lmtp = False
        self.tls = tls
        self.news = threading.Condition()
        self.closing = threading.Event()
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            self.listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)

    def start(self):
        self.listener.bind((self.address, self.port))
        self.port = self.listener.getsockname()[1]
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def stop(self):
        self.closing.set()
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        for session in list(self.sessions):
            session.cut()

    def _accept(self):
        while True:
            try:
                connection, peer = self.listener.accept()
            except OSError:
                return
            session = Session(self, connection, peer)
            self.sessions.append(session)
            threading.Thread(target=session.run, daemon=True).start()

    def keep(self, mail):
        with self.news:
            self.mail.append(mail)
            self.news.notify_all()

    def note(self, phase, argument):
        with self.news:
            self.visits.append((phase, argument))
            self.news.notify_all()

    def count(self, phase):
        with self.news:
            return sum(1 for p, _ in self.visits if p == phase)

    def wait(self, count=1, patience=ground.PATIENCE):
        with self.news:
            if not self.news.wait_for(lambda: len(self.mail) >= count, patience):
                raise AssertionError(f"{len(self.mail)} messages, not {count}; heard {self.visits[-20:]}")
            return list(self.mail)

    def wait_visit(self, phase, count=1, patience=ground.PATIENCE):
        with self.news:
            reached = self.news.wait_for(
                lambda: sum(1 for p, _ in self.visits if p == phase) >= count, patience
            )
            if not reached:
                raise AssertionError(f"{phase} was not reached {count} times; heard {self.visits[-20:]}")

    def action(self, session, phase, argument):
        if callable(self.script):
            return self.script(session, phase, argument)
        action = self.script.get(phase)
        if isinstance(action, list):
            return action.pop(0) if action else None
        return action


class Session:
    def __init__(self, server, connection, peer):
        self.server = server
        self.connection = connection
        self.peer = peer
        self.raw = b""  # all that came
        self.pending = b""
        self.helo = ""
        self.tls = None
        self.forget()

    def forget(self):
        self.sender = None
        self.recipients = []
        self.parameters = []
        self.chunks = b""

    def cut(self):
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def run(self):
        try:
            self.connection.settimeout(60)
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.say("connect", str(self.peer[0]), "220 hostile.example ESMTP")
            while self.command():
                pass
        except (Die, OSError, EOFError):
            pass
        finally:
            self.connection.close()

    def read(self):
        more = self.connection.recv(65536)
        if not more:
            raise EOFError
        self.raw += more
        self.pending += more

    def line(self):
        while b"\r\n" not in self.pending:
            self.read()
        line, self.pending = self.pending.split(b"\r\n", 1)
        return line

    def send(self, data):
        if isinstance(data, str):
            data = data.encode()
            if not data.endswith(b"\n"):
                data += b"\r\n"
        self.connection.sendall(data)

    def say(self, phase, argument, usual):
        """Does what the script says; true if the reply was the usual one or of 2yz, 3yz."""
        self.server.note(phase, argument)
        action = self.server.action(self, phase, argument)
        if isinstance(action, (int, float)) and not isinstance(action, bool):
            self.server.closing.wait(action)
            action = None
        if action is None:
            if usual is not None:
                self.send(usual)
            return True
        if action == "DIE":
            raise Die
        if action == "RESET":
            self.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
            )
            raise Die
        if action == "STALL":
            self.server.closing.wait(60)
            raise Die
        self.send(action)
        text = action if isinstance(action, str) else action.decode("latin-1")
        if text.startswith("421"):
            raise Die
        return text[:1] in "23"

    def command(self):
        line = self.line().decode("utf-8", "surrogateescape")
        verb = line.split(" ")[0].split(":")[0].upper()
        if verb in ("EHLO", "LHLO"):
            self.helo = line[5:]
            self.forget()
            words = ["hostile.example", *self.server.keywords]
            usual = "\r\n".join(
                f"250{' ' if i == len(words) - 1 else '-'}{w}" for i, w in enumerate(words)
            )
            self.say("ehlo", self.helo, usual)
        elif verb == "HELO":
            self.helo = line[5:]
            self.say("helo", self.helo, "250 hostile.example")
        elif verb == "MAIL":
            path, _, rest = line[10:].partition(" ")
            if self.say("mail", line[10:], "250 2.1.0 ok"):
                self.sender = path.strip("<>")
                self.parameters = [rest]
        elif verb == "RCPT":
            path, _, rest = line[8:].partition(" ")
            if self.sender is None:
                self.send("503 5.5.1 no MAIL")
            elif self.say("rcpt", path.strip("<>"), "250 2.1.5 ok"):
                self.recipients.append(path.strip("<>"))
                self.parameters.append(rest)
        elif verb == "DATA":
            if not self.recipients:
                self.send("503 5.5.1 no recipients")
            elif self.say("data", "", "354 go on"):
                self.body()
        elif verb == "BDAT":
            words = line.split()
            size = int(words[1])
            while len(self.pending) < size:
                self.read()
            self.chunks += self.pending[:size]
            self.pending = self.pending[size:]
            if len(words) > 2:
                self.end(self.chunks)
            else:
                self.say("bdat", words[1], "250 2.0.0 chunk")
        elif verb == "RSET":
            self.forget()
            self.say("rset", "", "250 2.0.0 ok")
        elif verb == "QUIT":
            self.say("quit", "", "221 2.0.0 bye")
            return False
        elif verb == "STARTTLS":
            self.starttls()
        elif verb == "NOOP":
            self.send("250 2.0.0 ok")
        else:
            self.send("500 5.5.1 what?")
        return True

    def starttls(self):
        if not self.server.tls:
            self.say("starttls", "", "454 4.7.0 not now")
        elif self.say("starttls", "", "220 2.0.0 go on"):
            names = []
            self.server.tls.sni_callback = lambda _socket, name, _context: names.append(name or "")
            self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
            self.tls = names[0] if names else ""
            self.pending = b""
            self.server.note("secured", self.tls)

    def body(self):
        """Until CRLF . CRLF; the phase "body" comes when the first octets have come."""
        while not self.pending:
            self.read()
        self.say("body", "", None)
        self.pending = b"\r\n" + self.pending
        while b"\r\n.\r\n" not in self.pending:
            self.read()
        message, self.pending = self.pending.split(b"\r\n.\r\n", 1)
        self.end((message + b"\r\n").replace(b"\r\n.", b"\r\n")[2:])

    def end(self, message):
        received = Received(self.sender, list(self.recipients), message, self.helo, self.parameters, self.tls)
        if self.server.lmtp:
            taken = [r for r in self.recipients if self.say("end", r, f"250 2.0.0 {r} has it")]
            received.recipients = taken
            if taken:
                self.server.keep(received)
        elif self.say("end", self.sender, "250 2.0.0 taken"):
            self.server.keep(received)
        self.forget()
