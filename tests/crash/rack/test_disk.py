"""A disk that fills, and one that turns read-only: the right reply, nothing lost, and it goes on."""
import pytest

from books import Arrivals, Senders
from disks import Breakable, Filler, small
from house import ground


def on(postrider, folder, server, **config):
    return postrider(
        {
            "spool": {"path": str(folder / "spool")},
            "log": {"level": "info"},
            "transports": [{"match": "*", "to": f"smtp://{server}"}],
            "queue": {"retry": ["300ms"]},
            **config,
        }
    )


BIG = (20000, 300000, 1500000)  # a disk fills sooner


def test_a_full_disk_refuses_new_mail_and_delivers_the_old(postrider, hostile, port, tmp_path, figures):
    address = ground.address()
    with small(tmp_path, 400) as folder:
        filler = Filler(folder)
        house = on(postrider, folder, f"{address}:{port}")
        with Senders(house, to=("you@far.example",), sizes=BIG) as first:
            first.wait_reply(452)  # the reserve is left
            filler.fill()  # now it is not
            first.wait_reply(452)
        arrivals = Arrivals(servers=[hostile(address=address)])
        arrivals.wait(first, house)  # outcomes have room
        filler.empty()
        with Senders(house, to=("you@far.example",), sizes=BIG, name="n") as second:
            second.wait_taken(20)
        found = arrivals.wait(second, house)
        house.stop()
    replies = first.replies + second.replies
    figures(acknowledged=len(first.taken | second.taken), until_full=len(first.taken), replies=dict(replies))
    assert set(replies) <= {250, 451, 452, "cut"}, replies
    assert max(found.values()) == 1


def test_a_restart_on_a_full_disk(postrider, hostile, port, tmp_path):
    address = ground.address()
    with small(tmp_path, 300) as folder:
        filler = Filler(folder)
        house = on(postrider, folder, f"{address}:{port}")
        with Senders(house, to=("you@far.example",), sizes=BIG) as senders:
            senders.wait_reply(452)
        filler.fill()
        house.kill()
        house.start()
        server = hostile(address=address)
        Arrivals(servers=[server]).wait(senders, house)
        filler.empty()
        house.stop()


@pytest.fixture
def disk(tmp_path):
    made = Breakable(tmp_path, 500)
    yield made
    made.done()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_disk_that_turns_read_only(postrider, hostile, port, disk, figures, end):
    address = ground.address()
    house = on(postrider, disk.at, f"{address}:{port}")
    with Senders(house, to=("you@far.example",), sizes=BIG) as senders:
        senders.wait_taken(50)
        disk.break_it()
        senders.wait_reply(451)
    house.wait("spool_write_failed")
    assert house.json("queue")["messages"], "what is there can still be looked at"
    if end == "stop":
        house.process.terminate()
        house.process.wait(ground.PATIENCE)
    house.kill()
    disk.heal()
    server = hostile(address=address)
    house.start()
    Arrivals(servers=[server]).wait(senders, house)
    house.stop()
    figures(acknowledged=len(senders.taken), replies=dict(senders.replies))
    assert {code for code in senders.replies if code not in (250, "cut")} <= {451, 452}
