"""kill -9 at random moments under load: nothing that was acknowledged is lost, nothing is torn."""
import os
import random
import time

from books import Arrivals, Senders

KILLS = int(os.environ.get("RACK_KILLS", "200"))


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
            time.sleep(rng.random() * 0.02)  # the moment is what is random here, nothing is waited for
            house.kill()
            house.start()

    found = Arrivals([house.maildir("you")], [server]).wait(senders, house)
    twice = sum(count - 1 for count in found.values())
    figures(kills=KILLS, acknowledged=len(senders.taken), lost=len(senders.taken - found.keys()), copies=twice)
    assert twice <= KILLS * 8, "a kill may repeat what was under way, not more"
