"""Each process of a server dies or stands still under load: nothing that was acknowledged is lost, each comes back."""
import base64
import os
import pathlib
import random
import signal
import ssl
import subprocess

from books import Arrivals, Senders, make
from house import ground
from house.smtp_client import Client

HARMS = max(10, int(os.environ.get("RACK_KILLS", "200")) // 8)
USER, PASSWORD = "a@b.example", "secret"


class Submitters(Senders):
    """Each message over a connection of its own, by STARTTLS and AUTH, from a sender whose mail is signed."""

    def _work(self, number):
        rng, made = random.Random(number), 0
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        source = ground.address()
        while not self.stopping.is_set():
            try:
                with Client(self.house.address, self.house.port, source) as client:
                    client.hello()
                    client.expect(220, "STARTTLS")
                    client.socket = context.wrap_socket(client.socket)
                    client.expect(250, "EHLO client.example")
                    login = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
                    client.expect(235, f"AUTH PLAIN {login}")
                    made += 1
                    self._send(client, f"{self.name}{number}-{made}", rng)
                    client.expect(221, "QUIT")
            except (OSError, EOFError, AssertionError):
                self.note("cut")
                self.stopping.wait(0.02)

    def _send(self, client, mark, rng):
        client.envelope(USER, rng.choice(self.to))
        reply = client.data(f"From: {USER}\r\n".encode() + make(mark, rng.choice(self.sizes)))
        self.note(reply.code, mark)


def processes(house):
    """The supervisor's children by what they are started as, and how they are."""
    words = ["ps", "-o", "pid=,stat=,args=", "--ppid", str(house.process.pid)]
    found = {}
    for line in subprocess.run(words, capture_output=True, text=True).stdout.splitlines():
        pid, state, arguments = line.split(None, 2)
        roles = [word for word in arguments.split() if word.startswith("--")]
        found.setdefault(roles[0] if roles else arguments, []).append((int(pid), state))
    return found


def descriptors(process):
    return len(list(pathlib.Path(f"/proc/{process}/fd").iterdir()))


def furnish(tmp_path):
    """A certificate, a key of DKIM and a user; what the configuration says of them."""
    pair, dkim, users = {"certificate": str(tmp_path / "c.pem"), "key": str(tmp_path / "k.pem")}, tmp_path / "dkim.pem", tmp_path / "users"
    for words, text in [
        (["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-keyout", pair["key"], "-out", pair["certificate"],
          "-subj", "/CN=x", "-days", "9"], None),
        ([ground.program(), "dkim", "key", "b.example", "s", "-f", dkim], None),
        ([ground.program(), "user", "add", USER, "-f", users], PASSWORD.encode()),
    ]:  # fmt: skip
        subprocess.run(words, input=text, capture_output=True, check=True)
    return {
        "tls": {"certificates": [pair]},
        "dkim": [{"domain": "b.example", "selector": "s", "key": str(dkim)}],
        "users": {"file": str(users), "limits": {"messages": 0, "recipients": 0}},
    }


def test_any_process_dies_or_stands_still_under_load(postrider, hostile, tmp_path, figures):
    server = hostile()
    house = postrider({
        **furnish(tmp_path),
        "networks": ["192.0.2.0/24"],
        "log": {"level": "debug"},
        "transports": [{"match": "far.example", "to": f"smtp://{server.address}:{server.port}"}],
        "queue": {"retry": ["200ms"]},
    }, start=False)  # fmt: skip
    house.config["listen"][0]["mode"] = "submission"
    house.write()
    house.start()
    rng, done = random.Random(2), {}
    with Submitters(house, to=("you@house.example", "you@far.example"), sizes=(300, 2000)) as senders:
        senders.wait_taken(10)
        before = descriptors(house.process.pid)
        for _ in range(HARMS):
            running = {role: found for role, found in processes(house).items() if role.startswith("--")}
            role = rng.choice(sorted(running))
            harm = rng.choice([signal.SIGKILL, signal.SIGABRT] + [signal.SIGSTOP] * (role != "--worker"))
            os.kill(running[role][-1][0], harm)
            done[role[2:]] = done.get(role[2:], 0) + 1
            senders.wait_taken(rng.randrange(5, 15), 60)
    found = Arrivals([house.maildir("you")], [server]).wait(senders, house)
    figures(harms=done, acknowledged=len(senders.taken), lost=len(senders.taken - found.keys()), replies=dict(senders.replies))
    assert {"worker", "keys", "dkim", "login"} <= done.keys() and house.seen("signed")
    assert not [state for states in processes(house).values() for _, state in states if state[0] == "Z"]
    assert descriptors(house.process.pid) <= before + 2, "sockets are left in the supervisor"
    house.stop()
