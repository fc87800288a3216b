"""kill -9 at random moments under load: nothing that was acknowledged is lost, nothing is torn."""
import os
import random

from books import Arrivals, Senders

KILLS = int(os.environ.get("RACK_KILLS", "200"))
MOMENTS = ("mail", "rcpt", "queued", "delivered", "removed")  # each takes another step


def test_kill_9_at_random_moments_under_load(postrider, hostile, figures):
    server = hostile()
    house = postrider(
        {
            "log": {"level": "info"},
            "transports": [{"match": "far.example", "to": f"smtp://{server.address}:{server.port}"}],
            "queue": {"retry": ["200ms"]},
        }
    )
    rng = random.Random(1)
    with Senders(house, to=("you@house.example", "you@far.example")) as senders:
        for _ in range(KILLS):
            senders.wait_taken(rng.randrange(1, 12))
            moment = rng.choice(MOMENTS)
            house.wait(moment, len(house.seen(moment)) + 1)
            house.kill()
            house.start()

    found = Arrivals([house.maildir("you")], [server]).wait(senders, house)
    twice = sum(count - 1 for count in found.values())
    figures(kills=KILLS, acknowledged=len(senders.taken), lost=len(senders.taken - found.keys()), copies=twice)
    assert twice <= KILLS * 8, "a kill may repeat what was under way, not more"
