"""Private keys are in a process of their own."""
import os
import pathlib
import re
import signal
import ssl
import subprocess
import time

import pytest
from house import ground
from house.smtp_client import Client

SIGNATURE_PATIENCE = 2  # seconds: then a key process stands still

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can read another process's memory")


def key_number(file, name):
    """A number that only the private key has, as OpenSSL calls it."""
    text = subprocess.run(["openssl", "pkey", "-in", file, "-noout", "-text"], check=True, capture_output=True).stdout.decode()
    number = bytes.fromhex(re.search(name + r":\n((?:    .*\n)+)", text)[1].replace(":", "").replace(" ", "").replace("\n", ""))
    return number.lstrip(b"\0")


@pytest.fixture(params=["rsa:2048", "ec"])
def certified(postrider, tmp_path, request):
    """Makes Postriders with a certificate; returns one and the numbers that only its key has."""

    def make(**tls):
        files = {"certificate": str(tmp_path / "c.pem"), "key": str(tmp_path / "k.pem")}
        more = ["-pkeyopt", "ec_paramgen_curve:prime256v1"] if request.param == "ec" else []
        subprocess.run(
            ["openssl", "req", "-x509", "-nodes", "-newkey", request.param, *more, "-keyout", files["key"],
             "-out", files["certificate"], "-subj", "/CN=x", "-days", "9"], check=True, capture_output=True)
        number = key_number(files["key"], "priv" if request.param == "ec" else "prime1")
        return postrider({"tls": {"certificates": [files], **tls}}), number

    return make


def shake_hands(house):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with Client(house.address, house.port) as client:
        client.hello()
        client.expect(220, "STARTTLS")
        with context.wrap_socket(client.socket) as private:
            return private.version()


def in_memory(process, number):
    """Whether the bytes, in either order, stand anywhere in what the process has written to."""
    needles = (number, number[::-1])
    with open(f"/proc/{process}/maps") as maps, open(f"/proc/{process}/mem", "rb", 0) as memory:
        for line in maps:
            span, mode = line.split()[:2]
            first, last = (int(x, 16) for x in span.split("-"))
            if not mode.startswith("rw") or last - first > 1 << 28 or "[v" in line:
                continue
            try:
                memory.seek(first)
                data = memory.read(last - first)
            except (OSError, ValueError, OverflowError):
                continue
            if any(needle in data for needle in needles):
                return True
    return False


@root
def test_the_workers_memory_gives_no_key(certified):
    house, number = certified()
    assert shake_hands(house) == "TLSv1.3"
    assert not in_memory(house.worker(), number)
    assert in_memory(house.wait("keys-started")["pid"], number), "the search finds a key that is there"


@root
def test_a_key_that_the_configuration_wants_in_the_worker_is_there(certified):
    house, number = certified(keys="worker")
    assert shake_hands(house) == "TLSv1.3"
    assert in_memory(house.worker(), number)
    assert not house.seen("keys-started")


def test_a_key_process_that_dies_is_replaced(certified):
    house, _ = certified()
    shake_hands(house)
    os.kill(house.wait("keys-started")["pid"], signal.SIGKILL)
    assert house.wait("keys-died")["signal"] == signal.SIGKILL
    assert shake_hands(house) == "TLSv1.3"
    assert len(house.seen("worker-started")) == 1
    house.wait("keys-started", 2)


def test_a_key_process_that_stands_still_is_replaced(certified):
    house, _ = certified()
    shake_hands(house)
    stopped = house.wait("keys-started")["pid"]
    os.kill(stopped, signal.SIGSTOP)
    assert shake_hands(house) == "TLSv1.3"  # that one waits, and nobody after it
    assert house.wait("keys-stuck")["pid"] == stopped
    assert house.wait("keys-died")["signal"] == signal.SIGKILL
    before = time.monotonic()
    assert shake_hands(house) == "TLSv1.3"
    assert time.monotonic() - before < SIGNATURE_PATIENCE
    assert ground.is_gone(stopped)
    assert len(house.seen("worker-started")) == 1


def test_keys_outlive_a_worker(certified):
    house, _ = certified()
    os.kill(house.worker(), signal.SIGKILL)
    house.wait("ready", 2)
    assert shake_hands(house) == "TLSv1.3"
    assert len(house.seen("keys-started")) == 1


def test_the_key_process_is_fenced(certified):
    house, _ = certified()
    lines = pathlib.Path(f"/proc/{house.wait('keys-started')['pid']}/status").read_text()
    for line in ("NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t0000000000000000"):
        assert line in lines
    assert ground.accepts(house.address, house.port)
