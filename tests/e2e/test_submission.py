"""Users who log in, and what they may do."""
import base64
import os
import pathlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from house import ground
from house.scram import Scram, log_in

PASSWORD = "correct horse battery"


@pytest.fixture
def desk(postrider, tmp_path):
    """A server that nobody may relay through but who logs in; anna and ben may."""
    address = ground.address()
    one = postrider(
        {
            "networks": ["192.0.2.0/24"],
            "listen": [{"address": f"{address}:0", "mode": "submission"}],
            "users": {"file": str(tmp_path / "users"), "send_as": {"ben": ["@sales.example"]}},
        },
        start=False,
    )
    one.address = address
    one.config["listen"] = [{"address": f"{address}:{one.port}", "mode": "submission"}]
    one.write()
    for name in ("anna", "ben"):
        done = one.run("user", "add", name, "-c", one.file, input=PASSWORD.encode() + b"\n")
        assert done.returncode == 0, done.stderr
    return one.start()


def test_a_user_logs_in_and_sends(desk):
    for digest in ("sha256", "sha1"):
        with desk.client() as client:
            hello = client.hello()
            assert "AUTH SCRAM-SHA-256 SCRAM-SHA-1" in hello.lines[-2]
            assert "PLAIN" not in hello.text
            assert log_in(client, "anna", PASSWORD, digest).code == 235
            client.expect(503, "AUTH SCRAM-SHA-256")
            client.expect(250, "MAIL FROM:<anna@house.example>")
            client.expect(250, "RCPT TO:<ben@house.example>")
            client.expect(354, "DATA")
            client.expect(250, "Subject: hello\r\nFrom: Anna <anna+x@house.example>\r\n\r\nhello\r\n.")
    mail = desk.maildir("ben").wait(2)[0]
    assert b"with ESMTPA id" in mail
    assert b"\nDate: " in mail and b"\nMessage-ID: " in mail
    desk.wait("login", user="anna", mechanism="SCRAM-SHA-1")


def test_where_a_user_is_can_be_kept_out_of_the_message(desk):
    desk.config["policy"] = {"submitters": "hide"}
    desk.write()
    desk.stop()
    desk.start()
    with desk.client("127.0.0.7") as client:
        client.hello("laptop.home.example")
        assert log_in(client, "anna", PASSWORD).code == 235
        client.envelope("anna@house.example", "ben@house.example")
        client.expect(354, "DATA")
        client.expect(250, "Subject: hello\r\nFrom: anna@house.example\r\nReturn-Path: <a@b.example>\r\n\r\nhello\r\n.")
    mail = desk.maildir("ben").one()
    assert b"127.0.0.7" not in mail and b"laptop" not in mail and b"a@b.example" not in mail
    assert b"with ESMTPA id" in mail
    desk.wait("queued", client="127.0.0.7")


def test_who_has_not_logged_in_sends_nothing(desk):
    with desk.client() as client:
        client.hello()
        reply = client.ask("MAIL FROM:<anna@house.example>")
        assert reply.code == 530 and reply.status == "5.7.0"


@pytest.mark.parametrize("name, password", [("anna", "wrong"), ("nobody", PASSWORD), ("ann", PASSWORD)])
def test_a_wrong_password_and_an_unknown_name_look_the_same(desk, name, password):
    with desk.client() as client:
        client.hello()
        reply = log_in(client, name, password)
        assert reply.code == 535 and reply.status == "5.7.8"
        client.expect(530, "MAIL FROM:<anna@house.example>")
    failed = desk.wait("login-failed")
    assert failed["user"] == name and failed["client"] and failed["mechanism"] == "SCRAM-SHA-256"


def test_mechanisms_that_show_the_password_need_tls(desk):
    with desk.client() as client:
        client.hello()
        for mechanism in ("PLAIN AGFubmEAeA==", "LOGIN", "CRAM-MD5", "X"):
            reply = client.ask(f"AUTH {mechanism}")
            assert reply.code == 504 and reply.status == "5.5.4"


@pytest.mark.parametrize("sender, code", [
    ("anna@house.example", 250), ("ANNA@HOUSE.EXAMPLE", 250), ("anna+list@house.example", 250), ("", 250),
    ("ben@house.example", 550), ("anna@elsewhere.example", 550), ("anna@sales.example", 550),
])  # fmt: skip
def test_a_user_is_only_himself_in_the_envelope(desk, sender, code):
    with desk.client() as client:
        client.hello()
        assert log_in(client, "anna", PASSWORD).code == 235
        client.expect(code, f"MAIL FROM:<{sender}>")


def test_more_addresses_by_configuration(desk):
    with desk.client() as client:
        client.hello()
        assert log_in(client, "ben", PASSWORD).code == 235
        client.expect(250, "MAIL FROM:<info@sales.example>")
        client.expect(250, "RSET")
        client.expect(550, "MAIL FROM:<info@othersales.example>")


HEADERS = [
    ("From: anna@house.example", 250),
    ("From: ben@house.example", 550),
    ("From: anna@house.example, ben@house.example", 550),
    ("From: anna@house.example\r\nFrom: ben@house.example", 550),
    ("From: anna@house.example (ben@house.example)", 250),
    ("From: \"anna@house.example\" <ben@house.example>", 550),
    ("From:\r\n  Anna\r\n  <anna@house.example>", 250),
    ("From : ben@house.example", 550),
    ("From: <ben@house.example> <>", 550),
    ("From: <ben@house.example> <anna@house.example>", 550),
    ("From: <ben@house.example>:;", 550),
    ("From: ben@house.example:;", 550),
    ("From: friends:anna@house.example;", 250),
    ("From: ", 550),
    ("Subject: no From at all", 250),
    ("From: anna@house.example\r\nSender: ANNA+x@house.example", 250),
    ("From: anna@house.example\r\nSender: ben@house.example", 550),
    ("From: ben@house.example\r\nSender: anna@house.example", 550),
    ("Sender: ben@house.example", 550),
    ("From: anna@house.example\r\nSender: anna@house.example\r\nSender: anna@house.example", 550),
    ("From: anna@house.example\r\nResent-From: ben@house.example", 550),
    ("From: anna@house.example\r\nResent-Sender: ben@house.example", 550),
    ("Resent-From: anna@house.example\r\nResent-From: anna@house.example\r\nFrom: anna@house.example", 250),
    ("From: anna@house.example\r\nReply-To: ben@house.example", 250),
]  # fmt: skip


def test_a_user_is_only_himself_in_the_header(desk):
    with desk.client() as client:
        client.hello()
        assert log_in(client, "anna", PASSWORD).code == 235
        for header, code in HEADERS:
            client.expect(250, "MAIL FROM:<anna@house.example>")
            client.expect(250, "RCPT TO:<ben@house.example>")
            client.expect(354, "DATA")
            reply = client.ask(f"{header}\r\n\r\nhello\r\n.")
            assert reply.code == code, header


def submit_as(desk, user, sender, message):
    with desk.client() as client:
        client.hello()
        assert log_in(client, user, PASSWORD).code == 235
        mail = client.ask(f"MAIL FROM:<{sender}>")
        if mail.code != 250:
            return mail
        client.expect(250, "RCPT TO:<ben@house.example>")
        client.expect(354, "DATA")
        return client.ask(message + ".")


def test_a_refusal_names_the_address_and_the_login(desk):
    mail = submit_as(desk, "anna", "ben@house.example", "")
    assert (mail.code, mail.status) == (550, "5.7.1")
    assert "anna" in mail.text and "ben@house.example" in mail.text
    desk.wait("rejected", sender="ben@house.example", reply=mail.text.partition(" ")[2])
    sent = submit_as(desk, "anna", "anna@house.example", "From: anna@house.example\r\nSender: Bén <b\xe9n@x.example>\r\n\r\n")
    assert (sent.code, sent.status) == (550, "5.7.1")
    assert "User anna" in sent.text and "b?n@x.example" in sent.text and "Sender" in sent.text


@pytest.mark.parametrize("rule", ["log", "off"])
def test_the_header_can_be_left_to_the_user(desk, rule):
    desk.config["users"]["send_as_header"] = rule
    desk.write()
    desk.stop()
    desk.start()
    assert submit_as(desk, "anna", "ben@house.example", "").code == 550
    assert submit_as(desk, "anna", "anna@house.example", "From: boss@house.example\r\n\r\nhello\r\n").code == 250
    assert b"From: boss@house.example" in desk.maildir("ben").one()
    if rule == "log":
        seen = desk.wait("foreign-author")
        assert (seen["user"], seen["field"], seen["address"]) == ("anna", "From", "boss@house.example")
    else:
        assert not desk.seen("foreign-author")


def test_of_several_authors_one_is_named_as_the_sender(desk):
    """RFC 5322 3.6.2."""
    both = "From: anna@house.example, Anna <anna+home@house.example>\r\n"
    assert submit_as(desk, "anna", "anna@house.example", f"{both}\r\nfirst\r\n").code == 250
    assert b"\nSender: <anna@house.example>\n" in desk.maildir("ben").one()
    told = submit_as(desk, "anna", "", f"{both}Sender: anna+work@house.example\r\n\r\nsecond\r\n")
    assert told.code == 250
    second = [mail for mail in desk.maildir("ben").wait(2) if b"second" in mail]
    assert second[0].count(b"\nSender: ") == 1
    unknown = submit_as(desk, "anna", "", f"{both}\r\nthird\r\n")
    assert (unknown.code, unknown.status) == (550, "5.6.0") and "Sender" in unknown.text


def test_guessing_is_slowed_and_refused_but_the_owner_comes_in_from_elsewhere(desk):
    guesser, owner = "127.0.0.1", "127.44.0.9"

    def guess(password="guess"):
        with desk.client(source=guesser) as client:
            client.hello()
            return log_in(client, "anna", password).code

    with ThreadPoolExecutor(24) as guessers:
        assert set(guessers.map(lambda _: guess(), range(24))) <= {535, 454}
    assert guess() == 454 and guess(PASSWORD) == 454
    with desk.client(source=owner) as client:
        client.hello()
        assert log_in(client, "anna", PASSWORD).code == 235


def test_users_are_kept_by_the_verb(desk):
    listed = desk.run("user", "list", "-c", desk.file)
    assert listed.stdout.split() == [b"anna", b"ben"]
    again = desk.run("user", "add", "anna", "-c", desk.file, input=b"x\n")
    assert again.returncode == 65 and b"already" in again.stderr
    changed = desk.run("user", "password", "anna", "-c", desk.file, input=b"another\n")
    assert changed.returncode == 0
    with desk.client() as client:
        client.hello()
        assert log_in(client, "anna", "another").code == 235
    removed = desk.run("user", "remove", "anna", "-c", desk.file)
    assert removed.returncode == 0
    with desk.client() as client:
        client.hello()
        assert log_in(client, "anna", "another").code == 535
    kept = open(desk.config["users"]["file"]).read()
    assert PASSWORD not in kept and "$y$" in kept and "SCRAM-SHA-256$" in kept
    assert desk.run("user", "remove", "anna", "-c", desk.file).returncode == 67


def test_an_exchange_that_is_cut_off_harms_nothing(desk):
    for _ in range(5):
        with desk.client() as client:
            client.hello()
            client.send("AUTH SCRAM-SHA-256 biwsbj1hbm5hLHI9eA==\r\n")
    with desk.client() as client:
        client.hello()
        client.expect(334, "AUTH SCRAM-SHA-256")
        client.expect(501, "*")
        client.expect(501, "AUTH SCRAM-SHA-256 not/base64!")
        assert log_in(client, "anna", PASSWORD).code == 235


def salt_of(desk, name, mechanism="SCRAM-SHA-256"):
    with desk.client() as client:
        client.hello()
        challenge = client.ask(f"AUTH {mechanism} {Scram(name, '').first()}").text
        return dict(part.split("=", 1) for part in base64.b64decode(challenge).decode().split(","))["s"]


def test_the_salt_of_an_unknown_name_stays_after_a_restart_as_a_real_one_does(desk):
    names = ("anna", "nobody", "NOBODY", "somebody")
    before = [salt_of(desk, name) for name in names]
    assert before[1] == before[2] and len(set(before)) == 3 and len(before[0]) == len(before[1])
    assert os.stat(desk.folder / "spool/login-secret").st_mode & 0o777 == 0o600
    desk.stop()
    desk.start()
    assert [salt_of(desk, name) for name in names] == before


def test_a_user_without_keys_for_an_old_mechanism_looks_like_one_who_is_not_there(desk):
    users = pathlib.Path(desk.config["users"]["file"])
    users.write_text("".join(line.partition(" SCRAM-SHA-1$")[0] + "\n" for line in users.read_text().splitlines()))
    with desk.client() as client:
        client.hello()
        assert log_in(client, "anna", PASSWORD, "sha1").code == 535
        assert log_in(client, "nobody", PASSWORD, "sha1").code == 535
        assert log_in(client, "anna", PASSWORD).code == 235


def test_mechanisms_can_be_switched_off(desk):
    desk.config["users"]["mechanisms"] = ["SCRAM-SHA-256", "PLAIN"]
    desk.write()
    desk.stop()
    desk.start()
    with desk.client() as client:
        hello = client.hello()
        assert "AUTH SCRAM-SHA-256" in hello.lines[-2] and "SHA-1" not in hello.text
        client.expect(504, f"AUTH SCRAM-SHA-1 {Scram('anna', '').first()}")
        assert log_in(client, "anna", PASSWORD).code == 235
    desk.config["users"]["mechanisms"] = ["SCRAM-SHA256"]
    desk.write()
    wrong = desk.run("check", check=1)
    assert b"did you mean SCRAM-SHA-256?" in wrong.stderr
