"""Other mail servers, both ways: Postfix and Exim as next hop and as sender, Dovecot by LMTP,
Python's aiosmtpd."""
import email.policy
import threading

import pytest

from house import ground
from house.dovecot import Dovecot
from house.exim import Exim
from house.mailbox import as_sent, fields, split, to_crlf
from house.postfix import Postfix

HEADER = b"From: <sender@client.example>\r\nTo: <you@there.example>\r\nDate: Tue, 24 Nov 2026 07:00:00 +0000\r\nMessage-ID: <1@client.example>\r\nSubject: peers\r\n"
BODY = b".\r\n..dots\r\n\r\nFrom a line\r\n" + "Grüße\r\n".encode() + b" " + b"x" * 900 + b"\r\n"
MESSAGE = HEADER + b"\r\n" + BODY


def towards(postrider, address, port, **more):
    return postrider({"transports": [{"match": "*", "to": f"smtp://{address}:{port}"}], **more})


def body_of(message):
    return split(to_crlf(message))[1]


@pytest.mark.parametrize("kind", [Postfix, Exim])
def test_as_next_hop_it_gets_one_copy_whole(postrider, peer, kind):
    there = peer(kind)
    house = towards(postrider, there.address, there.port)
    queue_id = house.submit([f"you@{there.domain}", f"two@{there.domain}"], MESSAGE)
    house.wait("removed", id=queue_id)
    messages = there.maildir().wait(2)  # one Maildir takes everybody's
    assert all(body_of(m) == BODY for m in messages)
    assert all(b"sender@client.example" in fields(m, "Return-Path")[0] for m in messages)
    assert len(house.seen("relayed", id=queue_id)) == 2


@pytest.mark.parametrize("kind", [Postfix, Exim])
def test_as_sender_its_message_arrives_once_whole(postrider, peer, kind):
    house = postrider()
    there = peer(kind, **({"relayhost": f"[{house.address}]:{house.port}"} if kind is Postfix else {"next_hop": house.address}))
    there.sendmail("someone@client.example", ["you@house.example", "two@house.example"], MESSAGE.replace(b"\r\n", b"\n"))
    for box in ("you", "two"):
        message = house.maildir(box).one()
        assert body_of(message) == BODY
        assert fields(message, "Return-Path") == [b"<someone@client.example>"]
    assert len(house.seen("queued")) == 1


def test_its_refusal_comes_back_in_the_bounce(postrider, peer):
    there = peer(Postfix, more="smtpd_recipient_restrictions = check_recipient_access inline:{nobody@postfix.example=REJECT}, permit")
    house = towards(postrider, there.address, there.port)
    house.submit("nobody@postfix.example", MESSAGE, sender="box@house.example")
    bounce = house.maildir("box").one()
    assert b"Final-Recipient: rfc822; nobody@postfix.example" in bounce
    assert b"554 5.7.1" in bounce


@pytest.mark.parametrize("socket", ["port", "unix"])
def test_dovecot_by_lmtp(postrider, peer, socket):
    there = peer(Dovecot)
    at = f"lmtp:{there.address}:{there.port}" if socket == "port" else f"lmtp:unix:{there.folder}/lmtp.sock"
    house = postrider({"domains": {"house.example": {"mailboxes": at}}})
    queue_id = house.submit(["you@house.example", "two@house.example"], MESSAGE)
    house.wait("removed", id=queue_id)
    for user in ("you@house.example", "two@house.example"):
        assert body_of(there.maildir(user).one()) == BODY


def test_an_smtputf8_message_crosses_postfix(postrider, peer):
    there = peer(Postfix)
    house = towards(postrider, there.address, there.port)
    with house.client() as client:
        client.hello()
        client.expect(250, "MAIL FROM:<grüße@client.example> SMTPUTF8 BODY=8BITMIME")
        client.expect(250, "RCPT TO:<dörte@postfix.example>")
        assert client.data("Subject: Grüße\r\n\r\nHallo\r\n".encode()).code == 250
    assert "Grüße".encode() in there.maildir().one()


def aiosmtpd_server(kind, port):
    aiosmtpd = pytest.importorskip("aiosmtpd.controller")
    from aiosmtpd.lmtp import LMTP
    from aiosmtpd.smtp import SMTP

    class Handler:
        def __init__(self):
            self.taken = []
            self.news = threading.Event()

        async def handle_DATA(self, server, session, envelope):
            self.taken.append(envelope)
            self.news.set()
            return "250 2.0.0 taken" if kind == "smtp" else "\r\n".join("250 2.0.0 taken" for _ in envelope.rcpt_tos)

    class Controller(aiosmtpd.Controller):
        def factory(self):
            return (SMTP if kind == "smtp" else LMTP)(self.handler, enable_SMTPUTF8=True, hostname="python.example")

    return Controller(Handler(), hostname=ground.address(), port=port)


@pytest.mark.parametrize("kind", ["smtp", "lmtp"])
def test_aiosmtpd(postrider, port, kind):
    there = aiosmtpd_server(kind, port)
    there.start()
    try:
        house = postrider({"transports": [{"match": "*", "to": f"{kind}://{there.hostname}:{port}"}]})
        queue_id = house.submit(["you@python.example"], MESSAGE)
        house.wait("removed", id=queue_id)
        (envelope,) = there.handler.taken
        assert envelope.rcpt_tos == ["you@python.example"]
        assert as_sent(envelope.original_content) == MESSAGE
    finally:
        there.stop()


def test_a_bounce_is_read_by_pythons_email(postrider, hostile):
    server = hostile({"rcpt": "550 5.1.1 no such user"})
    house = towards(postrider, server.address, server.port)
    house.submit("you@far.example", MESSAGE, sender="box@house.example")
    report = email.message_from_bytes(house.maildir("box").one(), policy=email.policy.default)
    assert report.get_content_type() == "multipart/report" and not report.defects
    assert [p.get_content_type() for p in report.iter_parts()][1] == "message/delivery-status"
