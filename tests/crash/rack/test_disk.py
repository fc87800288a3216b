"""A disk that fills, and one that turns read-only: the right reply, nothing lost, and it goes on."""
import pytest

from books import Arrivals, Senders
from disks import Breakable, Filler, mount, small
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


def read_mail(folder, names):
    """Each recipient's messages, and what lies half done beside them."""
    mail = {n: [f.read_bytes() for f in folder.glob(f"mail/house.example/{n}/new/*")] for n in names}
    return mail, [str(f) for f in folder.glob("mail/house.example/*/tmp/*")]


def test_a_full_mail_store_has_whole_messages_or_none_of_each_recipient(postrider, tmp_path, figures):
    names = [f"user{i}" for i in range(24)]
    body = b"".join(b"line %06d of a message\r\n" % i for i in range(2000))
    with small(tmp_path, 2) as folder:
        house = postrider({
            "domains": {"house.example": {"mailboxes": f"maildir:{folder}/mail/{{domain}}/{{local}}/"}},
            "queue": {"retry": ["1h"]},
        })  # fmt: skip
        house.submit([f"{n}@house.example" for n in names[:12]], b"Subject: a\r\n\r\n" + body)
        house.wait("delivered", 12)
        for number in range(3):  # several messages at once, so that batches have more than one recipient's
            house.submit([f"{n}@house.example" for n in names], b"Subject: b%d\r\n\r\n" % number + body)
        ground.until("each has an outcome", lambda: len(house.seen("delivered")) + len(house.seen("deferred")) == 84, 60)
        told = [(e["id"], e["rcpt"]) for e in house.seen("delivered")]
        mail, half = read_mail(folder, names)
        figures(delivered=len(told), deferred=len(house.seen("deferred")))
        assert len(set(told)) == len(told) == sum(len(found) for found in mail.values())
        assert 12 < len(told) < 84 and house.seen("deferred", rcpt="user23@house.example") and not half
        assert all(text.endswith(b"line 001999 of a message\n") for found in mail.values() for text in found)
        mount(folder, "remount,size=64m")
        house.run("queue", "retry", "--all", check=0)
        house.wait("delivered", 84)
        mail, half = read_mail(folder, names)
        assert {n: len(found) for n, found in mail.items()} == {n: 4 if n in names[:12] else 3 for n in names} and not half
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
        before = set(senders.taken)
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
    # While ext4 aborts its journal in one thread's fdatasync, another's may return 0 though its data never
    # reach the disk (a program that only writes and syncs loses the last block so in 4 of 25 runs; Linux
    # 6.18). What was acknowledged before that is there; of each sender's, one may have met that moment.
    there = Arrivals(servers=[server]).wait(senders, house, of=before)
    doubtful = senders.taken - there.keys()
    house.stop()
    figures(acknowledged=len(senders.taken), lied_to=len(doubtful), replies=dict(senders.replies))
    assert len(doubtful) <= len(senders.threads) and not doubtful & before
    assert {code for code in senders.replies if code not in (250, "cut")} <= {451, 452}
