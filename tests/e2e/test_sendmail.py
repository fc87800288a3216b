"""`postrider send` and what it does as sendmail, mailq and newaliases."""
import email.utils
import os
import re

import pytest

from house import ground
from house.mailbox import fields, split

NOTE = b"Subject: x\n\nhello\n"


def sendmail(house, *arguments, input=NOTE, check=0, name="sendmail", env=None):
    return house.run("-C", house.file, *arguments, input=input, check=check, name=name, env=env)


def test_missing_fields_are_added_and_present_ones_kept(house):
    sendmail(house, "-f", "me@client.example", "-F", "Me Myself", "box@house.example")
    message = email.message_from_bytes(house.maildir("box").one())
    assert email.utils.parseaddr(message["From"]) == ("Me Myself", "me@client.example")
    assert message["Date"] and re.fullmatch(r"<[^ ]+@[^ ]+>", message["Message-ID"])
    given = b"From: other@x.example\nDate: Tue, 24 Nov 2026 07:00:00 +0000\nMessage-ID: <a@b>\n" + NOTE
    sendmail(house, "-f", "me@client.example", "two@house.example", input=given)
    message = house.maildir("two").one()
    for name, value in (("From", b"other@x.example"), ("Message-ID", b"<a@b>"), ("Date", b"Tue, 24 Nov 2026 07:00:00 +0000")):
        assert fields(message, name) == [value]
    assert fields(message, "Return-Path") == [b"<me@client.example>"]


def test_t_takes_to_cc_and_bcc_with_groups_comments_and_folding(house):
    sendmail(
        house, "-t", "-i", "-f", "me@client.example",
        input=b"To: Anna (the first) <anna@house.example>,\n\t\"B, en\" <ben@house.example>\n"
        b"Cc: friends: carl@house.example, dora@house.example;\nBcc: eve@house.example\nBCC: anna@house.example\n\nhi\n",
    )  # fmt: skip
    for box in ("anna", "ben", "carl", "dora", "eve"):
        message = house.maildir(box).one()
        assert b"Bcc" not in split(message)[0] and b"BCC" not in message
        assert b"eve" not in message or box == "eve"


def test_t_and_arguments_both_count(house):
    sendmail(house, "-t", "-f", "me@client.example", "ben@house.example", input=b"To: anna@house.example\n\nhi\n")
    house.maildir("anna").one()
    house.maildir("ben").one()


def test_t_without_any_recipient_is_an_error_of_usage(house):
    done = sendmail(house, "-t", input=b"Subject: x\n\nhi\n", check=64)
    assert b"no recipients" in done.stderr


def test_a_dot_alone_ends_the_message_but_not_with_i(house):
    text = b"Subject: x\n\none\n.\ntwo\n"
    sendmail(house, "-f", "me@client.example", "ends@house.example", input=text)
    for option in ("-i", "-oi"):
        sendmail(house, option, "-f", "me@client.example", "whole@house.example", input=text)
    assert b"two" not in house.maildir("ends").one()
    assert all(b"one\n.\ntwo" in m.replace(b"\r", b"") for m in house.maildir("whole").wait(2))


def test_8bit_long_lines_and_missing_line_ends(house):
    body = "Grüße ".encode() * 500
    sendmail(house, "-i", "-f", "me@client.example", "box@house.example", input=b"Subject: x\n\n" + body)
    assert split(house.maildir("box").one())[1].strip() == body.strip()


def test_a_message_without_a_header_is_given_one(house):
    sendmail(house, "-f", "me@client.example", "box@house.example", input=b"just words: no header\n")
    assert b"just words: no header" in house.maildir("box").one()


def test_null_sender_dsn_options_and_local_names(house):
    sendmail(house, "-f", "", "-N", "never", "box@house.example")
    assert fields(house.maildir("box").one(), "Return-Path") == [b"<>"]
    sendmail(house, "-f", "box@house.example", "-N", "success", "-R", "hdrs", "-V", "id42", "two@house.example")
    reports = ground.until("a report", lambda: house.maildir("box").messages()[1:])
    assert b"Original-Envelope-Id: id42" in reports[0]


def test_a_refused_recipient_is_told_with_its_reply(postrider):
    house = postrider({"domains": {"house.example": {"users": ["anna"]}}})
    done = sendmail(house, "-f", "me@client.example", "nobody@house.example", check=69)
    assert b"nobody@house.example" in done.stderr and b"5.1.1" in done.stderr


def test_send_tells_in_json(postrider):
    import json

    house = postrider({"domains": {"house.example": {"users": ["anna"]}}})
    done = house.run("send", "--json", "-f", "me@client.example", "anna@house.example", "nobody@house.example", input=NOTE)
    facts = {r["address"]: r for r in json.loads(done.stdout)["recipients"]}
    assert done.returncode == 69
    assert facts["anna@house.example"]["accepted"] and facts["anna@house.example"]["code"] == 250
    assert not facts["nobody@house.example"]["accepted"] and facts["nobody@house.example"]["code"] == 550


def test_an_address_cannot_become_an_option_or_a_command(house):
    done = sendmail(house, "-f", "me@client.example", "--", "-oQ/tmp@house.example", check=None)
    assert done.returncode in (0, 64)
    done = sendmail(house, "-f", "a@b>\r\nRCPT TO:<victim@house.example", "box@house.example", check=None)
    assert done.returncode != 0
    assert house.maildir("victim").count() == 0


def test_bp_mailq_q_and_newaliases(postrider, hostile):
    server = hostile({"mail": ["451 4.3.0 later"]})
    house = postrider({"transports": [{"match": "*", "to": f"smtp://{server.address}"}], "queue": {"retry": ["1h"]}})
    house.submit("you@far.example", b"Subject: x\r\n\r\nx\r\n")
    house.wait("deferred")
    for listing in (sendmail(house, "-bp"), house.run("-C", house.file, name="mailq", check=0)):
        assert b"you@far.example" in listing.stdout
    sendmail(house, "-q")
    server.wait()
    house.run(name="newaliases", check=0)


def test_q_of_some_and_what_is_no_mode(postrider, hostile):
    server = hostile({"mail": "451 4.3.0 later"})
    house = postrider({"transports": [{"match": "*", "to": f"smtp://{server.address}"}], "queue": {"retry": ["1h"]}})
    one = house.submit("you@far.example", b"Subject: x\r\n\r\nx\r\n", sender="a@house.example")
    two = house.submit("me@near.example", b"Subject: x\r\n\r\nx\r\n", sender="b@house.example")
    house.wait("deferred", 2)
    for n, (word, which) in enumerate(
        [(f"-qI{one}", one), ("-qRnear.example", two), ("-qRyou@far.example", one), ("-qSb@house.example", two)]
    ):
        sendmail(house, word)
        house.wait("deferred", 2 + n // 2, id=which)
    for wrong in ("-qX1", "-qI", "-bd", "-bt"):
        assert sendmail(house, wrong, check=64).stderr


@pytest.mark.parametrize(
    "greeting,code,left", [("421 4.3.2 closing for the night", 0, 1), ("554 5.7.1 not from you", 69, 0)]
)
def test_a_server_that_will_not_begin_is_quoted(postrider, hostile, greeting, code, left):
    server = hostile({"connect": greeting})
    house = postrider(start=False)
    where = f"{server.address}:{server.port}"
    done = sendmail(house, "--server", where, "-f", "me@client.example", "box@house.example", check=code)
    assert greeting.encode() in done.stderr
    assert len(list((house.folder / "spool").glob("pickup/*.mail"))) == left


def test_bs_is_a_whole_session(house):
    talk = b"EHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<box@house.example>\r\nDATA\r\n" + NOTE.replace(b"\n", b"\r\n") + b".\r\nQUIT\r\n"
    done = sendmail(house, "-bs", input=talk)
    codes = [line[:3] for line in done.stdout.decode().splitlines() if line[3:4] == " "]
    assert codes == ["220", "250", "250", "250", "354", "250", "221"]
    house.maildir("box").one()


def test_server_down_messages_wait_and_arrive_once_each(house):
    house.stop()
    for n in range(5):
        done = sendmail(house, "-f", "me@client.example", f"box{n}@house.example", "all@house.example")
        assert b"server" in done.stderr and b"pickup" in done.stderr
    assert len(list((house.folder / "spool/pickup").glob("*.mail"))) == 5
    house.start()
    house.maildir("all").wait(5)
    for n in range(5):
        message = house.maildir(f"box{n}").one()
        assert fields(message, "Return-Path") == [b"<me@client.example>"]
    ground.until("nothing left", lambda: not list((house.folder / "spool/pickup").glob("*.mail")))
    house.stop()
    house.start()
    assert house.maildir("all").count() == 5


def test_server_down_bs_and_bp_say_so(house):
    house.stop()
    assert sendmail(house, "-bp", check=None).returncode in (69, 75)
    house.start()


def test_a_file_left_half_written_in_the_pickup_folder_is_left_alone(house):
    house.stop()
    sendmail(house, "-f", "me@client.example", "box@house.example")
    folder = house.folder / "spool/pickup"
    (whole,) = folder.glob("*.mail")
    (folder / ".123.4").write_bytes(whole.read_bytes()[:50])
    (folder / "1.1.mail").write_bytes(whole.read_bytes()[:40])
    (folder / "2.2.mail").write_bytes(b"\0\xff" * 1000)
    house.start()
    house.maildir("box").one()
    assert (folder / ".123.4").exists()
    house.wait("pickup-damaged", 2)
    house.submit("two@house.example", b"Subject: x\r\n\r\nx\r\n")
    house.maildir("two").one()


@pytest.mark.parametrize("size", [0, 1, 3 << 20])
def test_sizes(house, size):
    sendmail(house, "-i", "-f", "me@client.example", "box@house.example", input=b"Subject: x\n\n" + b"y" * size)
    assert len(split(house.maildir("box").one())[1].strip()) == size


def test_what_root_leaves_for_pickup_belongs_to_the_servers_user(house):
    if os.getuid() != 0:
        pytest.skip("only root can leave a message for another user's server")
    house.stop()
    folder = house.folder / "spool/pickup"
    os.chown(folder, 12345, 12346)
    sendmail(house, "-f", "me@client.example", "box@house.example")
    (left,) = folder.glob("*.mail")
    assert (left.stat().st_uid, left.stat().st_gid, left.stat().st_mode & 0o777) == (12345, 12346, 0o600)
    for path in (folder, left):
        os.chown(path, 0, 0)  # this test's server is root's, who without capabilities is a user as others are
    house.start()
    house.maildir("box").one()
