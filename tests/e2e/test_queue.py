"""`postrider queue`, `why` and `route` at a running server."""
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


def test_several_ids_and_addresses_are_any_of_them_and_kinds_hold_together(waiting):
    one, two, three = waiting.ids
    assert listed(waiting, one, three) == {one, three}
    assert listed(waiting, "ben@two.example", "carl@two.example", "dora@three.example") == {two, three}
    assert listed(waiting, one, two, "ben@two.example") == {two}
    assert listed(waiting, one, two, "--sender", "box@house.example") == {one}
    assert waiting.run("queue", "list", one, "nonsense").returncode == 64
    assert waiting.run("queue", "list", "a@b.example", "--recipient", "b@b.example").returncode == 64
    assert waiting.run("queue", "remove", one, two, check=0).stdout.endswith(b"remove: 2 of 2 messages\n")
    assert listed(waiting) == {three}


def test_limit_is_of_the_oldest_and_over_all_that_is_named(waiting):
    one, two, three = waiting.ids
    facts = waiting.json("queue", "list", "--limit", "2")
    assert [m["id"] for m in facts["messages"]] == [one, two] and facts["more"]
    facts = waiting.json("queue", "list", "--limit", "3")
    assert len(facts["messages"]) == 3 and not facts["more"]
    assert [m["id"] for m in waiting.json("queue", "list", three, one, "--limit", "1")["messages"]] == [three]
    waiting.run("queue", "remove", "--all", "--limit", "1", check=0)
    assert listed(waiting) == {two, three}
    for wrong in ("0", "-1", "many", "1x", ""):
        assert waiting.run("queue", "list", "--limit", wrong).returncode == 64


def test_by_the_site_and_by_the_null_sender(waiting):
    one, two, three = waiting.ids
    null = waiting.submit("emil@four.example", HEAD, sender="")
    waiting.wait("deferred", 5)
    assert listed(waiting, "--sender", "<>") == {null}
    site = waiting.json("queue", "show", one)["messages"][0]["recipients"][0]["last"]["site"]
    assert listed(waiting, "--site", site) == {one, two, three, null}
    assert listed(waiting, "--site", "elsewhere") == set()


def test_what_names_a_recipient_is_done_to_it_alone(waiting):
    three = waiting.ids[2]
    waiting.run("queue", "remove", "--domain", "three.example", check=0)
    states = {r["address"]: r["state"] for r in waiting.json("queue", "show", three)["messages"][0]["recipients"]}
    assert states == {"carl@two.example": "pending", "dora@three.example": "final"}


def test_the_list_is_a_table_with_aligned_columns(waiting):
    lines = waiting.run("queue", check=0).stdout.decode().splitlines()
    assert lines[0].split() == ["ID", "STATE", "AGE", "SIZE", "NEXT", "ATTEMPT", "SENDER"]
    column = lines[0].index("SENDER")
    rows = [line for line in lines if line[:13] in waiting.ids]
    assert [row[column:] for row in rows] == ["box@house.example", "other@house.example", "box@house.example"]
    assert all(row[column - 2 : column] == "  " for row in rows)
    assert lines[-1] == "3 messages"


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
    (message,) = facts["messages"]
    (rcpt,) = message["recipients"]
    (event,) = message["events"]
    assert not facts["more"] and message["id"] == waiting.ids[0] and message["finished"] is None
    assert message["sender"] == "box@house.example" and message["client_ip"].startswith("127.")
    assert (rcpt["address"], rcpt["state"], rcpt["attempts"]) == ("anna@one.example", "pending", 1)
    assert event["recipient"] == "anna@one.example" and event["kind"] == "deferred" and event["code"] == 451
    assert "not today, friend" in event["text"] and message["event_count"] == message["rcpt_count"] == 1


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
    for wrong in ("not-an-id", "", "--limit=0"):
        assert waiting.run("why", wrong, "a@b.example").returncode == 64
    assert waiting.run("why", "not-an-id").returncode == 64
    waiting.stop()
    assert waiting.run("why", "not-an-id").returncode == 64
    assert waiting.run("why", "nobody@nowhere.example").returncode == 75


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


def test_finished_stories_are_remembered_as_long_as_the_history_says(postrider):
    house = postrider({"queue": {"history": "2s"}})
    old = house.submit("anna@house.example", HEAD)
    house.wait("removed", id=old)
    assert old in house.run("why", old, check=0).stdout.decode()
    ground.until("its story is forgotten", lambda: house.run("why", old).returncode == 66)
    assert b"queue.history" in house.run("why", old).stderr
    house.config["queue"]["history"] = "1h"
    house.stop()
    house.write()
    house.start()
    new = house.submit("anna@house.example", HEAD)
    house.wait("removed", id=new)
    facts = house.json("why", "anna@house.example")
    assert facts["messages"][0]["id"] == new and facts["messages"][0]["finished"]


def test_who_changed_the_queue_is_in_the_log(waiting):
    import os

    waiting.run("queue", "list", check=0)
    waiting.run("queue", "hold", "--domain", "two.example", check=0)
    event = waiting.wait("operator")
    assert (event["action"], event["user"], event["matched"], event["changed"]) == ("hold", os.getuid(), 2, 2)
    assert "two.example" in event["selector"] and len(waiting.seen("operator")) == 1
