"""Addresses and mailboxes that are more than they seem: none reaches beyond its own place."""
import os

import pytest

NOTE = b"Subject: x\r\n\r\nhello\r\n"


def mboxes(postrider, tmp_path, **domain):
    boxes = tmp_path / "boxes"
    boxes.mkdir()
    house = postrider({"domains": {"house.example": {"mailboxes": f"mbox:{boxes}/{{local}}", "users": ["*"], **domain}},
                       "queue": {"retry": ["200ms"]}})
    return house, boxes


def test_mail_to_a_lock_does_not_lock_the_mailbox(postrider, tmp_path):
    house, boxes = mboxes(postrider, tmp_path)
    house.submit("ann.lock@house.example", NOTE)
    house.wait("delivered")
    house.submit("ann@house.example", NOTE)
    house.wait("delivered", 2)
    assert sorted(os.listdir(boxes)) == ["ann", "ann%2elock"]


@pytest.mark.parametrize("local, name", [
    ('"../up"', "%2e.%2fup"), ('"."', "%2e"), ("/etc/passwd", "%2fetc%2fpasswd"), ("a%2fb", "a%252fb"),
    ('"a b;$(c)"', "a b;$(c)"), ("{local}", "{local}"), ('""', "%"), ("-rf", "-rf"),
])
def test_a_local_part_names_a_file_in_the_mailboxes_folder(postrider, tmp_path, local, name):
    house, boxes = mboxes(postrider, tmp_path)
    house.submit(f"{local}@house.example", NOTE, sender='"a > b\\" c"@client.example')
    house.wait("delivered")
    assert os.listdir(boxes) == [name]
    lines = (boxes / name).read_bytes().split(b"\n")
    assert lines[0].startswith(b'From "a_>_b\\"_c"@client.example ')
    assert lines[1] == b'Return-Path: <"a > b\\" c"@client.example>'
    assert lines[2] == f"Delivered-To: {local}@house.example".encode()


def test_what_is_no_file_gets_no_mail(postrider, tmp_path):
    aliases = tmp_path / "aliases"
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    aliases.write_text(f"fifo: {tmp_path}/fifo\nlink: {tmp_path}/link\nfull: /dev/full\n")
    house, _ = mboxes(postrider, tmp_path, aliases=str(aliases))
    for count, (local, words) in enumerate([("fifo", "it is no file"), ("link", "symbolic link"), ("full", "it is no file")]):
        house.submit(f"{local}@house.example", NOTE)
        house.wait("queued", count + 1)
        house.wait("deferred", rcpt="\\/dev/full" if local == "full" else f"\\{tmp_path}/{local}")
        assert any(words in e["text"] for e in house.seen("deferred")[-1:])
    assert not house.seen("delivered") and not (tmp_path / "target").exists()
    house.submit("ann@house.example", NOTE)
    house.wait("delivered")


def test_a_report_that_fails_too_is_told_to_the_postmaster_once(postrider, hostile):
    server = hostile({"rcpt": "550 5.1.1 no such user"})
    house = postrider({"transports": [{"match": "far.example", "to": f"smtp://{server.address}"}],
                       "queue": {"bounce_postmaster": "postmaster@far.example"}})
    house.submit("you@far.example", NOTE, sender="gone@far.example")
    house.wait("bounced", 3)
    house.wait("removed", 3)
    house.submit("box@house.example", NOTE)
    house.maildir("box").one()
    assert len(house.seen("reported")) == 2
