"""Mail where it was delivered: Maildirs and mbox files, as bytes."""
import pathlib
import re

from .ground import PATIENCE, until

OWN_FIELDS = (b"return-path:", b"delivered-to:", b"received:")


def split(message):
    """Header and body; both keep their line ends. LF or CRLF."""
    for blank in (b"\r\n\r\n", b"\n\n"):
        head, found, body = message.partition(blank)
        if found and b"\n\n" not in head:
            return head + blank[: len(blank) // 2], body
    if message[:1] in (b"\r", b"\n"):
        return b"", message.lstrip(b"\r")[1:]
    return message, b""


def fields(message, name):
    """The values of all fields of that name, unfolded."""
    head = re.sub(rb"\r?\n([ \t])", rb"\1", split(message)[0])
    return [
        line.split(b":", 1)[1].strip()
        for line in head.splitlines()
        if line.lower().startswith(name.lower().encode() + b":")
    ]


def as_sent(message):
    """The message without what servers put on top: with CRLF, as it was sent."""
    rest = message
    while rest.lower().startswith(OWN_FIELDS):
        end = re.search(rb"\n(?![ \t])", rest).end()
        rest = rest[end:]
    return rest


def to_crlf(message):
    return re.sub(rb"\r?\n", b"\r\n", message)


class Maildir:
    def __init__(self, path):
        self.path = pathlib.Path(path)

    def messages(self):
        """What is in new/ and cur/, oldest first."""
        found = []
        for folder in ("new", "cur"):
            try:
                found += [p for p in (self.path / folder).iterdir() if p.is_file()]
            except FileNotFoundError:
                pass
        return [p.read_bytes() for p in sorted(found, key=lambda p: (p.stat().st_mtime_ns, p.name))]

    def count(self):
        total = 0
        for folder in ("new", "cur"):
            try:
                total += sum(1 for _ in (self.path / folder).iterdir())
            except FileNotFoundError:
                pass
        return total

    def wait(self, count=1, patience=PATIENCE):
        until(f"{count} in {self.path}", lambda: self.count() >= count, patience)
        messages = self.messages()
        assert len(messages) == count, f"{len(messages)} messages in {self.path}, not {count}"
        return messages

    def one(self, patience=PATIENCE):
        return self.wait(1, patience)[0]


class Mbox:
    """The mboxrd form: one ">" was put before every ">*From " of a message."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def entries(self):
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return []
        if not text.endswith(b"\n"):
            return []  # being written
        parts = re.split(rb"(?:\A|(?<=\n\n))(?=From )", text)
        return [p for p in parts if p]

    def messages(self):
        found = []
        for entry in self.entries():
            _, rest = entry.split(b"\n", 1)
            assert rest.endswith(b"\n\n"), "an mbox message is followed by an empty line"
            found.append(re.sub(rb"^>(>*From )", rb"\1", rest[:-1], flags=re.M))
        return found

    def senders(self):
        return [e.split(b"\n", 1)[0].split()[1] for e in self.entries()]

    def wait(self, count=1, patience=PATIENCE):
        until(f"{count} in {self.path}", lambda: len(self.entries()) >= count, patience)
        messages = self.messages()
        assert len(messages) == count
        return messages

    def one(self, patience=PATIENCE):
        return self.wait(1, patience)[0]
