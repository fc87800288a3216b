"""Who was promised what: messages that say of themselves what they are, clients that send them and
note each 250, and the judgement of what arrived."""
import collections
import hashlib
import random
import threading

from house.ground import until
from house.smtp_client import Client

SIZES = (300, 2000, 2000, 4000, 20000, 300000, 1500000)  # the last goes through a file of its own


def make(mark, size):
    """A message whose Subject names it and the digest of its body."""
    rng = random.Random(mark)
    line = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz .", k=70))
    body = "".join(f"{n:06d} {line}\r\n" for n in range(size // 79 + 1)).encode()
    digest = hashlib.sha256(body).hexdigest()
    return f"Subject: {mark} {digest}\r\n\r\n".encode() + body


def read(message):
    """The mark of a message that arrived; an AssertionError where it is not whole."""
    message = message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    head, _, body = message.partition(b"\r\n\r\n")
    (subject,) = [line for line in head.split(b"\r\n") if line.lower().startswith(b"subject: ")]
    mark, digest = subject.split()[1:3]
    assert hashlib.sha256(body).hexdigest().encode() == digest, f"{mark.decode()} arrived, but not whole"
    return mark.decode()


class Senders:
    """`count` clients that send one message after the other, until told to stop. `taken`: the marks
    that got a 250; `replies`: how often each code ended a transaction."""

    def __init__(self, house, count=4, to=("you@house.example",), sizes=SIZES, name="m", pause=0, source=None):
        self.house, self.to, self.sizes, self.name = house, to, sizes, name
        self.pause, self.source = pause, source  # seconds between two messages; an address of ours
        self.taken, self.replies = set(), collections.Counter()
        self.stopping = threading.Event()
        self.news = threading.Condition()
        self.threads = [threading.Thread(target=self._work, args=(n,), daemon=True) for n in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)

    def _work(self, number):
        rng = random.Random(number)
        made = 0
        while not self.stopping.is_set():
            try:
                with Client(self.house.address, self.house.port, self.source) as client:
                    client.hello()
                    while not self.stopping.is_set():
                        made += 1
                        self._send(client, f"{self.name}{number}-{made}", rng)
                        self.stopping.wait(self.pause)
            except (OSError, EOFError, AssertionError):
                self.note("cut")
                self.stopping.wait(0.02)

    def _send(self, client, mark, rng):
        message = make(mark, rng.choice(self.sizes))
        for command in ("MAIL FROM:<a@b.example>", f"RCPT TO:<{rng.choice(self.to)}>", "DATA"):
            reply = client.ask(command)
            if reply.code >= 400:
                self.note(reply.code)
                client.ask("RSET")
                self.stopping.wait(0.05)
                return
        client.send(message.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        reply = client.reply()
        self.note(reply.code, mark)

    def note(self, code, mark=None):
        with self.news:
            self.replies[code] += 1
            if code == 250:
                self.taken.add(mark)
            self.news.notify_all()

    def wait_taken(self, more, patience=30):
        """Until so many more got their 250."""
        with self.news:
            goal = len(self.taken) + more
            if not self.news.wait_for(lambda: len(self.taken) >= goal, patience):
                raise AssertionError(f"no {more} more messages within {patience} s: {dict(self.replies)}\n{self.house.tail()}")

    def wait_reply(self, code, patience=60):
        with self.news:
            before = self.replies[code]
            if not self.news.wait_for(lambda: self.replies[code] > before, patience):
                raise AssertionError(f"no {code} within {patience} s: {dict(self.replies)}\n{self.house.tail()}")


class Arrivals:
    """How often each mark arrived, in Maildirs and at scripted servers; each message is read once."""

    def __init__(self, maildirs=(), servers=()):
        self.maildirs, self.servers = maildirs, servers
        self.seen = set()
        self.taken_from = [0 for _ in servers]
        self.counts = collections.Counter()

    def look(self):
        for maildir in self.maildirs:
            for path in [*maildir.path.glob("new/*"), *maildir.path.glob("cur/*")]:
                if path not in self.seen:
                    self.seen.add(path)
                    self.counts[read(path.read_bytes())] += 1
        for n, server in enumerate(self.servers):
            news = server.mail[self.taken_from[n] :]
            self.taken_from[n] += len(news)
            for mail in news:
                self.counts[read(mail.message)] += 1
                mail.message = b""
        return self.counts

    def wait(self, senders, house, patience=120, of=None):
        """Until all that was taken (or `of` it) is here and the queue is empty."""
        due = senders.taken if of is None else of
        until("all that was accepted arrives", lambda: due <= self.look().keys(), patience, 0.3)
        until("the queue is empty", lambda: not house.json("queue")["messages"], patience, 0.3)
        return self.look()
