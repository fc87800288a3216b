"""A next hop that is down, refuses, is slow, or dies: nothing is lost, nothing comes twice."""
import pytest

HEAD = b"Subject: x\r\n\r\nhello\r\n"


def towards(postrider, server, **config):
    return postrider({"transports": [{"match": "far.example", "to": f"smtp://{server.address}"}],
                      "queue": {"retry": ["100ms"], **config.pop("queue", {})}, **config})


@pytest.mark.parametrize("phase", ["greeting", "ehlo", "mail", "rcpt", "data", "body"])
def test_a_server_that_dies_gets_it_at_the_next_attempt_once(postrider, hostile, phase):
    server = hostile({phase: ["DIE"]})
    house = towards(postrider, server)
    house.submit("you@far.example", HEAD)
    server.wait()
    house.wait("removed")
    assert len(server.mail) == 1


def test_a_server_that_dies_after_the_final_dot_may_get_it_twice(postrider, hostile):
    server = hostile({"end": ["DIE"]})
    house = towards(postrider, server)
    house.submit("you@far.example", HEAD)
    house.wait("removed")
    assert 1 <= len(server.mail) <= 2


@pytest.mark.parametrize("phase", ["mail", "rcpt", "data", "end"])
def test_a_permanent_refusal_bounces_at_once(postrider, hostile, phase):
    server = hostile({phase: "550 5.7.1 go away, you"})
    house = towards(postrider, server)
    house.submit("you@far.example", HEAD, sender="me@house.example")
    bounce = house.maildir("me").one()
    assert b"550 5.7.1 go away, you" in bounce and b"Action: failed" in bounce
    house.wait("removed", count=2)
    assert house.maildir("me").count() == 1


@pytest.mark.parametrize("phase", ["mail", "rcpt", "data", "end"])
def test_a_temporary_refusal_is_tried_again(postrider, hostile, phase):
    server = hostile({phase: ["451 4.7.1 not now"]})
    house = towards(postrider, server)
    house.submit("you@far.example", HEAD)
    server.wait()
    house.wait("removed")
    assert len(server.mail) == 1


def test_each_recipient_has_an_outcome_of_its_own(postrider, hostile):
    def script(session, phase, argument):
        return "550 5.1.1 no such user" if phase == "rcpt" and "nobody" in argument else None

    server = hostile(script)
    house = towards(postrider, server)
    house.submit(["you@far.example", "nobody@far.example"], HEAD, sender="me@house.example")
    server.wait()
    bounce = house.maildir("me").one()
    assert b"nobody@far.example" in bounce and b"rfc822; you@far.example" not in bounce


def test_what_cannot_be_delivered_in_time_comes_back(postrider, hostile):
    server = hostile({"mail": "451 4.3.0 never"})
    house = towards(postrider, server, queue={"expire": "600ms", "delay_notice": "200ms"})
    house.submit("you@far.example", HEAD, sender="me@house.example")
    house.wait("expired")
    house.maildir("me").wait(2)
    texts = house.maildir("me").messages()
    assert any(b"Action: delayed" in t for t in texts) and any(b"Action: failed" in t for t in texts)


def test_no_bounce_of_a_bounce(postrider, hostile):
    server = hostile({"rcpt": "550 5.1.1 no"})
    house = towards(postrider, server)
    house.submit("you@far.example", HEAD, sender="")
    house.wait("removed")
    assert len(house.seen("queued")) == 1


def test_a_server_that_is_no_smtp_is_left(postrider, hostile):
    server = hostile({"greeting": [b"HTTP/1.1 400 Bad Request\r\n\r\n"]})
    house = towards(postrider, server)
    house.submit("you@far.example", HEAD)
    server.wait()


def test_the_queue_is_there_after_a_restart(postrider, hostile):
    server = hostile({"mail": ["451 4.3.0 later"] * 2})
    house = towards(postrider, server, queue={"retry": ["400ms"]})
    house.submit("you@far.example", HEAD)
    house.wait("deferred")
    house.stop()
    house.start()
    server.wait()
    house.wait("removed")
    assert len(server.mail) == 1
