"""`postrider queue`, `why` and `route` at a running server."""
import json

import pytest

from house import ground

HEAD = b"Subject: x\r\n\r\nhello\r\n"


@pytest.fixture
def waiting(postrider, hostile):
    """A Postrider with three messages that wait, and their ids."""
    server = hostile({"mail": "451 4.3.0 not today, friend"})
    house = postrider({"transports": [{"match": "*", "to": f"smtp://{server.address}"}], "queue": {"retry": ["1h"]}})
    house.server = server
    house.ids = [
        house.submit("anna@one.example", HEAD, sender="box@house.example"),
        house.submit("ben@two.example", HEAD, sender="other@house.example"),
        house.submit(["carl@two.example", "dora@three.example"], HEAD, sender="box@house.example"),
    ]
    house.wait("deferred", 4)
    return house


def listed(house, *selector):
    return {m["id"] for m in house.json("queue", "list", *selector)["messages"]}


def test_selectors(waiting):
    one, two, three = waiting.ids
    assert listed(waiting) == {one, two, three}
    assert listed(waiting, one) == {one}
    assert listed(waiting, "--sender", "box@house.example") == {one, three}
    assert listed(waiting, "--recipient", "ben@two.example") == {two}
    assert listed(waiting, "ben@two.example") == {two}
    assert listed(waiting, "--domain", "two.example") == {two, three}
    assert listed(waiting, "--domain", "two.example", "--sender", "other@house.example") == {two}
    assert listed(waiting, "--error", "not today") == {one, two, three}
    assert listed(waiting, "--error", "tomorrow") == set()
    assert listed(waiting, "--older", "1h") == set()
    assert listed(waiting, "--older", "1ms") == {one, two, three}
    assert listed(waiting, "--held") == set()


def test_list_and_show_tell_what_a_message_waits_for(waiting):
    facts = waiting.json("queue", "show", waiting.ids[0])["messages"][0]
    assert facts["state"] == "waiting" and facts["sender"] == "box@house.example"
    (rcpt,) = facts["recipients"]
    assert rcpt["attempts"] == 1 and rcpt["last"]["kind"] == "deferred"
    assert rcpt["last"]["code"] == 451 and "not today, friend" in rcpt["last"]["text"]
    text = waiting.run("queue", "show", waiting.ids[0], check=0).stdout.decode()
    assert "not today, friend" in text and waiting.server.address in text


def test_hold_and_release_and_that_held_mail_stays_over_a_restart(waiting):
    one = waiting.ids[0]
    waiting.run("queue", "hold", one, check=0)
    assert listed(waiting, "--held") == {one}
    visits = waiting.server.count("mail")
    waiting.run("queue", "retry", "--all", check=0)
    waiting.server.wait_visit("mail", visits + 2)
    waiting.stop()
    waiting.start()
    assert listed(waiting, "--held") == {one}
    waiting.server.script = {}
    waiting.run("queue", "release", one, check=0)
    waiting.server.wait(1)
    assert waiting.server.mail[0].recipients == ["anna@one.example"]


def test_remove_tells_nobody_and_bounce_tells_the_sender(waiting):
    one, two, three = waiting.ids
    waiting.run("queue", "remove", one, check=0)
    waiting.wait("removed", id=one)
    waiting.run("queue", "bounce", two, check=0)
    waiting.wait("removed", id=two)
    assert b"ben@two.example" in waiting.maildir("other").one()
    assert waiting.maildir("box").count() == 0
    ground.until("only one is left", lambda: listed(waiting) == {three})


def test_what_changes_the_queue_needs_a_selector(waiting):
    for action in ("retry", "hold", "release", "remove", "bounce"):
        assert waiting.run("queue", action).returncode == 64
    assert waiting.run("queue", "explode", "--all").returncode == 64
    assert waiting.run("queue", "list", "--older", "soon").returncode == 64
    assert len(listed(waiting)) == 3


def test_why_tells_the_whole_story(waiting):
    story = waiting.run("why", waiting.ids[0], check=0).stdout.decode()
    for word in ("box@house.example", "anna@one.example", "not today, friend", waiting.server.address, "451"):
        assert word in story, story
    facts = waiting.json("why", waiting.ids[0])
    text = json.dumps(facts)
    assert "not today, friend" in text and waiting.ids[0] in text


def test_why_by_address_tells_the_newest_first_and_finished_ones_too(waiting):
    waiting.submit("anna@house.example", HEAD)
    waiting.wait("delivered")
    story = waiting.run("why", "anna@house.example", check=0).stdout.decode()
    assert "anna@house.example" in story and "Maildir" in story
    for address in ("box@house.example", "dora@three.example"):
        assert address in waiting.run("why", address, check=0).stdout.decode()


def test_why_of_what_never_was(waiting):
    done = waiting.run("why", "nobody@nowhere.example")
    assert done.returncode == 1 or done.returncode in (66, 68, 69)
    assert b"nothing is known" in done.stderr
    assert waiting.run("why", "not-an-id").returncode != 0


def test_why_tells_finished_stories_without_a_server(waiting):
    queue_id = waiting.submit("anna@house.example", HEAD)
    waiting.wait("removed", id=queue_id)
    waiting.stop()
    story = waiting.run("why", queue_id, check=0).stdout.decode()
    assert "anna@house.example" in story
    waiting.start()


def test_the_other_side_cannot_steer_the_terminal(postrider, hostile):
    server = hostile({"mail": b"451 4.3.0 \x1b[2Jcleared\x07\r\n"})
    house = postrider({"transports": [{"match": "*", "to": f"smtp://{server.address}"}]})
    queue_id = house.submit("you@far.example", HEAD)
    house.wait("deferred")
    for words in (("queue",), ("queue", "show", queue_id), ("why", queue_id)):
        assert b"\x1b" not in house.run(*words, check=0).stdout
    assert b"\x1b" not in house.stderr.read_bytes()


def test_the_control_socket_is_nobody_elses(house):
    assert house.control.stat().st_mode & 0o007 == 0
