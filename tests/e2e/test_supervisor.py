"""The supervisor: a worker that crashes is replaced, and nobody outside sees more than a pause."""
import datetime
import os
import pathlib
import signal
import socket
import sys
import threading

import pytest
from house import ground
from house.smtp_client import Client

CRASHES = 5
LOOSELY = 3  # seconds: a restart of a sanitizer build on a crowded machine


def instant(event):
    return datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00"))


def restarts(house):
    """Seconds from each death to when mail was taken again."""
    deaths = [instant(e) for e in house.seen("worker-died")]
    return [(instant(e) - death).total_seconds() for death, e in zip(deaths, house.seen("ready")[1:])]


class Load:
    """Clients that send one message after another; what was answered 250 is in `taken`."""

    def __init__(self, house, clients=3):
        self.house = house
        self.taken, self.refused = set(), 0
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(i,)) for i in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def _run(self, number):
        count = 0
        while not self.stop.is_set():
            try:
                with Client(self.house.address, self.house.port) as client:
                    client.hello()
                    count += 1
                    mark = f"m{number}-{count}"
                    client.envelope("a@b.example", "you@house.example")
                    if client.data(f"Subject: {mark}\r\n\r\nhello\r\n".encode()).code == 250:
                        self.taken.add(mark)
            except ConnectionRefusedError:
                self.refused += 1
            except (OSError, EOFError):
                pass  # cut off by the crash

    def more(self, count):
        goal = len(self.taken) + count
        ground.until("more mail is taken", lambda: len(self.taken) >= goal)


def subjects(house):
    return {
        message.split(b"Subject: ", 1)[1].split(b"\n", 1)[0].strip().decode()
        for message in house.maildir("you").messages()
    }


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGKILL])
def test_a_crash_of_the_worker_loses_nothing_and_refuses_nobody(postrider, number):
    house = postrider({"log": {"level": "info"}})
    with Load(house) as load:
        for crash in range(1, CRASHES + 1):
            load.more(5)
            os.kill(house.worker(), number)
            assert house.wait("worker-died", crash)["signal"] == number
            house.wait("ready", crash + 1)
        load.more(5)
    assert load.refused == 0
    took = restarts(house)
    print("restarts:", ", ".join(f"{t * 1000:.0f} ms" for t in took))
    assert len(took) == CRASHES and min(took) < LOOSELY
    ground.until("all that was accepted arrives", lambda: load.taken <= subjects(house), pause=0.1)


def test_who_connects_while_no_worker_runs_is_served_by_the_next(house):
    worker = house.worker()
    os.kill(worker, signal.SIGSTOP)  # it accepts nothing more, once each of its threads has heard of that
    threads = [thread / "status" for thread in pathlib.Path(f"/proc/{worker}/task").iterdir()]
    ground.until("it stands still", lambda: all("\nState:\tT" in thread.read_text() for thread in threads))
    with house.client() as client:
        os.kill(worker, signal.SIGKILL)
        client.hello()
        client.envelope("a@b.example", "you@house.example")
        assert client.data(b"Subject: x\r\n\r\nhello\r\n").code == 250
    house.maildir("you").one()


def test_the_control_socket_outlives_a_crash(house):
    os.kill(house.worker(), signal.SIGKILL)
    house.wait("ready", 2)
    assert house.json("queue", "list")["messages"] == []


def test_a_worker_does_not_outlive_its_supervisor(house):
    house.kill()  # waits for the worker's end
    assert not ground.accepts(house.address, house.port)
    house.start()


def test_the_end_of_a_stop_is_told_by_the_worker_alone(house):
    os.kill(house.worker(), signal.SIGTERM)
    assert house.process.wait(ground.PATIENCE) == 0
    house.wait("stopped")
    assert not house.seen("worker-died")


def test_a_crash_while_it_stops_ends_all(house):
    with house.client() as client:
        client.hello()
        client.envelope("a@b.example", "you@house.example")
        client.expect(354, "DATA")
        house.process.send_signal(signal.SIGTERM)
        house.wait("stopping")
        os.kill(house.worker(), signal.SIGKILL)
        house.stop(expect=70)
    assert len(house.seen("worker-started")) == 1


class Manager:
    """What systemd is to a service: hears its datagrams."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.settimeout(ground.PATIENCE)

    def hears(self, word):
        said = self.socket.recv(4096).decode()
        assert word in said.split("\n"), said


@pytest.mark.parametrize("abstract", [False, True])
def test_the_service_manager_is_told_how_it_goes(postrider, tmp_path, monkeypatch, abstract):
    path = f"\0postrider-{os.getpid()}" if abstract else str(tmp_path / "notify")
    manager = Manager(path)
    monkeypatch.setenv("NOTIFY_SOCKET", path.replace("\0", "@"))
    house = postrider()
    manager.hears("READY=1")
    house.process.send_signal(signal.SIGHUP)
    manager.hears("RELOADING=1")
    manager.hears("READY=1")
    house.file.write_text("nonsense: [\n")
    house.process.send_signal(signal.SIGHUP)
    manager.hears("RELOADING=1")
    house.wait("reload-refused")
    manager.hears("READY=1")
    house.process.send_signal(signal.SIGTERM)
    manager.hears("STOPPING=1")
    house.write()
    manager.socket.close()


AS_A_MANAGER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_sockets_that_the_service_manager_opened_are_used_and_left_open(postrider):
    house = postrider(start=False)
    with socket.socket() as given:
        given.bind((house.address, house.port))
        given.listen()
        command = [sys.executable, "-c", AS_A_MANAGER, str(given.fileno()), str(ground.program()), "serve", "-c", str(house.file)]
        house.launch(command, pass_fds=[given.fileno()])
        assert house.wait("sockets-given")["count"] == 1
        house.wait("ready")
        os.kill(house.worker(), signal.SIGKILL)
        house.submit("you@house.example", b"Subject: x\r\n\r\nhello\r\n")
        house.maildir("you").one()
        house.stop()
        with socket.create_connection((house.address, house.port)):
            pass  # it waits for the next start


def test_a_worker_is_not_started_by_hand(house):
    done = house.run("serve", "-c", house.file, "--worker")
    assert done.returncode == 64 and b"supervisor" in done.stderr
