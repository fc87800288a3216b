"""Stores that hang, drip, flood or hang up: each question ends in time, and little is kept of an answer."""
import json
import socket
import struct
import subprocess
import threading
import time

import pytest

from house import ground
from house.postrider import environment

LIMIT, LOOSELY = 1, 8  # seconds: of a question, and what a crowded machine may make of it
MIB = b"x" * (1 << 20)


def hang(c):
    while c.recv(4096):
        pass


def drip(first):
    def behave(c):
        for byte in first + bytes(100):
            c.send(bytes([byte]))
            time.sleep(0.1)

    return behave


def flood(first, then):
    def behave(c):
        c.recv(4096)
        c.sendall(first)
        while True:
            c.sendall(then)

    return behave


def after_login(first, then):
    """What a server of PostgreSQL does when it has let everybody in."""

    def behave(c):
        if len(c.recv(4096)) == 8:  # TLS is asked for
            c.sendall(b"N")
            c.recv(4096)
        c.sendall(b"R" + struct.pack(">II", 8, 0) + b"Z" + struct.pack(">I", 5) + b"I")
        flood(first, then)(c)

    return behave


def entries(c):
    """An entry that was found, and found, and found."""
    number = c.recv(4096)[4]
    entry = bytes([0x64, 9, 4, 5]) + b"cn=aa" + bytes([0x30, 0])
    message = bytes([2, 1, number]) + entry
    while True:
        c.sendall((bytes([0x30, len(message)]) + message) * 10000)


ROW = b"D" + struct.pack(">IHI", 4 + 2 + 4 + 1000, 1, 1000) + bytes(1000)
COLUMN = b"T" + struct.pack(">IH", 6 + 2 + 18, 1) + b"x\0" + bytes(18)
TIME, LONG = "no answer in time", "its answer is too long"
ROWS = [
    ("postgresql", hang, ""), ("postgresql", drip(b"S"), ""),
    ("postgresql", after_login(b"N" + struct.pack(">I", 1 << 30), MIB), LONG),
    ("postgresql", after_login(COLUMN, ROW * 1000), LONG),
    ("ldap", hang, "Timed out"), ("ldap", drip(b"\x30\x84\0\0\x10\0"), ""),
    ("ldap", flood(b"\x30\x84\x7f\xff\xff\xff\2\1\1", MIB), LONG), ("ldap", entries, LONG),
    ("ldaps", hang, TIME), ("ldaps", drip(b"\x16\3\3\x10\0"), TIME),
    ("starttls", hang, "Timed out"), ("starttls", drip(b"\x30\x84\0\0\x10\0"), ""),
    ("dovecot", hang, ""), ("dovecot", drip(b"VERSION\t1\t1\nMECH"), ""), ("dovecot", flood(b"", b"MECH\tPLAIN\n" * 999), ""),
]  # fmt: skip


def store_of(kind, folder, sock):
    if kind == "dovecot":
        sock.bind(str(folder / "socket"))
        return {"dovecot": str(folder / "socket")}
    sock.bind((ground.address(), 0))
    host, port = sock.getsockname()
    if kind == "postgresql":
        return {kind: f"host={host} port={port} user=x dbname=x", "query": "SELECT password FROM users WHERE name = $1"}
    more = {"starttls": "yes"} if kind == "starttls" else {}
    scheme = "ldaps" if kind == "ldaps" else "ldap"
    return {"ldap": f"{scheme}://{host}:{port}", "base": "dc=x", "filter": "(uid={user})", **more}


@pytest.mark.parametrize("kind, behave, reason", ROWS)
def test_a_store_that_misbehaves_costs_its_time_limit_and_no_memory(tmp_path, kind, behave, reason):
    listening = socket.socket(socket.AF_UNIX if kind == "dovecot" else socket.AF_INET)
    store = store_of(kind, tmp_path, listening)
    listening.listen(8)

    def serve():
        try:
            while True:
                with listening.accept()[0] as connection:
                    behave(connection)
        except OSError:
            pass

    threading.Thread(target=serve, daemon=True).start()
    file = tmp_path / "c.yaml"
    file.write_text(json.dumps({
        "hostname": "x.example", "spool": {"path": str(tmp_path / "spool")},
        "listen": [{"address": "127.0.0.1:2525", "mode": "submission"}],
        "users": {"stores": [{**store, "timeout": f"{LIMIT}s"}]},
    }))  # fmt: skip
    before = time.monotonic()
    done = subprocess.run([ground.program(), "user", "test", "anna", "-c", file], input=b"x\n", capture_output=True,
                          env=environment(), timeout=ground.PATIENCE)
    assert time.monotonic() - before < LIMIT + LOOSELY
    assert done.returncode == 75 and reason in (done.stdout + done.stderr).decode(), done
    listening.close()
