"""What else than a message may lie in the pickup folder: it is put aside, once, and holds up nothing."""
import os
import socket
import struct

import pytest

NOTE = b"Subject: x\r\n\r\nhello\r\n"


def text(octets):
    return struct.pack("<I", len(octets)) + octets


def pickup(recipient, sender=b"me@client.example", user=b"ann"):
    """A file as control/pickup_format.h has it."""
    envelope = struct.pack("<BQQQBBBB", 1, 7, 1795497112345678, len(NOTE), 0, 0, 4, 0) + bytes(16)
    for field in (sender, b"", b"", b"", b"local", user):
        envelope += text(field)
    envelope += struct.pack("<I", 1) + text(recipient) + text(b"") + b"\0"
    return b"postrider pickup 1\n" + text(envelope) + NOTE


@pytest.fixture
def folder(postrider):
    house = postrider(start=False)
    folder = house.folder / "spool/pickup"
    folder.mkdir(parents=True)
    house.pickup = folder
    return house


def check(house, *names):
    """Those are put aside, a message beside them arrives, and nothing else does."""
    (house.pickup / "9.mail").write_bytes(pickup(b"box@house.example"))
    house.start()
    house.maildir("box").one()
    house.wait("pickup-damaged", len(names))
    assert sorted(os.listdir(house.pickup / "damaged")) == sorted(names)
    assert len(house.seen("queued")) == 1 and not house.seen("bounced")
    assert not house.seen("pickup-trouble")


def test_what_is_no_file_is_put_aside(folder):
    (folder.pickup / "1.mail").symlink_to("/etc/passwd")
    (folder.pickup / "2.mail").mkdir()
    os.mkfifo(folder.pickup / "3.mail")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder.pickup / "4.mail"))
    check(folder, "1.mail", "2.mail", "3.mail", "4.mail")


def test_no_address_or_name_writes_lines_into_a_header(folder):
    evil = b"x>\r\nX-Evil: 1\r\nY: <"
    (folder.pickup / "1.mail").write_bytes(pickup(b"a@house.example", sender=b"a@b.example" + evil))
    (folder.pickup / "2.mail").write_bytes(pickup(b"a@house.example" + evil))
    (folder.pickup / "3.mail").write_bytes(pickup(b"a@house.example", user=b"u)" + evil))
    (folder.pickup / "4.mail").write_bytes(pickup(b"../../../etc"))
    check(folder, "1.mail", "2.mail", "3.mail", "4.mail")
