"""Descriptors used up, memory used up, clocks set back and forth: nothing lost, and it goes on."""
import pathlib
import resource
import socket

import pytest

from books import Arrivals, Senders
from house.smtp_client import Client
from limits import address_space, descriptors, limit

FAKETIME = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)

HALF = (b"x" * 998 + b"\r\n") * 900


def test_no_descriptors_are_left(postrider, figures):
    house = postrider({"log": {"level": "info"}, "queue": {"retry": ["300ms"]}})
    with Senders(house) as senders:
        senders.wait_taken(20)
        limit(house.process.pid, resource.RLIMIT_NOFILE, descriptors(house.process.pid) + 20)
        crowd = []
        for _ in range(200):
            one = socket.create_connection((house.address, house.port), timeout=5)
            crowd.append(one)
        house.wait("accept_failed")
        for one in crowd:
            one.close()
        senders.wait_taken(20)
        limit(house.process.pid, resource.RLIMIT_NOFILE, 1024)
        senders.wait_taken(20)
    Arrivals([house.maildir("you")]).wait(senders, house)
    figures(acknowledged=len(senders.taken), replies=dict(senders.replies))
    assert {code for code in senders.replies if code not in (250, "cut")} <= {421, 451, 452}


def test_no_memory_is_left(postrider, figures):
    house = postrider({"log": {"level": "info"}, "queue": {"retry": ["300ms"]}})
    crowd, refused = [], 0
    with Senders(house, count=8, sizes=(4000, 900000, 2000000)) as senders:
        senders.wait_taken(20)
        limit(house.process.pid, resource.RLIMIT_AS, address_space(house.process.pid) + (4 << 20))
        for _ in range(300):  # each holds nearly a MiB that is no message yet
            try:
                with Client(house.address, house.port) as client:
                    client.hello()
                    client.envelope("a@b.example", "you@house.example")
                    client.expect(354, "DATA")
                    client.send(HALF)
                    crowd.append(client.socket.dup())
            except (OSError, EOFError, AssertionError):
                refused += 1
        for one in crowd:  # a body under way has a minute, also after SIGTERM
            one.close()
        felt = refused + sum(senders.replies[code] for code in (421, 451, 452, "cut"))
        assert felt or house.seen("spool_write_failed"), "the limit was never felt"
        limit(house.process.pid, resource.RLIMIT_AS, resource.RLIM_INFINITY)
        senders.wait_taken(20)
    Arrivals([house.maildir("you")]).wait(senders, house)
    figures(acknowledged=len(senders.taken), refused=refused, replies=dict(senders.replies))
    assert {code for code in senders.replies if code not in (250, "cut")} <= {421, 451, 452}


@pytest.mark.skipif(not FAKETIME, reason="needs Debian's package faketime")
def test_clocks_that_are_set_back_and_forth(postrider, hostile, tmp_path, monkeypatch, figures):
    said = tmp_path / "postrider0" / "time"  # beside the configuration, where a fenced worker may read
    said.parent.mkdir()
    said.write_text("+0\n")
    for name, value in (
        ("LD_PRELOAD", str(FAKETIME)),
        ("FAKETIME_TIMESTAMP_FILE", str(said)),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ):
        monkeypatch.setenv(name, value)
    server = hostile({"mail": ["451 4.3.0 not now"] * 30})
    house = postrider(
        {
            "log": {"level": "info"},
            "transports": [{"match": "far.example", "to": f"smtp://{server.address}:{server.port}"}],
            "queue": {"retry": ["300ms"]},
        }
    )
    with Senders(house, to=("you@house.example", "you@far.example")) as senders:
        for step in ("+3600", "-3600", "+172800", "-172800", "+86000000", "+0"):
            said.write_text(step + "\n")
            senders.wait_taken(15)
    Arrivals([house.maildir("you")], [server]).wait(senders, house)
    figures(acknowledged=len(senders.taken), expired=len(house.seen("expired")))
