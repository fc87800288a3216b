"""Many connections held open: others are served all the same."""
import pytest

from house import ground
from house.smtp_client import Client

MOST = 12


@pytest.fixture
def crowded(postrider):
    """All its clients are strangers, and each has an address of its own."""
    return postrider(
        {"loops": 1, "networks": ["192.0.2.0/24"], "limits": {"connections": MOST, "client_connections": 2}}
    )


def come(house):
    client = Client(house.address, house.port, source=ground.address())
    client.hello()
    return client


def message(client, number):
    client.envelope("a@b.example", "you@house.example")
    assert client.data(f"Subject: {number}\r\n\r\nhello\r\n".encode()).code == 250


def test_who_holds_connections_open_makes_room_for_who_has_mail(crowded):
    held = [come(crowded) for _ in range(MOST)]
    held[0].expect(250, "NOOP")  # that one is quiet for less long than all others
    late = []
    for number in range(MOST - 1):
        late.append(come(crowded))
        message(late[-1], number)
    held[0].expect(250, "NOOP")
    for client in held[1:]:
        assert client.reply().code == 421
    assert len(crowded.maildir("you").wait(MOST - 1)) == MOST - 1
    for client in late:
        client.expect(221, "QUIT")
    assert not crowded.seen("refused")


def test_who_is_in_the_midst_of_a_message_makes_no_room(crowded):
    busy = [come(crowded) for _ in range(MOST)]
    for client in busy:
        client.envelope("a@b.example", "you@house.example")
    late = Client(crowded.address, crowded.port, source=ground.address())
    assert late.reply().code == 421
    for client in busy:
        assert client.data(b"Subject: x\r\n\r\nhello\r\n").code == 250
