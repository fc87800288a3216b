"""kill -9 in the middle of load: every message that got its 250 arrives."""
import threading

from house.ground import until
from house.smtp_client import Client

KILLS = 20


def load(house, number, accepted, stop):
    n = 0
    while not stop.is_set():
        try:
            with Client(house.address, house.port) as client:
                client.hello()
                while not stop.is_set():
                    mark = f"m{number}-{n}"
                    n += 1
                    client.envelope("a@b.example", "you@house.example")
                    if client.data(f"Subject: {mark}\r\n\r\n{'x' * 2000}\r\n".encode()).code == 250:
                        accepted.add(mark)
        except (OSError, EOFError, AssertionError):
            stop.wait(0.02)


def test_kill_in_the_middle_of_load(postrider):
    house = postrider({"log": {"level": "info"}})
    accepted, stop = set(), threading.Event()
    threads = [threading.Thread(target=load, args=(house, i, accepted, stop)) for i in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(KILLS):
            goal = len(accepted) + 15
            until("more mail is taken", lambda: len(accepted) >= goal)
            house.kill()
            house.start()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert len(accepted) >= KILLS * 15

    def arrived():
        found = set()
        for message in house.maildir("you").messages():
            line = message.split(b"Subject: ", 1)[1].split(b"\n", 1)[0]
            found.add(line.strip().decode())
        return found

    until("all that was accepted arrives", lambda: accepted <= arrived(), patience=60, pause=0.3)
