"""Bytes on every way out: LMTP, SMTP with and without extensions, mbox; and what is converted or
sent back where the next server lacks what a message needs (RFC 6152, 6531, 3030)."""
import email

import pytest

from house.mailbox import as_sent, split, to_crlf

HEAD = (
    b"From: <a@b.example>\r\nTo: <you@far.example>\r\nDate: Tue, 24 Nov 2026 07:00:00 +0000\r\n"
    b"Message-ID: <1@b.example>\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
)
BODIES = {
    "dots": b".\r\n..\r\n.x\r\n...\r\nend.\r\n.\r\n",
    "empty": b"",
    "long-line": b"x" * 5000 + b"\r\n" + b"y" * 70000 + b"\r\n",
    "8bit": bytes(range(128, 256)) + b"\r\n",
    "nul": b"a\0b\r\n",
    "from-lines": b"From here\r\n>From there\r\n>>From afar\r\n",
    "blank-lines": b"\r\n\r\n\t \r\n\r\n",
    "no-final-line-end": b"the end",
}
ALL = ["PIPELINING", "8BITMIME", "SIZE", "DSN", "CHUNKING", "BINARYMIME", "SMTPUTF8"]


def whole(message):
    return message if message.endswith(b"\r\n") else message + b"\r\n"


def towards(postrider, server, kind="smtp"):
    return postrider({"transports": [{"match": "*", "to": f"{kind}://{server.address}:{server.port}"}]})


def submit(house, body, way="data", to="you@far.example", mail=" BODY=8BITMIME", sender="box@house.example", head=HEAD):
    with house.client() as client:
        client.hello()
        client.expect(250, f"MAIL FROM:<{sender}>{mail}")
        client.expect(250, f"RCPT TO:<{to}>")
        reply = client.data(head + body) if way == "data" else client.bdat(head + body, 7, 100)
        assert reply.code == 250, reply


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("kind", ["lmtp", "smtp"])
def test_all_bodies_by_data(postrider, hostile, kind, name):
    server = hostile()
    server.lmtp = kind == "lmtp"
    house = towards(postrider, server, kind)
    submit(house, BODIES[name])
    (mail,) = server.wait()
    assert as_sent(mail.message) == whole(HEAD + BODIES[name])


def test_all_bodies_by_bdat_over_one_connection(postrider, hostile):
    server = hostile(keywords=ALL)
    house = towards(postrider, server)
    for name, body in BODIES.items():
        submit(house, body, way="bdat", to=f"{name}@far.example")
    mails = server.wait(len(BODIES))
    assert server.count("data") == 0, "a server with CHUNKING is sent BDAT"
    for mail in mails:
        body = BODIES[mail.recipients[0].split("@")[0]]
        assert whole(as_sent(mail.message)) == whole(HEAD + body), mail.recipients


def test_25_mib_to_the_next_server(postrider, hostile):
    server = hostile()
    house = towards(postrider, server)
    line = b"".join(b"%07d " % n for n in range(110)) + b"\r\n"
    body = line * (25 * 1024 * 1024 // len(line) + 1)
    submit(house, body)
    (mail,) = server.wait(patience=40)
    assert as_sent(mail.message) == HEAD + body


def test_25_mib_onto_an_mbox(postrider, tmp_path):
    house = postrider({"domains": {"house.example": {"mailboxes": f"mbox:{tmp_path}/box"}}})
    line = b"From " + b"".join(b"%07d " % n for n in range(110)) + b"\r\n"
    body = line * (25 * 1024 * 1024 // len(line) + 1)
    submit(house, body, to="you@house.example")
    house.wait("delivered")
    assert to_crlf(as_sent(house.mbox(tmp_path / "box").one())) == HEAD + body


def test_mbox_messages_do_not_run_into_each_other(postrider, tmp_path):
    house = postrider({"domains": {"house.example": {"mailboxes": f"mbox:{tmp_path}/box"}}})
    for name, body in BODIES.items():
        submit(house, body, to="you@house.example", sender=f"{name}@b.example")
    house.wait("delivered", len(BODIES))
    box = house.mbox(tmp_path / "box")
    sent = {name: whole(HEAD + body) for name, body in BODIES.items()}
    got = {s.decode().split("@")[0]: whole(to_crlf(as_sent(m))) for s, m in zip(box.senders(), box.messages())}
    assert got == sent


def test_a_bcc_is_taken_out_of_what_is_submitted(house):
    submit(house, b"hi\r\n", to="you@house.example", head=b"Bcc: secret@x.example,\r\n\tmore@x.example\r\nTo: you\r\n\r\n")
    message = house.maildir("you").one()
    assert b"secret" not in message and b"more@x" not in message and b"To: you" in message


def test_8bit_is_encoded_where_the_server_lacks_8bitmime(postrider, hostile):
    server = hostile(keywords=["PIPELINING"])
    house = towards(postrider, server)
    body = "Grüße, Jürgen\r\n".encode()
    submit(house, body)
    (mail,) = server.wait()
    assert mail.message.isascii() and "BODY" not in str(server.visits)
    got = email.message_from_bytes(mail.message)
    assert to_crlf(got.get_payload(decode=True)) == body


def test_8bit_that_cannot_be_encoded_comes_back(postrider, hostile):
    server = hostile(keywords=["PIPELINING"])
    house = towards(postrider, server)
    head = b"Subject: \xe4\xf6\r\n\r\n"  # a header in no known character set
    submit(house, b"x\r\n", head=head)
    house.wait("removed")
    if server.mail:
        assert server.mail[0].message.isascii()
    else:
        assert b"Status: 5.6.3" in house.maildir("box").one()


def test_binary_is_passed_on_or_comes_back_as_5_6_3_or_encoded(postrider, hostile):
    body = bytes(range(256)) * 3
    head = HEAD.replace(b"8bit", b"binary").replace(b"text/plain; charset=utf-8", b"application/octet-stream")
    able = hostile(keywords=ALL)
    submit(towards(postrider, able), body, way="bdat", mail=" BODY=BINARYMIME", head=head)
    (mail,) = able.wait()
    assert split(as_sent(mail.message))[1] == body
    assert "BODY=BINARYMIME" in str(mail.parameters)
    unable = hostile(keywords=["PIPELINING", "8BITMIME"])
    house = towards(postrider, unable)
    submit(house, body, way="bdat", mail=" BODY=BINARYMIME", head=head)
    house.wait("removed")
    if unable.mail:
        assert email.message_from_bytes(unable.mail[0].message).get_payload(decode=True) == body
    else:
        assert b"Status: 5.6.3" in house.maildir("box").one()


def test_smtputf8_comes_back_as_5_6_7_where_the_server_lacks_it(postrider, hostile):
    server = hostile(keywords=["PIPELINING", "8BITMIME"])
    house = towards(postrider, server)
    submit(house, b"x\r\n", to="jürgen@far.example", mail=" SMTPUTF8 BODY=8BITMIME")
    assert b"Status: 5.6.7" in house.maildir("box").one()
    assert not server.mail


def test_smtputf8_is_passed_on(postrider, hostile):
    server = hostile(keywords=ALL)
    house = towards(postrider, server)
    submit(house, b"x\r\n", to="jürgen@far.example", mail=" SMTPUTF8 BODY=8BITMIME")
    (mail,) = server.wait()
    assert mail.recipients == ["jürgen@far.example"] and "SMTPUTF8" in str(mail.parameters)


def test_too_large_for_the_size_it_names_comes_back(postrider, hostile):
    server = hostile(keywords=["PIPELINING", "8BITMIME", "SIZE 1000"])
    house = towards(postrider, server)
    submit(house, b"x" * 70 + b"\r\n" + b"y" * 2000 + b"\r\n")
    assert b"Status: 5.3.4" in house.maildir("box").one()
    assert server.count("data") == 0 and not server.mail


def test_a_server_without_ehlo_gets_it_by_helo(postrider, hostile):
    server = hostile({"ehlo": "502 5.5.1 what?"})
    house = towards(postrider, server)
    submit(house, b"x\r\n")
    server.wait()
    assert server.count("helo") == 1


def test_recipients_of_one_site_share_a_transaction(postrider, hostile):
    server = hostile()
    house = towards(postrider, server)
    names = [f"box{n}@far.example" for n in range(30)]
    house.submit(names, HEAD + b"x\r\n")
    (mail,) = server.wait()
    house.wait("relayed", 30)
    assert sorted(mail.recipients) == sorted(names) and len(server.mail) == 1


def test_connections_are_used_again(postrider, hostile):
    server = hostile()
    house = towards(postrider, server)
    for relayed in range(1, 6):
        house.submit("box@far.example", HEAD + b"x\r\n")
        house.wait("relayed", relayed)
    assert len(server.sessions) == 1


def test_a_pipe_gets_the_message_and_its_exit_code_counts(postrider, tmp_path):
    script = tmp_path / "program"
    script.write_text(f"#!/bin/sh\necho \"$1 says no\" >&2\ncat > {tmp_path}/got.$1\nexit $2\n")
    script.chmod(0o755)
    domains = {
        f"d{code}.example": {"mailboxes": f"pipe:{script} {{local}} {code}", "users": ["*"]}
        for code in (0, 67, 75)
    }
    house = postrider({"domains": domains, "queue": {"retry": ["1h"]}})
    submit(house, BODIES["8bit"], to="fine@d0.example")
    house.wait("delivered")
    assert split(to_crlf(as_sent((tmp_path / "got.fine").read_bytes())))[1] == BODIES["8bit"]
    submit(house, b"x\r\n", to="gone@d67.example")
    bounce = house.maildir("box").one()
    assert b"gone says no" in bounce and b"Status: 5." in bounce
    submit(house, b"x\r\n", to="later@d75.example")
    assert house.wait("deferred")["status"].startswith("4.")
    submit(house, b"x\r\n", to='"$(touch x);`id`"@d0.example')
    house.wait("delivered", 2)
