"""Every command with every fault, as a client sees it: codes and enhanced codes (RFC 5321, 2034,
3463), forms of addresses, limits at n and above, and the dialogues and addresses of others."""
import json

import pytest

from house import ground

MESSAGE = b"From: a@client.example\r\nSubject: hello\r\n\r\nIt works.\r\n"
CODELESS = {220, 354}


@pytest.fixture
def client(house):
    with house.client() as one:
        one.hello()
        yield one


def refused(client, command, code, status):
    reply = client.ask(command)
    assert (reply.code, reply.status) == (code, status), f"{command!r}: {reply}"
    return reply


def test_greeting_and_ehlo_name_the_host_and_its_limits(house):
    with house.client() as client:
        assert client.expect(220).text.startswith("mx.house.example ESMTP")
        lines = client.expect(250, "EHLO client.example").text.splitlines()
        assert lines[0].split()[0] == "mx.house.example"
        assert f"SIZE {50 * 1024 * 1024}" in lines
        assert any(line.startswith("LIMITS ") and "RCPTMAX=1000" in line for line in lines)
        assert "STARTTLS" in lines and "AUTH" not in {line.split()[0] for line in lines}


def test_after_helo_mail_goes_without_extensions(house):
    with house.client() as client:
        client.hello(verb="HELO")
        client.envelope("a@client.example", "box@house.example")
        assert client.data(MESSAGE).code == 250
    assert b"with SMTP id" in house.maildir("box").one()


WRONG = [
    ("", 500, "5.5.1"),
    ("BLURB", 500, "5.5.1"),
    ("EHLO", 501, "5.5.4"),
    ("HELO", 501, "5.5.4"),
    ("EHLO two words", 501, "5.5.4"),
    ("LHLO client.example", 500, "5.5.1"),
    ("MAIL", 501, "5.5.4"),
    ("MAIL TO:<a@client.example>", 501, "5.5.4"),
    ("MAIL FROM:", 501, "5.5.4"),
    ("MAIL FROM:<a@b@c>", 501, "5.1.7"),
    ("MAIL FROM:<a@client.example", 501, "5.1.7"),
    ("MAIL FROM:<a@client.example> WHAT=EVER", 555, "5.5.4"),
    ("MAIL FROM:<a@client.example> SIZE=x", 501, "5.5.4"),
    ("MAIL FROM:<a@client.example> SIZE=1 SIZE=1", 501, "5.5.4"),
    ("MAIL FROM:<a@client.example> BODY=9BIT", 501, "5.5.4"),
    ("MAIL FROM:<a@client.example> RET=SOME", 501, "5.5.4"),
    ("MAIL FROM:<a@client.example> SIZE=99999999999", 552, "5.3.4"),
    ("MAIL FROM:<ü@client.example>", 553, "5.6.7"),
    ("RCPT TO:<box@house.example>", 503, "5.5.1"),
    ("DATA", 503, "5.5.1"),
    ("BDAT 0 LAST", 503, "5.5.1"),
    ("VRFY", 501, "5.5.4"),
    ("EXPN", 501, "5.5.4"),
    ("RSET now", 501, "5.5.4"),
    ("QUIT now", 501, "5.5.4"),
    ("TURN", 502, "5.5.1"),
    ("ETRN house.example", 502, "5.5.1"),
    ("SEND FROM:<a@client.example>", 502, "5.5.1"),
    ("STARTTLS now", 501, "5.5.4"),
    ("AUTH PLAIN", 503, "5.5.1"),
    ("NO\x00OP", 500, "5.5.2"),
]
WRONG_AFTER_MAIL = [
    ("MAIL FROM:<b@client.example>", 503, "5.5.1"),
    ("DATA", 503, "5.5.1"),
    ("RCPT", 501, "5.5.4"),
    ("RCPT TO:", 501, "5.5.4"),
    ("RCPT TO:<>", 501, "5.1.3"),
    ("RCPT TO:<a b@house.example>", 501, "5.1.3"),
    ("RCPT TO:<box@house.example> NOTIFY=SOMETIMES", 501, "5.5.4"),
    ("RCPT TO:<box@house.example> NOTIFY=NEVER,DELAY", 501, "5.5.4"),
    ("RCPT TO:<box@house.example> WHAT", 555, "5.5.4"),
    (f"RCPT TO:<{'l' * 65}@house.example>", 501, "5.1.3"),
    ("RCPT TO:<ü@house.example>", 553, "5.6.7"),
]


def test_what_is_wrong_has_its_code(client):
    for command, code, status in WRONG[: len(WRONG) // 2]:
        refused(client, command, code, status)
    client.expect(250, "NOOP")


def test_what_else_is_wrong_has_its_code(client):
    for command, code, status in WRONG[len(WRONG) // 2 :]:
        refused(client, command, code, status)
    client.expect(250, "NOOP")


def test_what_is_wrong_after_mail_has_its_code_and_the_transaction_goes_on(house, client):
    client.expect(250, "MAIL FROM:<a@client.example>")
    for command, code, status in WRONG_AFTER_MAIL:
        refused(client, command, code, status)
    client.expect(250, "RCPT TO:<box@house.example>")
    for command in ("DATA now", "BDAT", "BDAT x"):
        refused(client, command, 501, "5.5.4")
    assert client.data(MESSAGE).code == 250
    house.maildir("box").one()


def test_commands_before_a_greeting(house):
    with house.client() as client:
        client.expect(220)
        refused(client, "MAIL FROM:<a@client.example>", 503, "5.5.1")
        for command in ("NOOP", "NOOP with words", "RSET", "HELP"):
            assert client.ask(command).code // 100 == 2
        client.expect(252, "VRFY box")
        client.expect(221, "QUIT")
        assert client.ended()


def test_rset_ehlo_and_the_end_of_a_message_forget_the_transaction(house, client):
    for forget in ("RSET", "EHLO again.example", "HELO again.example"):
        client.envelope("a@client.example", "box@house.example")
        client.expect(250, forget)
        refused(client, "DATA", 503, "5.5.1")
    for _ in range(2):
        client.envelope("a@client.example", "box@house.example")
        assert client.data(MESSAGE).code == 250
        refused(client, "RCPT TO:<box@house.example>", 503, "5.5.1")
    house.maildir("box").wait(2)


@pytest.mark.parametrize("verb", ["GET", "POST", "CONNECT"])
def test_a_web_client_is_sent_away_with_all_it_pipelines(house, verb):
    with house.client() as client:
        client.expect(220)
        client.send(f"{verb} / HTTP/1.1\r\nHost: x\r\n\r\nEHLO x\r\nMAIL FROM:<>\r\n")
        client.expect(502)
        assert client.ended()
    assert not house.seen("mail")


def test_data_after_refused_recipients_only_is_refused(client):
    client.expect(250, "MAIL FROM:<a@client.example>")
    client.expect(501, "RCPT TO:<no address>")
    assert client.ask("DATA").code in (503, 554)


def test_bdat_and_data_do_not_mix(house, client):
    client.envelope("a@client.example", "box@house.example")
    client.send(b"BDAT 5\r\nFrom:")
    client.expect(250)
    refused(client, "DATA", 503, "5.5.1")
    refused(client, "MAIL FROM:<x@client.example>", 503, "5.5.1")
    client.expect(250, "RSET")
    client.expect(250, "MAIL FROM:<a@client.example> BODY=BINARYMIME")
    client.expect(250, "RCPT TO:<box@house.example>")
    refused(client, "DATA", 503, "5.6.1")
    client.expect(250, "NOOP")
    assert house.maildir("box").count() == 0


def test_verbs_and_keywords_are_known_in_any_case(house):
    with house.client() as client:
        client.expect(220)
        client.expect(250, "eHlO client.example")
        client.expect(250, "mail from:<a@client.example> size=100 body=8bitmime ret=hdrs envid=x")
        client.expect(250, "rCpT tO:<box@house.example> notify=never orcpt=rfc822;box@house.example")
        assert client.data(MESSAGE).code == 250
    house.maildir("box").one()


@pytest.mark.parametrize(
    "path, box",
    [
        ("<@relay.example,@b.example:box@house.example>", "box"),
        ('<"box"@house.example>', "box"),
        ('<"b\\ox"@HOUSE.Example>', "box"),
        ("<Postmaster>", "postmaster"),
        ("<box+tag@house.example>", "box"),
    ],
)
def test_forms_of_a_recipient(house, client, path, box):
    client.expect(250, "MAIL FROM:<>")
    client.expect(250, f"RCPT TO:{path}")
    assert client.data(MESSAGE).code == 250
    assert house.maildir(box).one().startswith(b"Return-Path: <>")


def test_forms_of_a_sender(house, client):
    senders = ["a@[127.0.0.1]", "a@[IPv6:2001:db8::1]", '"two words"@client.example', "a@b-c.example", ""]
    for number, sender in enumerate(senders):
        client.envelope(sender, f"box{number}@house.example")
        assert client.data(MESSAGE).code == 250
    for number, sender in enumerate(senders):
        message = house.maildir(f"box{number}").one()
        assert message.startswith(f"Return-Path: <{sender}>".encode()), message


def test_limits_of_lengths_at_n_and_above(client):
    local = "l" * 64
    domain = ".".join(["d" * 63, "e" * 63, "f" * 63, "g" * 61])
    client.expect(250, f"MAIL FROM:<{local}@{domain[:180]}>")
    client.expect(250, "RSET")
    refused(client, f"MAIL FROM:<{local}x@client.example>", 501, "5.1.7")
    refused(client, f"MAIL FROM:<a@{domain}.toolong>", 501, "5.1.7")
    client.expect(250, "NOOP " + "x" * (512 - 7))
    refused(client, "NOOP " + "x" * (512 - 6), 500, "5.5.2")
    refused(client, "NOOP " + "x" * 60000, 500, "5.5.2")
    client.expect(250, "NOOP")


def test_a_line_without_end_ends_the_session(client):
    try:
        client.send("NOOP " + "x" * 100000)
        assert client.reply().status == "5.5.2"
    except (EOFError, ConnectionError):
        pass  # a reset for what was not read may come before the reply
    assert client.ended()


def test_over_the_number_of_recipients_452_and_the_message_goes_to_the_others(postrider):
    house = postrider({"limits": {"recipients": 100}})
    with house.client() as client:
        client.hello()
        client.expect(250, "MAIL FROM:<a@client.example>")
        client.send("".join(f"RCPT TO:<box{n}@house.example>\r\n" for n in range(101)))
        assert [client.reply().code for _ in range(101)] == [250] * 100 + [452]
        assert client.data(MESSAGE).code == 250
    house.wait("delivered", 100)


def test_a_message_may_follow_its_commands_at_once(house):
    with house.client() as client:
        client.expect(220)
        client.send(
            "EHLO client.example\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<box@house.example>\r\n"
            "RCPT TO:<bad>\r\nDATA\r\n"
        )
        assert [client.reply().code for _ in range(5)] == [250, 250, 250, 501, 354]
        client.send(MESSAGE + b".\r\nMAIL FROM:<b@client.example>\r\nRSET\r\nQUIT\r\n")
        assert [client.reply().code for _ in range(4)] == [250, 250, 250, 221]
        assert client.ended()
    house.maildir("box").one()


def test_commands_may_come_in_any_pieces(house):
    script = b"EHLO c.example\r\nMAIL FROM:<a@c.example>\r\nRCPT TO:<box@house.example>\r\nDATA\r\n"
    for border in (1, 2, 3, 7):
        with house.client() as client:
            client.expect(220)
            client.send(*(script[i : i + border] for i in range(0, len(script), border)))
            assert [client.reply().code for _ in range(4)] == [250, 250, 250, 354]
            client.send(*(bytes([c]) for c in MESSAGE + b".\r\n"))
            client.expect(250)
    house.maildir("box").wait(4)


def test_help_lists_all_commands_and_tells_of_each(client):
    names = "HELO EHLO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY EXPN HELP".split()
    general = client.expect(214, "HELP")
    for name in names:
        assert name in general.text
        topic = client.expect(214, f"HELP {name.lower()}")
        assert name in topic.text and topic.status == "2.0.0"
    client.expect(504, "HELP nonsense")


def test_every_reply_has_an_enhanced_code_of_its_class(client):
    for command in (
        "NOOP", "RSET", "HELP", "VRFY box", "EXPN list", "WHAT", "MAIL FROM:<a@client.example>",
        "RCPT TO:<box@house.example>", "MAIL FROM:<>", "RSET", "DATA", "HELO", "QUIT",
    ):  # fmt: skip
        reply = client.ask(command)
        assert reply.code in CODELESS or reply.status.split(".")[0] == str(reply.code)[0], reply


def test_silence_within_a_message_gets_421_and_no_message(postrider):
    house = postrider({"limits": {"data_idle": "200ms"}})
    with house.client() as client:
        client.hello()
        client.envelope("a@client.example", "box@house.example")
        client.expect(354, "DATA")
        client.send(MESSAGE)
        client.expect(421)
        assert client.ended()
    assert house.maildir("box").count() == 0


def test_over_the_number_of_connections_421(postrider):
    house = postrider({"limits": {"connections": 3}, "loops": 1})
    clients = [house.client() for _ in range(3)]
    for client in clients:
        client.expect(220)
    with house.client() as more:
        more.expect(421)
        assert more.ended()
    clients[0].expect(221, "QUIT")
    assert clients[0].ended()
    house.wait("disconnected")
    with house.client() as again:
        again.expect(220)
    for client in clients:
        client.close()


def dialogues():
    path = ground.TESTDATA / "smtp-dialogs.json"
    missing = [pytest.param(None, marks=pytest.mark.skip(reason="the dialogues of others are not here"))]
    return json.loads(path.read_text()) if path.exists() else missing


@pytest.mark.parametrize("case", dialogues(), ids=lambda c: f"{c['suite']}-{c['name']}" if isinstance(c, dict) else None)
def test_dialogues_of_others(postrider, case):
    """A portable step's class of reply holds for any correct server; in others servers differ."""
    house = postrider({"domains": {"testserver": {"users": ["*"]}}})
    client = None
    for step in case["steps"]:
        if step.get("connect"):
            client = house.client()
        elif step.get("close"):
            client.close()
            continue
        else:
            client.send(step["send"])
        if "expect" in step:
            reply = client.reply()
            allowed = {step["expect"][0]}
            if not step["portable"]:
                allowed |= {answer[0] for answer in step["peers"].values()}
            assert str(reply.code)[0] in allowed, f"{step}: {reply}"
    client.close()


@pytest.mark.skipif(not ground.TESTDATA.exists(), reason="the addresses of others are not here")
def test_addresses_of_others(postrider):
    """isemail's judgement of an address by RFC 5321, asked of RCPT."""
    house = postrider({"limits": {"errors": 1000}})
    cases = json.loads((ground.TESTDATA / "address-isemail.json").read_text())
    wrong = []
    with house.client() as client:
        client.hello()
        for case in cases:
            address = case["address"]
            if any(ord(c) < 32 or ord(c) == 127 for c in address):
                continue  # no command can carry it
            client.expect(250, "MAIL FROM:<>" + ("" if address.isascii() else " SMTPUTF8"))
            reply = client.ask(f"RCPT TO:<{address}>")
            if case["valid_5321"] != (reply.code not in (500, 501, 553)):
                wrong.append((address, case["category"], case["diagnosis"], str(reply)))
            client.expect(250, "RSET")
    assert not wrong, "\n".join(map(str, wrong))
