"""Paths, addresses and deadlines. Every test has loopback addresses of its own, so that all servers
of one test can listen on the same port, as mail hosts do."""
import itertools
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

E2E = pathlib.Path(__file__).resolve().parent.parent
SOURCE = E2E.parent.parent
TESTDATA = SOURCE.parent / "shared" / "testdata"
CACHE = pathlib.Path(os.environ.get("POSTRIDER_PEERS", SOURCE / "build-peers"))
PATIENCE = float(os.environ.get("POSTRIDER_PATIENCE", "20"))

_random = random.Random(os.getpid() ^ time.time_ns())
_block = 16 + os.getpid() % 224  # parallel runs of the tests have different ones
_count = itertools.count(_random.randrange(0, 40000))


def program():
    """The program under test: $POSTRIDER, or the newest build that the tests may run."""
    named = os.environ.get("POSTRIDER")
    if named:
        return pathlib.Path(named).resolve()
    return SOURCE / "build" / "postrider"


def address():
    """A loopback address that no other test uses."""
    n = next(_count)
    return f"127.{_block}.{(n // 250) % 250 + 1}.{n % 250 + 1}"


def port_everywhere():
    """A port that is free on every address of both families: mail hosts of one test share it."""
    for _ in range(200):
        port = _random.randrange(10000, 32000)
        try:
            for family, any_address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    with socket.socket(family, kind) as s:
                        if family == socket.AF_INET6:
                            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                        s.bind((any_address, port))
            return port
        except OSError:
            continue
    raise AssertionError("no free port")


def until(what, condition, patience=PATIENCE, pause=0.01):
    """Asks `condition` until it says something true, and returns that."""
    deadline = time.monotonic() + patience
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {patience} s: {what}")
        time.sleep(pause)


def end(process):
    """SIGTERM, and where that is not heard SIGKILL; None is fine."""
    if process:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def accepts(host, port):
    try:
        socket.create_connection((host, port), timeout=1).close()
        return True
    except OSError:
        return False


def is_gone(process):
    """Ended, even if nobody has waited for it yet."""
    try:
        state = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state in "ZX"
