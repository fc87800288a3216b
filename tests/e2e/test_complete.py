"""Addresses of submitted mail made whole (RFC 6409 4.2): a domain for names without one, ours for hosts of one label."""
import shutil
import smtplib
import ssl
import subprocess

import pytest

from house import ground
from house.mailbox import fields
from house.scram import log_in

PASSWORD = "correct horse battery"
HEADER = "From: Anna <anna>\r\nTo: ben, \"C, D\" <carl@web> (note),\r\n\tdora@away.example\r\nSubject: ben\r\n\r\nTo: ben\r\n"


@pytest.fixture
def desk(postrider, tmp_path):
    """Anna and a user with an address for a name submit mail; other servers bring it to the other port."""
    address = ground.address()
    box = {"mailboxes": f"maildir:{tmp_path}/mail/{{domain}}/{{local}}/", "users": ["*"]}
    one = postrider(
        {
            "networks": ["127.0.0.0/8"],
            "domains": {"house.example": box, "other.example": box, "web.house.example": box},
            "users": {"file": str(tmp_path / "users")},
        },
        start=False,
    )
    one.address, one.mail, one.mx = address, tmp_path / "mail", ground.port_everywhere()
    one.config["listen"] = [{"address": f"{address}:{one.port}", "mode": "submission"},
                            {"address": f"{address}:{one.mx}", "mode": "mx"}]
    one.write()
    for name in ("anna", "ben@other.example"):
        done = one.run("user", "add", name, "-c", one.file, input=PASSWORD.encode() + b"\n")
        assert done.returncode == 0, done.stderr
    return one


def with_smtplib(desk):
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    with smtplib.SMTP(desk.address, desk.port) as client:
        client.starttls(context=anybody)
        client.login("anna", PASSWORD)
        client.sendmail("anna", ["ben"], HEADER)


def with_swaks(desk):
    (desk.folder / "message").write_bytes(HEADER.encode())
    run(["swaks", "--server", desk.address, "--port", str(desk.port), "-tls", "--auth", "PLAIN", "--auth-user", "anna",
         "--auth-password", PASSWORD, "--from", "anna", "--to", "ben", "--data", f"@{desk.folder}/message"])


def with_msmtp(desk):
    (desk.folder / "password").write_text(PASSWORD)
    run(["msmtp", "--file=/dev/null", "--host", desk.address, "--port", str(desk.port), "--tls=on", "--tls-certcheck=off",
         "--auth=plain", "--user=anna", f"--passwordeval=cat {desk.folder}/password", "--from", "anna", "--", "ben"],
        HEADER.replace("\r\n", "\n").encode())


def run(words, stdin=None):
    if not shutil.which(words[0]):
        pytest.skip(f"{words[0]} is not installed")
    done = subprocess.run(words, input=stdin, capture_output=True, timeout=30)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


def test_names_of_a_users_message_are_made_whole_and_nothing_else(desk):
    desk.start()
    clients = (with_smtplib, with_swaks, with_msmtp)
    for client in clients:
        client(desk)
    for mail in desk.maildir("ben").wait(len(clients)):
        assert mail.startswith(b"Return-Path: <anna@house.example>\n")
        assert fields(mail, "From") == [b"Anna <anna@house.example>"]
        assert (b"\nTo: ben@house.example, \"C, D\" <carl@web.house.example> (note),\n\tdora@away.example\n"
                b"Subject: ben\n\nTo: ben\n") in mail


def submit(desk, user, sender, rcpt, header, mail_parameters=""):
    """The reply to the last command that was needed."""
    with desk.client() as client:
        client.hello()
        assert log_in(client, user, PASSWORD).code == 235
        for command in (f"MAIL FROM:<{sender}>{mail_parameters}", f"RCPT TO:<{rcpt}>", "DATA"):
            reply = client.ask(command)
            if reply.code >= 400:
                return reply
        return client.ask(header + "\r\n\r\n.")


def test_what_is_made_whole_is_what_is_judged(desk):
    desk.start()
    for sender, header, named in (("ben", "", "ben@house.example"), ("ben@web", "", "ben@web.house.example"),
                                  ("anna", "From: ben", "ben@house.example"), ("anna", "From: anna\r\nSender: ben", "ben@house")):
        reply = submit(desk, "anna", sender, "ben", header)
        assert reply.code == 550 and named in reply.text, reply
    assert submit(desk, "ben@other.example", "ben", "anna", "From: ben").code == 250
    mail = desk.maildir("anna", "other.example").one()
    assert b"Return-Path: <ben@other.example>" in mail and b"\nFrom: ben@other.example\n" in mail
    reply = submit(desk, "anna", "anna", "j\u00f6rg", "To: j\u00f6rg")
    assert (reply.code, reply.status) == (553, "5.6.7")
    assert submit(desk, "anna", "anna", "j\u00f6rg", "To: j\u00f6rg", " SMTPUTF8").code == 250
    assert "\nTo: j\u00f6rg@house.example\n".encode() in desk.maildir("j\u00f6rg").one()
    assert submit(desk, "anna", "anna", "x" * 65, "").status == "5.1.3"


UNTOUCHED = [
    "Received: from a by b; Tue, 24 Nov 2026 08:15:36 +0100\r\nTo: ben",
    "DKIM-Signature: v=1; d=house.example\r\nCc: ben",
    "X-To: ben\r\nComments: ben",
    "To: ben smith\r\nCc: undisclosed-recipients:;\r\nReply-To: \"Ben Smith\", =?utf-8?q?Ben?=",
    "Resent-To: a@localhost, ben@other.example",
]


def test_what_came_a_way_or_is_signed_or_is_no_address_stays(desk):
    desk.start()
    for i, header in enumerate(UNTOUCHED):
        assert submit(desk, "anna", "anna", f"box{i}", header).code == 250
        assert header.replace("\r\n", "\n").encode() + b"\n\n" in desk.maildir(f"box{i}").one()


def bring(desk, header):
    """As another server does."""
    with smtplib.SMTP(desk.address, desk.mx) as client:
        client.sendmail("x@away.example", ["ben@house.example"], f"{header}\r\n\r\nhello\r\n")
        client.mail("x@away.example")
        return client.rcpt("ben")[0]


def test_mail_of_others_is_made_whole_where_the_configuration_says_so_and_only_there(desk):
    desk.start()
    assert bring(desk, "From: x\r\nTo: ben@web") == 501
    assert b"\nFrom: x\nTo: ben@web\n" in desk.maildir("ben").one()
    desk.stop()
    desk.config["policy"] = {"complete": {"clients": "networks", "addresses": "names", "domain": "other.example"}}
    desk.write()
    desk.start()
    assert bring(desk, "From: y\r\nTo: ben@web") == 250
    assert b"\nFrom: y@other.example\nTo: ben@web\n" in desk.maildir("ben").wait(2)[1]
    desk.stop()
    desk.config["policy"] = {"complete": {"addresses": "off"}}
    desk.write()
    desk.start()
    assert submit(desk, "anna", "anna", "ben", "").status == "5.1.7"
    assert submit(desk, "anna", "anna@house.example", "ben@house.example", "To: ben").code == 250
    assert b"\nTo: ben\n" in desk.maildir("ben").wait(3)[2]


def test_what_sendmail_is_given_is_made_whole_whether_the_server_runs_or_not(desk):
    words = ("-c", desk.file, "-f", "anna", "-t")
    text = b"From: anna\nTo: ben, carl@web\nBcc: dora\nSubject: ben\n\nTo: ben\n"
    assert desk.run("send", *words, input=text).returncode == 0  # into the pickup folder
    desk.start()
    desk.maildir("ben").one(patience=15)
    assert desk.run("send", *words, input=text, check=0)
    for mail in desk.maildir("ben").wait(2):
        assert mail.startswith(b"Return-Path: <anna@house.example>\n")
        assert b"\nFrom: anna@house.example\nTo: ben@house.example, carl@web.house.example\nSubject: ben\n\nTo: ben\n" in mail
    assert len(desk.maildir("dora").wait(2)) == len(desk.maildir("carl", "web.house.example").wait(2)) == 2
