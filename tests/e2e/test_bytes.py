"""Bodies arrive byte-identical, by DATA and by BDAT."""
import os

import pytest

from house.mailbox import as_sent, to_crlf

HEAD = b"From: <a@b.example>\r\nTo: <you@house.example>\r\nDate: Tue, 24 Nov 2026 07:00:00 +0000\r\n" \
       b"Message-ID: <1@b.example>\r\nSubject: x\r\n\r\n"
BODIES = {
    "dots": b".\r\n..\r\n.x\r\n...\r\nend.\r\n.\r\n",
    "empty": b"",
    "long-line": b"x" * 5000 + b"\r\n",
    "8bit": bytes(range(128, 256)) + b"\r\n",
    "from-lines": b"From here\r\n>From there\r\n>>From afar\r\n",
    "tabs-and-trailing": b" \t lead\r\ntrail \t\r\n\r\n\r\n",
    "no-final-line-end": b"the end",
}


@pytest.mark.parametrize("way", ["data", "bdat"])
@pytest.mark.parametrize("name", BODIES)
def test_into_a_maildir(house, way, name):
    body = BODIES[name]
    with house.client() as client:
        client.hello()
        client.envelope("a@b.example", "you@house.example", parameters=" BODY=8BITMIME")
        reply = client.data(HEAD + body) if way == "data" else client.bdat(HEAD + body, 10, 20)
        assert reply.code == 250, reply
    got = to_crlf(as_sent(house.maildir("you").one()))
    sent = HEAD + body
    if not sent.endswith(b"\r\n"):
        sent, got = sent + b"\r\n", got if got.endswith(b"\r\n") else got + b"\r\n"
    assert got == sent


@pytest.mark.parametrize("name", BODIES)
def test_onto_an_mbox(postrider, tmp_path, name):
    path = tmp_path / "box"
    house = postrider({"domains": {"house.example": {"mailboxes": f"mbox:{path}"}}})
    house.submit("you@house.example", HEAD + BODIES[name])
    got = to_crlf(as_sent(house.mbox(path).one()))
    assert got.rstrip(b"\r\n") == (HEAD + BODIES[name]).rstrip(b"\r\n")


@pytest.mark.parametrize("name", BODIES)
def test_to_the_next_server(postrider, hostile, name):
    next_hop = hostile()
    house = postrider({"transports": [{"match": "far.example", "to": f"smtp://{next_hop.address}"}]})
    house.submit("you@far.example", HEAD + BODIES[name])
    next_hop.wait()
    got = as_sent(next_hop.mail[0].message)
    sent = HEAD + BODIES[name]
    assert got == (sent if sent.endswith(b"\r\n") else sent + b"\r\n")


def test_25_mib(house):
    body = b"".join(os.urandom(36).hex().encode() + b"\r\n" for _ in range(1000)) * 360
    assert len(body) > 25 << 20
    house.submit("you@house.example", HEAD + body)
    assert to_crlf(as_sent(house.maildir("you").one())) == HEAD + body


def test_bdat_of_25_mib(house):
    body = b"0123456789abcdef" * ((25 << 20) // 16) + b"\r\n"
    body = b"\r\n".join(body[i : i + 900] for i in range(0, len(body), 900))
    with house.client() as client:
        client.hello()
        client.envelope("a@b.example", "you@house.example")
        reply = client.bdat(HEAD + body, *([1 << 20] * 20))
        assert reply.code == 250, reply
    assert to_crlf(as_sent(house.maildir("you").one())).rstrip() == (HEAD + body).rstrip()
