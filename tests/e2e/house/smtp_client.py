"""A client that sends the very bytes it is told, with the segment borders it is told."""
import socket

from .ground import PATIENCE


class Reply:
    def __init__(self, lines):
        self.lines = lines
        self.code = int(lines[-1][:3])

    @property
    def text(self):
        return "\n".join(line[4:] for line in self.lines)

    @property
    def status(self):
        """The enhanced status code, or an empty text."""
        word = self.lines[-1][4:].split(" ")[0]
        return word if word.count(".") == 2 and word.replace(".", "").isdigit() else ""

    def __repr__(self):
        return " / ".join(self.lines)


class Client:
    def __init__(self, host, port, source=None, patience=PATIENCE):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(patience)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect((host, port))
        self.pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, *segments):
        """Each argument in a write of its own."""
        for segment in segments:
            self.socket.sendall(segment if isinstance(segment, bytes) else segment.encode())

    def line(self):
        while b"\n" not in self.pending:
            more = self.socket.recv(65536)
            if not more:
                raise EOFError(f"closed, after {self.pending!r}")
            self.pending += more
        line, self.pending = self.pending.split(b"\n", 1)
        assert line.endswith(b"\r"), f"a reply's line ends with CRLF, not {line!r}"
        return line[:-1].decode()

    def reply(self):
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        assert len({line[:3] for line in lines}) == 1, lines
        return Reply(lines)

    def ask(self, command):
        self.send(command if isinstance(command, bytes) else command + "\r\n")
        return self.reply()

    def expect(self, code, command=None):
        reply = self.reply() if command is None else self.ask(command)
        assert reply.code == code, f"{command!r}: {reply}"
        return reply

    def hello(self, name="client.example", verb="EHLO"):
        self.expect(220)
        return self.expect(250, f"{verb} {name}")

    def envelope(self, sender, *recipients, parameters=""):
        self.expect(250, f"MAIL FROM:<{sender}>{parameters}")
        for recipient in recipients:
            self.expect(250, f"RCPT TO:<{recipient}>")

    def data(self, message):
        """The message with dots stuffed; returns the last reply."""
        self.expect(354, "DATA")
        self.send(stuff(message) + b".\r\n")
        return self.reply()

    def bdat(self, message, *sizes):
        """In chunks of those sizes, the rest in the last; returns the last reply."""
        at = 0
        for size in sizes:
            self.send(f"BDAT {size}\r\n".encode() + message[at : at + size])
            at += size
            self.expect(250)
        rest = message[at:]
        self.send(f"BDAT {len(rest)} LAST\r\n".encode() + rest)
        return self.reply()

    def ended(self):
        """True when the other side has closed, with nothing further said."""
        while True:
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                return True
            if not more:
                return self.pending == b""
            self.pending += more


def stuff(message):
    """A message ready for DATA: dots doubled, and a line end at the end."""
    if message and not message.endswith(b"\r\n"):
        message += b"\r\n"
    if message.startswith(b"."):
        message = b"." + message
    return message.replace(b"\r\n.", b"\r\n..")


def submit(host, port, sender, recipients, message, source=None, helo="client.example"):
    """One whole session; returns the queue id that the last reply names."""
    recipients = [recipients] if isinstance(recipients, str) else recipients
    with Client(host, port, source) as client:
        client.hello(helo)
        client.envelope(sender, *recipients)
        reply = client.data(message)
        assert reply.code == 250, reply
        client.ask("QUIT")
        return queue_id(reply)


def queue_id(reply):
    return reply.text.split("queued as ")[1].split()[0].rstrip(".,")
