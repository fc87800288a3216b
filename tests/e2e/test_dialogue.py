"""Every command, its order, its codes."""
import signal

import pytest


@pytest.fixture
def client(house):
    with house.client() as c:
        yield c


def test_ehlo_lists_what_is_offered(client):
    reply = client.hello()
    for keyword in ("PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "CHUNKING",
                    "BINARYMIME", "DSN", "LIMITS", "HELP"):
        assert keyword in reply.text.upper(), keyword


def test_helo_lists_nothing(client):
    assert len(client.hello(verb="HELO").lines) == 1


def test_order_and_state(client):
    client.expect(220)
    client.expect(503, "MAIL FROM:<a@b.example>")
    client.expect(250, "EHLO client.example")
    client.expect(503, "RCPT TO:<you@house.example>")
    client.expect(503, "DATA")
    client.expect(250, "MAIL FROM:<a@b.example>")
    client.expect(503, "MAIL FROM:<a@b.example>")
    client.expect(503, "DATA")
    client.expect(250, "RCPT TO:<you@house.example>")
    client.expect(250, "RSET")
    client.expect(503, "RCPT TO:<you@house.example>")
    client.expect(250, "NOOP whatever")
    client.expect(500, "FROBNICATE")
    client.expect(221, "QUIT")
    assert client.ended()


@pytest.mark.parametrize(
    "command, code",
    [
        ("MAIL FROM:<a@b.example> FROB=1", 555),
        ("MAIL FROM:a b", 501),
        ("MAIL FROM:<a@b.example> SIZE=99999999999", 552),
        ("MAIL FROM:<a@b.example> BODY=9BIT", 501),
        ("EHLO", 501),
        ("STARTTLS", 220),
        ("VRFY you", 252),
        ("EXPN you", 502),
        ("HELP", 214),
        ("HELP MAIL", 214),
        ("HELP nonsense", 504),
    ],
)
def test_code(client, command, code):
    client.hello()
    client.expect(code, command)


@pytest.mark.parametrize(
    "path, code",
    [
        ("<you@house.example>", 250),
        ("<@a.example,@b.example:you@house.example>", 250),
        ("<Postmaster>", 250),
        ('<"a b"@house.example>', 250),
        ("<you@[127.0.0.1]>", 250),  # likewise
        ("<you@elsewhere.example>", 250),  # from loopback: an own network
        ("<you>", 501),
        ("<you@-house.example>", 501),
        (f"<{'l' * 64}@house.example>", 250),
        (f"<{'l' * 65}@house.example>", 501),
    ],
)
def test_forward_path(client, path, code):
    client.hello()
    client.expect(250, "MAIL FROM:<>")
    reply = client.ask(f"RCPT TO:{path}")
    assert str(reply.code)[0] == str(code)[0], reply


def test_pipelined_commands_are_answered_in_order(client):
    client.hello()
    client.send(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<you@house.example>\r\nFROB\r\nRSET\r\nQUIT\r\n")
    assert [client.reply().code for _ in range(5)] == [250, 250, 500, 250, 221]


def test_every_reply_but_greeting_ehlo_and_354_has_an_enhanced_code(client):
    client.hello()
    for command in ("MAIL FROM:<a@b.example>", "RCPT TO:<you@house.example>", "NOOP", "RSET", "FROB",
                    "VRFY x", "DATA"):
        assert client.ask(command).status, command


def test_own_networks_may_verify_and_expand(postrider, tmp_path):
    aliases = tmp_path / "aliases"
    aliases.write_text("staff: anna, ben\nboss: anna\n")
    house = postrider({"policy": {"vrfy": "networks", "expn": "networks"},
                       "domains": {"house.example": {"users": ["anna", "ben"], "aliases": str(aliases)}}})
    with house.client() as client:
        client.hello()
        assert client.ask("VRFY anna@house.example").code == 250
        assert client.ask("VRFY nobody@house.example").code == 550
        reply = client.ask("EXPN staff@house.example")
        assert reply.code == 250 and len(reply.lines) == 2, reply
        assert client.ask("EXPN nobody@house.example").code == 550


def test_too_many_errors_end_the_session(postrider):
    house = postrider({"limits": {"errors": 3}})
    with house.client() as client:
        client.hello()
        codes = []
        while not codes or codes[-1] == 500:
            codes.append(client.ask("FROB").code)
        assert codes[-1] == 421 and len(codes) <= 4
        assert client.ended()


def test_an_idle_session_is_ended(postrider):
    house = postrider({"limits": {"idle": "300ms"}})
    with house.client() as client:
        client.hello()
        assert client.reply().code == 421
        assert client.ended()


def test_shutdown_is_told_at_the_next_command(house):
    with house.client() as client:
        client.hello()
        house.process.send_signal(signal.SIGTERM)
        house.wait("stopping")
        codes = [client.ask("NOOP").code]
        while codes[-1] == 250:  # its loop has not heard of it yet
            codes.append(client.ask("NOOP").code)
        assert codes[-1] == 421
        assert client.ended()


def test_too_large_a_message_is_refused(postrider):
    house = postrider({"limits": {"message": "64KiB"}})
    with house.client() as client:
        client.hello()
        client.envelope("a@b.example", "you@house.example")
        reply = client.data(b"Subject: x\r\n\r\n" + b"x" * 70 + b"\r\n" + (b"y" * 70 + b"\r\n") * 1000)
        assert reply.code == 552 and reply.status == "5.3.4"
        client.expect(250, "NOOP")
