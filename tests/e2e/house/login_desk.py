"""A server for users who log in, whose names and passwords are kept somewhere else."""
import base64
import json
import ssl
import subprocess
from concurrent.futures import ThreadPoolExecutor

from . import ground

PASSWORD = "correct horse battery"
# What would mean something to a query, a filter, a line or a file; no user bears one of them.
HOSTILE = [
    b"anna' OR '1'='1", b'a"; DROP TABLE users; --', b"ann*", b"anna)(uid=*", b"anna,dc=house", b"anna\tservice=x",
    b"anna\x01", b"\xff\xfe", b"a" * 300, b"",
]  # fmt: skip


class Desk:
    """A server whose users are in `stores`."""

    def __init__(self, postrider, stores, more={}, **users):
        self.address = ground.address()
        self.server = postrider(
            {"networks": ["192.0.2.0/24"], "users": {"stores": stores, **users}, **more}, start=False
        )
        self.server.address = self.address
        self.server.config["listen"] = [{"address": f"{self.address}:{self.server.port}", "mode": "submission"}]
        self.server.write()
        self.server.start()

    def client(self, source=None):
        """Under TLS, from an address of its own, so that no failure counts for another client."""
        client = self.server.client(source=source or ground.address())
        client.hello()
        client.expect(220, "STARTTLS")
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        client.socket = context.wrap_socket(client.socket)
        self.offer = client.expect(250, "EHLO client.example").text
        return client

    def plain(self, name, password=PASSWORD):
        with self.client() as client:
            name = name if isinstance(name, bytes) else name.encode()
            return client.ask(b"AUTH PLAIN " + base64.b64encode(b"\0" + name + b"\0" + password.encode()) + b"\r\n")

    def all_plain(self, attempts):
        """At the same time, for who fails has to wait."""
        with ThreadPoolExecutor(len(attempts)) as clients:
            return list(clients.map(lambda attempt: self.plain(*attempt), attempts))

    def judges(self, name="anna"):
        """Right, wrong and unknown."""
        assert self.plain(name).code == 235
        wrong, unknown = self.all_plain([(name, "wrong"), ("nobody", PASSWORD)])
        assert wrong.lines == unknown.lines and wrong.code == 535 and wrong.status == "5.7.8"
        assert self.plain(name).code == 235

    def withstands(self, names=HOSTILE):
        """Hostile names are users who are not there: no trouble with the store, and the next one logs in."""
        attempts = [*((name, PASSWORD) for name in names), ("anna", "x" * 2000)]
        for attempt, reply in zip(attempts, self.all_plain(attempts)):
            assert reply.code in (535, 501), attempt
        with self.client() as client:
            nul = base64.b64encode(b"\0anna\0" + PASSWORD.encode() + b"\0x").decode()
            assert client.ask(f"AUTH PLAIN {nul}").code in (501, 535)
            empty = base64.b64encode(b"\0anna\0").decode()
            assert client.ask(f"AUTH PLAIN {empty}").code in (501, 535)
        assert self.plain("anna").code == 235
        assert not [e for e in self.server.events if e["event"] == "store-trouble"]

    def is_down(self):
        later = self.plain("anna")
        assert later.code == 454 and later.status == "4.7.0"
        trouble = self.server.wait("store-trouble")
        assert trouble["reason"] and PASSWORD not in json.dumps(self.server.events)
        return trouble

    def is_back(self):
        assert self.plain("anna").code == 235
        self.server.wait("store-back")


def crypt(password):
    done = subprocess.run(["openssl", "passwd", "-6", password], capture_output=True, check=True, text=True)
    return done.stdout.strip()
