"""How much a user may send in an hour, and how large: kept to on all loops, and over restarts."""
import json
import os
import re
import signal
import subprocess

import pytest

from house import ground
from house.scram import log_in

PASSWORD = "correct horse battery"
MESSAGE = b"Subject: hello\r\nFrom: anna@house.example\r\n\r\nhello\r\n"
OTHER = b"Subject: hello\r\nFrom: ben@house.example\r\n\r\nhello\r\n"
LIMITS = {"messages": 3, "recipients": 5, "size": "64KiB", "for": {"Ben": {"messages": 0, "recipients": 7, "size": 0}}}


@pytest.fixture(scope="module")
def users(tmp_path_factory):
    """The file of anna and ben: a password is slow to hash."""
    file = tmp_path_factory.mktemp("users") / "users"
    for name in ("anna", "ben"):
        command = [str(ground.program()), "user", "add", name, "-f", str(file)]
        subprocess.run(command, input=PASSWORD.encode() + b"\n", check=True)
    return file


@pytest.fixture
def desk(postrider, users):
    """Three messages to five recipients an hour for everybody, but seven recipients for ben."""
    address = ground.address()
    one = postrider(
        {
            "networks": ["192.0.2.0/24"],
            "loops": 2,
            "users": {"file": str(users), "limits": LIMITS},
            "limits": {"message": "1MiB"},
        },
        start=False,
    )
    one.address = address
    one.config["listen"] = [{"address": f"{address}:{one.port}", "mode": "submission"}]
    one.write()
    return one.start()


def user(desk, name="anna"):
    client = desk.client()
    client.hello()
    assert log_in(client, name, PASSWORD).code == 235
    return client


def begin(client, *recipients, name="anna"):
    client.envelope(f"{name}@house.example", *(f"{one}@house.example" for one in recipients))


def send(client, *recipients, name="anna"):
    begin(client, *recipients or ("you",), name=name)
    assert client.data(OTHER if name == "ben" else MESSAGE).code == 250


def sent(desk, name="anna"):
    """What `user limits` tells of a user: messages and recipients."""
    told = json.loads(desk.run("user", "limits", name, "--json", "-c", desk.file, check=0).stdout)
    (only,) = told["users"]
    assert only["name"] == name
    return only["messages"]["used"], only["recipients"]["used"]


def refused(client, command, limit):
    reply = client.ask(command)
    assert reply.code == 450 and reply.status == "4.7.1", reply
    assert f"Your limit of {limit} an hour is reached; try again in " in reply.text
    number, unit = re.search(r"in (\d+) (second|minute)s?$", reply.text).groups()
    return int(number) * (60 if unit == "minute" else 1)


def test_a_user_sends_so_many_messages_and_then_waits(desk):
    with user(desk) as client:
        for _ in range(3):
            send(client)
        wait = refused(client, "MAIL FROM:<anna@house.example>", "3 messages")
        assert 1100 <= wait <= 1200  # a third of an hour
        send_once_more = client.ask("MAIL FROM:<anna@house.example>")
        assert send_once_more.code == 450
    news = desk.wait("user-limit", user="anna", kind="messages", limit=3)
    assert 1100 <= news["retry_s"] <= 1200 and news["id"] and news["client"]
    assert len(desk.seen("user-limit")) == 1, "told once an hour"
    assert desk.wait("rejected", user="anna", code=450)


def test_recipients_are_counted_over_messages(desk):
    with user(desk) as client:
        send(client, "a", "b", "c")
        begin(client, "d", "e")
        refused(client, "RCPT TO:<f@house.example>", "5 recipients")
        assert client.data(MESSAGE).code == 250
        client.expect(250, "MAIL FROM:<anna@house.example>")
        refused(client, "RCPT TO:<g@house.example>", "5 recipients")
    assert sent(desk) == (2, 5)


def test_what_is_refused_or_broken_off_costs_nothing(desk):
    with user(desk) as client:
        for _ in range(4):
            begin(client, "a", "b", "c", "d")
            client.expect(250, "RSET")
        for _ in range(4):
            begin(client, "a")
            assert client.data(OTHER).code == 550
        for _ in range(4):
            client.expect(250, "MAIL FROM:<anna@house.example>")
            client.expect(250, "EHLO client.example")
        begin(client, "a", "a", "a", "a", "a")
        assert sent(desk) == (1, 5), "while it comes in every RCPT has its room"
        assert client.data(MESSAGE).code == 250
    assert sent(desk) == (1, 1), "an address named five times is one recipient"
    for _ in range(4):
        with user(desk) as client:
            begin(client, "a")
    ground.until("nothing is reserved any more", lambda: sent(desk) == (1, 1))


def test_connections_at_the_same_time_share_one_limit(desk):
    clients = [user(desk) for _ in range(12)]  # over both loops
    begun = [client for client in clients if client.ask("MAIL FROM:<anna@house.example>").code == 250]
    assert len(begun) == 3
    to = [client for client in begun for _ in range(3) if client.ask("RCPT TO:<you@house.example>").code == 250]
    assert len(to) == 5
    begun[0].expect(250, "RSET")
    again = [client for client in clients if client not in begun]
    assert [client.ask("MAIL FROM:<anna@house.example>").code for client in again].count(250) == 1
    for client in clients:
        client.close()


def test_a_user_may_have_limits_of_his_own(desk):
    with user(desk, "ben") as client:
        for _ in range(5):
            send(client, name="ben")
        send(client, "a", "b", name="ben")
        begin(client, name="ben")
        refused(client, "RCPT TO:<a@house.example>", "7 recipients")
    with user(desk) as client:
        send(client)
    told = desk.run("user", "limits", "-c", desk.file, check=0).stdout.decode()
    assert re.search(r"no limit +7 of 7 +1048576  ben\n +1 of 3 +1 of 5 +65536  anna\n$", told)
    told = desk.run("user", "limits", "--limit", "1", "-c", desk.file, check=0).stdout.decode()
    assert "ben\n" in told and "anna" not in told and "and more users" in told
    desk.run("user", "limits", "--limit", "no", "-c", desk.file, check=64)


def test_the_size_of_a_message_is_the_users(desk):
    with desk.client() as client:
        assert "SIZE 1048576" in client.hello().text
        assert log_in(client, "anna", PASSWORD).code == 235
        assert "SIZE 65536" in client.expect(250, "EHLO client.example").text
        reply = client.ask("MAIL FROM:<anna@house.example> SIZE=65537")
        assert reply.code == 552 and reply.status == "5.3.4"
        client.envelope("anna@house.example", "you@house.example", parameters=" SIZE=65536")
        reply = client.data(MESSAGE + b"x" * 70 + b"\r\n" + (b"y" * 70 + b"\r\n") * 1000)
        assert reply.code == 552 and reply.status == "5.3.4"
        begin(client, "you")
        assert client.bdat(MESSAGE + (b"y" * 70 + b"\r\n") * 1000).code == 552
    assert sent(desk) == (0, 0)
    with user(desk, "ben") as client:
        assert "SIZE 1048576" in client.expect(250, "EHLO client.example").text


def test_what_was_sent_counts_after_a_restart(desk):
    with user(desk) as client:
        for _ in range(3):
            send(client)
    desk.stop()
    assert os.stat(desk.folder / "spool/allowances").st_mode & 0o777 == 0o600
    desk.start()
    assert sent(desk) == (3, 3)
    with user(desk) as client:
        refused(client, "MAIL FROM:<anna@house.example>", "3 messages")


def test_a_killed_worker_forgets_only_the_last_seconds(desk):
    file = desk.folder / "spool/allowances"
    with user(desk) as client:
        for _ in range(3):
            send(client)
    ground.until("it is saved", lambda: file.exists() and b"anna" in file.read_bytes())
    os.kill(desk.worker(), signal.SIGKILL)
    desk.wait("ready", 2)
    with user(desk) as client:
        refused(client, "MAIL FROM:<anna@house.example>", "3 messages")


def test_a_damaged_file_is_not_believed_and_stops_nothing(desk):
    file = desk.folder / "spool/allowances"
    with user(desk) as client:
        for _ in range(2):
            send(client)
    desk.stop()
    file.write_bytes(file.read_bytes().replace(b"anna", b"bnna"))
    desk.start()
    assert desk.wait("allowances-damaged")["path"] == str(file)
    with user(desk) as client:
        for _ in range(3):
            send(client)
    assert sent(desk) == (3, 3)


def test_the_operator_looks_and_begins_anew_for_a_user(desk):
    assert b"nobody" in desk.run("user", "limits", "-c", desk.file, check=0).stdout
    with user(desk) as client:
        for _ in range(3):
            send(client)
        refused(client, "MAIL FROM:<anna@house.example>", "3 messages")
        told = desk.run("user", "limits", "-c", desk.file, check=0).stdout.decode()
        assert re.search(r"3 of 3 +3 of 5 +65536  anna\n", told)
        assert b"nothing counts" in desk.run("user", "reset", "anna", "-c", desk.file, check=0).stdout
        send(client)
    assert sent(desk) == (1, 1)
    assert desk.wait("operator", action="reset", selector="anna")["user"] == os.getuid()
    assert b"nothing had counted" in desk.run("user", "reset", "nobody", "-c", desk.file, check=0).stdout
    desk.stop()
    desk.run("user", "limits", "-c", desk.file, check=75)


def test_a_reload_changes_the_limits(desk):
    with user(desk) as client:
        for _ in range(3):
            send(client)
    desk.config["users"]["limits"] = {"messages": 4}
    desk.write()
    desk.process.send_signal(signal.SIGHUP)
    desk.wait("reloaded")
    with user(desk) as client:
        send(client)
        refused(client, "MAIL FROM:<anna@house.example>", "4 messages")
    assert sent(desk) == (4, 4)


def test_wrong_limits_are_named_with_their_place(desk):
    desk.config["users"]["limits"] = {"messages": -1, "recipients": 1, "for": {"anna": {"message": 1}, "ANNA": {}}}
    desk.write()
    wrong = desk.run("check", "-c", desk.file, check=1).stderr.decode()
    assert "a number from 0" in wrong and "did you mean" in wrong and "anna is there twice" in wrong
