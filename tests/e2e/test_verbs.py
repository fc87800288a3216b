"""The verbs, as a person or a program calls them."""
import json
import os

import pytest

from house import ground

HEAD = b"Subject: x\r\n\r\nhello\r\n"


@pytest.mark.parametrize("verb", ["serve", "check", "send", "queue", "why", "route"])
def test_help_has_an_example(postrider, verb):
    one = postrider(start=False)
    done = one.run(verb, "--help", config=False, check=0)
    assert b"example: " in done.stdout


def test_version_and_unknown_verb(postrider):
    one = postrider(start=False)
    assert one.run("--version", config=False, check=0).stdout.startswith(b"postrider ")
    assert one.run("frobnicate", config=False).returncode == 64


def test_check_tells_all_errors_with_line_and_column(postrider):
    one = postrider(start=False)
    one.file.write_text("hostnam: x\nlimits:\n  message: 5 apples\n  recipient: 3\nlisten:\n  - {address: nowhere}\n")
    done = one.run("check")
    text = done.stderr.decode()
    assert done.returncode == 1
    assert ':1:1: error: unknown key "hostnam"; did you mean "hostname"?' in text
    assert ":3:12: error: " in text
    assert 'did you mean "recipients"?' in text
    assert ":6:15: error: " in text
    facts = json.loads(one.run("check", "--json").stdout)
    assert not facts["ok"] and len(facts["problems"]) == 4


def test_send_and_sendmail(house):
    done = house.run("send", "-f", "me@client.example", "you@house.example",
                     input=b"To: you@house.example\nBcc: secret@house.example\nSubject: x\n\nhello\n", check=0)
    assert done.stdout == b"" and done.stderr == b""
    message = house.maildir("you").one()
    assert b"secret" not in message and b"Date: " in message and b"Message-ID: " in message
    assert b"From: " in message and b"with ESMTP" in message


def test_sendmail_takes_recipients_from_the_header(house):
    house.run("-C", house.file, "-t", "-oi", "-f", "me@client.example", name="sendmail",
              input=b"To: You <you@house.example>, \"A, B\" <ab@house.example>\nBcc: secret@house.example\n"
                    b"Subject: x\n\n.\nhello\n", check=0)
    for who in ("you", "ab", "secret"):
        message = house.maildir(who).one()
        assert b"secret" not in message.replace(b"Delivered-To: secret", b"").replace(b"<secret@", b"") or who == "secret"
        assert b"Bcc" not in message and b"\n.\n" in message.replace(b"\r\n", b"\n")


def test_sendmail_bs_speaks_smtp(house):
    done = house.run("-C", house.file, "-bs", name="sendmail",
                     input=b"EHLO me.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<you@house.example>\r\n"
                           b"DATA\r\nSubject: x\r\n\r\nhello\r\n.\r\nQUIT\r\n")
    assert b"221" in done.stdout
    house.maildir("you").one()


def test_a_message_waits_in_the_pickup_folder_while_the_server_is_down(house):
    house.stop()
    done = house.run("send", "-f", "me@client.example", "you@house.example", input=b"Subject: x\n\nhello\n",
                     check=0)
    assert b"pickup" in done.stderr
    house.start()
    assert b"hello" in house.maildir("you").one()
    ground.until("the pickup folder is empty",
                 lambda: not [f for f in os.listdir(house.folder / "spool" / "pickup") if f.endswith(".mail")])


def test_the_queue_and_its_story(postrider, hostile):
    server = hostile({"mail": "451 4.3.0 not today, friend"})
    house = postrider({"transports": [{"match": "far.example", "to": f"smtp://{server.address}"}],
                       "queue": {"retry": ["1h"]}})
    queue_id = house.submit("you@far.example", HEAD, sender="me@house.example")
    house.wait("deferred")
    text = house.run("queue", check=0).stdout.decode()
    assert queue_id in text and "not today, friend" in text
    facts = house.json("queue", "list")
    assert facts["messages"][0]["recipients"][0]["address"] == "you@far.example"
    story = house.run("why", queue_id, check=0).stdout.decode()
    assert "not today, friend" in story and server.address in story
    assert house.run("why", "you@far.example", check=0).stdout
    house.run("queue", "hold", queue_id, check=0)
    assert "held" in house.run("queue", check=0).stdout.decode()
    visits = server.count("mail")
    house.run("queue", "release", queue_id, check=0)
    server.wait_visit("mail", visits + 1)
    house.run("queue", "bounce", queue_id, check=0)
    assert b"you@far.example" in house.maildir("me").one()
    assert house.run("why", queue_id, check=0).stdout


def test_retry_and_remove(postrider, hostile):
    server = hostile({"mail": ["451 4.3.0 no"]})
    house = postrider({"transports": [{"match": "far.example", "to": f"smtp://{server.address}"}],
                       "queue": {"retry": ["1h"]}})
    house.submit("you@far.example", HEAD)
    house.wait("deferred")
    house.run("queue", "retry", "--all", check=0)
    server.wait()
    house.wait("removed")
    assert b"empty" in house.run("queue", check=0).stdout


def test_verbs_without_a_server_say_so(postrider):
    one = postrider(start=False)
    done = one.run("queue")
    assert done.returncode == 75 and b"postrider serve" in done.stderr
