"""STARTTLS stripped, injected and cut, in both roles: RFC 3207 section 6 and the cases of "Why TLS is better
without STARTTLS" (2021). Nothing said in the clear may count in private; where privacy is demanded, no mail
goes without it. One Postrider for each role; the cases stand in src/tls/README.md too."""
import socket
import ssl

import pytest

from house import ground
from house.certificates import Certificate
from house.smtp_client import Client
from test_tls import anybody, secure

MESSAGE = b"Subject: private\r\n\r\nhello\r\n"


@pytest.fixture(scope="module")
def house(common):
    return common()


# -- as server --------------------------------------------------------------------------------------------


def ended(client):
    """No reply comes any more; the connection is closed, or reset."""
    client.socket.settimeout(10)
    try:
        while client.socket.recv(65536):
            pass
    except (ConnectionResetError, ssl.SSLError):
        pass
    return True


def hello(context=None):
    """The first record of a client, as a library makes it."""
    outgoing = ssl.MemoryBIO()
    try:
        (context or anybody()).wrap_bio(ssl.MemoryBIO(), outgoing).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


BEHIND = {
    "a command": b"MAIL FROM:<evil@client.example>\r\n",
    "the beginning of a command": b"M",
    "an empty line": b"\r\n",
    "EHLO, MAIL, RCPT and DATA": b"EHLO x\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<ben@house.example>\r\nDATA\r\n",
    "a TLS record": hello(),
}


@pytest.mark.parametrize("extra", BEHIND.values(), ids=BEHIND)
def test_what_comes_behind_starttls_in_the_same_packet_ends_the_session(house, extra):
    with house.client() as client:
        client.hello()
        client.send(b"STARTTLS\r\n" + extra)
        assert client.reply().code == 554
        with pytest.raises(EOFError):
            client.line()
    house.wait("tls-injection")


@pytest.mark.parametrize("extra", [BEHIND["a command"], b"\r\n\r\n\r\n", BEHIND["a command"] + hello()],
                         ids=["a command", "empty lines", "a command and a TLS record"])
def test_what_comes_after_the_reply_in_the_clear_is_no_command(house, extra):
    with house.client() as client:
        client.hello()
        client.expect(220, "STARTTLS")
        client.send(extra)
        assert ended(client)
    assert not house.seen("mail", sender="evil@client.example")


def test_starttls_cut_into_pieces_is_taken(house):
    with house.client() as client:
        client.hello()
        client.send(b"START", b"TLS\r", b"\n")
        client.expect(220)
        client.socket = anybody().wrap_socket(client.socket)
        client.expect(250, "EHLO client.example")


def test_nothing_begun_in_the_clear_goes_on_in_private(house):
    with house.client() as client:
        client.hello("clear.example")
        client.envelope("clear@client.example", "ben@house.example")
        client.expect(503, "STARTTLS")
        client.expect(250, "RSET")
        secure(client)
        client.expect(503, "DATA")
        client.expect(503, "RCPT TO:<ben@house.example>")
        client.expect(503, "MAIL FROM:<clear@client.example>")  # EHLO too
        client.expect(250, "EHLO private.example")
        client.envelope("private@client.example", "forgotten@house.example")
        assert client.data(MESSAGE).code == 250
    message = house.maildir("forgotten").one()
    assert b"from private.example" in message and b"clear" not in message


def test_starttls_inside_a_body_is_text(house):
    with house.client() as client:
        client.hello()
        client.envelope("a@client.example", "text@house.example")
        client.send(b"BDAT 10 LAST\r\nSTARTTLS\r\n")
        client.expect(250)
        client.expect(250, "NOOP")
    assert b"STARTTLS" in house.maildir("text").one()


def test_the_clear_after_the_handshake_ends_the_session(house):
    with house.client() as client:
        client.hello()
        secure(client)
        client.expect(250, "EHLO client.example")
        client.envelope("after@client.example", "after@house.example")
        plain = socket.socket(fileno=client.socket.detach())
        plain.sendall(b"DATA\r\nSubject: x\r\n\r\n.\r\n")
        client.socket = plain
        assert ended(client)
        plain.close()
    assert house.maildir("after").count() == 0


def test_a_message_cut_off_by_a_forger_is_none(house):
    """A TCP end without TLS's own: what came so far is not the message, even at the end of a line."""
    with house.client() as client:
        client.hello()
        secure(client)
        client.expect(250, "EHLO client.example")
        client.envelope("cut@client.example", "cut@house.example")
        client.expect(354, "DATA")
        client.send(MESSAGE)
        plain = socket.socket(fileno=client.socket.detach())
        plain.shutdown(socket.SHUT_WR)
        client.socket = plain
        assert ended(client)
        plain.close()
    with house.client() as client:  # whatever was to come of it has come
        client.hello()
        client.envelope("whole@client.example", "cut@house.example")
        assert client.data(MESSAGE).code == 250
    assert b"whole@client.example" in house.maildir("cut").one()


def test_nothing_of_submission_is_offered_before_tls(common, tmp_path):
    """A stripped STARTTLS gains no password: none is asked for in a way that shows it."""
    desk = common({"users": {"file": str(tmp_path / "users")}}, start=False)
    desk.config["listen"][0]["mode"] = "submission"
    desk.write()
    desk.run("user", "add", "anna", "-c", desk.file, input=b"x\n", check=0)
    desk.start()
    with desk.client() as client:
        offered = client.hello().text
        assert "PLAIN" not in offered and "LOGIN" not in offered
        for command in ("AUTH PLAIN AGFubmEAeA==", "AUTH LOGIN YW5uYQ=="):
            assert client.ask(command).code in (504, 538)


# -- as client --------------------------------------------------------------------------------------------

def starttls(bytes_, then=None):
    """Answers STARTTLS so, and goes on with `then`, or with the handshake."""

    def script(session, phase, _argument):
        if phase != "starttls":
            return None
        session.send(bytes_)
        return then(session) if then else b""  # the handshake, with nothing more said

    return script


def cut(_session):
    return "DIE"


def separately(data):
    """In a packet of its own, after what was said before and before any handshake."""

    def then(session):
        session.send(data)
        session.read()
        return "DIE"

    return then


def after_ehlo(extra):
    """`extra` in the same packet as the reply to EHLO, in the clear."""

    def script(session, phase, _argument):
        if phase == "ehlo" and session.tls is None:
            return b"250-hostile.example\r\n250 STARTTLS\r\n" + extra
        return None

    return script


def plain_in_private(session, phase, _argument):
    """Speaks in the clear after the handshake."""
    if phase == "mail" and session.tls is not None:
        raw = socket.socket(fileno=session.connection.detach())
        raw.sendall(b"250 2.1.0 ok\r\n")
        session.connection = raw
        session.read()
        return "DIE"
    return None


def cut_in_private(session, phase, _argument):
    """Ends the connection without TLS's own end, where the last reply is due."""
    if phase == "end":
        raw = socket.socket(fileno=session.connection.detach())
        raw.close()
        session.connection = raw
        return "DIE"
    return None


def wants_auth(_session, phase, _argument):
    return "530 5.7.0 Authentication required" if phase == "mail" else None


REPLIES = b"250-evil.example\r\n250 SIZE 1\r\n"
# The script, what is offered, the status when TLS is demanded, and what becomes of it when it is not: "either"
# where the network's packets decide.
CASES = {
    "no STARTTLS offered": ({}, ("8BITMIME",), "4.7.4", "clear"),
    "STARTTLS overwritten": ({}, ("XXXXXXXA", "8BITMIME"), "4.7.4", "clear"),
    "EHLO refused": ({"ehlo": "502 5.5.1 what?"}, (), "4.7.4", "clear"),
    "STARTTLS refused with 454": ({"starttls": "454 4.7.0 not now"}, ("STARTTLS",), "4.7.4", "clear"),
    "STARTTLS refused with 501": ({"starttls": "501 5.5.4 no"}, ("STARTTLS",), "4.7.4", "clear"),
    "STARTTLS answered with 250": ({"starttls": "250 2.0.0 ok"}, ("STARTTLS",), "4.7.4", "waits"),
    "the connection cut after STARTTLS": ({"starttls": "DIE"}, ("STARTTLS",), "4.", "waits"),
    "the connection cut after 220": (starttls(b"220 go on\r\n", cut), ("STARTTLS",), "4.7.5", "clear"),
    "replies behind the 220": (starttls(b"220 go on\r\n" + REPLIES), ("STARTTLS",), "4.", "waits"),
    "half a reply behind the 220": (starttls(b"220 go on\r\n2"), ("STARTTLS",), "4.", "waits"),
    "a TLS record behind the 220": (starttls(b"220 go on\r\n\x15\x03\x03\0\x02\x02\x28"), ("STARTTLS",), "4.", "waits"),
    "replies after the 220, in a packet of their own": (starttls(b"220 go on\r\n", separately(REPLIES)), ("STARTTLS",), "4.", "either"),
    "an answer to STARTTLS before the question": (after_ehlo(b"220 go on\r\n"), ("STARTTLS",), "4.", "waits"),
    "another answer before the question": (after_ehlo(b"250 ok\r\n"), ("STARTTLS",), "4.", "waits"),
}
# What happens in private: the same under each policy.
PRIVATE = {
    "the clear after the handshake": (plain_in_private, "deferred", "4."),
    "no end of TLS before the last reply": (cut_in_private, "deferred", "4."),
    "AUTH demanded": (wants_auth, "bounced", "5.7.0"),
}


@pytest.fixture(scope="module")
def servers(common, common_hostile, tmp_path_factory):
    """A scripted server for each case and policy, and a Postrider whose mail goes to them."""
    certificate = Certificate(tmp_path_factory.mktemp("servers"), "mx.far.example")
    made, transports, rules = {}, [], []

    def add(case, policy, script, keywords):
        domain = f"n{len(made)}.far.example"
        server = common_hostile(script, keywords=keywords, tls=certificate.context())
        made[case, policy] = (f"you@{domain}", server)
        transports.append({"match": domain, "to": f"smtp://{server.address}:{server.port}"})
        rules.append({"match": domain, "policy": policy})

    for policy in ("may", "encrypt"):
        for case, (script, keywords, *_) in CASES.items():
            add(case, policy, dict(script) if isinstance(script, dict) else script, keywords)
    for case, (script, *_) in PRIVATE.items():
        add(case, "encrypt", script, ("STARTTLS", "8BITMIME"))
    add("capabilities", "encrypt", capabilities, ())
    near = common({"transports": transports, "deliver": {"tls": rules}})
    near.submit([recipient for recipient, _ in made.values()], MESSAGE)
    return near, made


@pytest.mark.parametrize("case", CASES)
def test_where_tls_is_demanded_no_trick_gets_the_mail(servers, case):
    near, made = servers
    recipient, server = made[case, "encrypt"]
    event = near.wait("deferred", rcpt=recipient)
    assert event["status"].startswith(CASES[case][2]), event
    assert not server.mail and not server.count("mail")


@pytest.mark.parametrize("case", CASES)
def test_where_tls_is_not_demanded_no_trick_mixes_clear_and_private(servers, case):
    """It goes by a connection that is wholly one or the other, or it waits."""
    near, made = servers
    recipient, server = made[case, "may"]
    wanted = CASES[case][3]
    event = ground.until("an outcome", lambda: near.seen("relayed", rcpt=recipient) or near.seen("deferred", rcpt=recipient))[0]["event"]
    assert wanted == "either" or event == {"clear": "relayed", "waits": "deferred"}[wanted]
    assert len(server.mail) == (event == "relayed")
    for mail in server.mail:
        assert mail.tls is None and mail.recipients == [recipient]


@pytest.mark.parametrize("case", PRIVATE)
def test_what_breaks_privacy_later_ends_the_attempt(servers, case):
    near, made = servers
    recipient, server = made[case, "encrypt"]
    _, kind, status = PRIVATE[case]
    assert near.wait(kind, rcpt=recipient)["status"].startswith(status)
    assert not server.mail


def capabilities(session, phase, _argument):
    """Before TLS it offers all, after it nothing but AUTH."""
    if phase == "ehlo":
        clear = b"250-hostile.example\r\n250-STARTTLS\r\n250-PIPELINING\r\n250-SIZE 10\r\n250-CHUNKING\r\n250-DSN\r\n250 8BITMIME\r\n"
        return clear if session.tls is None else b"250-hostile.example\r\n250 AUTH PLAIN LOGIN\r\n"
    return None


def test_what_was_offered_in_the_clear_is_forgotten(servers):
    near, made = servers
    recipient, server = made["capabilities", "encrypt"]
    (mail,) = server.wait()
    near.wait("relayed", rcpt=recipient)
    assert mail.tls is not None
    assert mail.parameters == ["", ""]  # no SIZE, BODY or NOTIFY
    assert not server.count("bdat") and server.count("data") == 1
    assert server.count("ehlo") == 2
