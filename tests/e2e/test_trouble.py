"""More trouble at the next hop: down, slow, dying in each phase; what is tried when; who is told."""
import email
import re

import pytest

from house import ground

HEAD = b"Subject: x\r\n\r\nhello\r\n"
SHORT = {name: "700ms" for name in ("connect", "greeting", "helo", "mail", "rcpt", "data_init", "data_block", "data_done", "quit")}


def towards(postrider, *servers, **config):
    transports = [{"match": "*", "to": f"smtp://{s.address}:{s.port}"} for s in servers[:1]]
    queue = {"retry": ["200ms"], **config.pop("queue", {})}
    return postrider({"transports": transports, "queue": queue, **config})


def mx(dns, *servers):
    zone = "".join(f"@ MX {10 * (n + 1)} m{n}\nm{n} A {s}\n" for n, s in enumerate(servers))
    return {"dns": {"servers": [dns({"far.example": zone})]}}


@pytest.mark.parametrize("action", ["DIE", "RESET"])
@pytest.mark.parametrize("phase", ["connect", "ehlo", "mail", "rcpt", "data", "body"])
def test_dying_before_the_final_dot_loses_and_doubles_nothing(postrider, hostile, phase, action):
    server = hostile({phase: [action, action]})
    house = towards(postrider, server)
    queue_id = house.submit("you@far.example", HEAD)
    server.wait()
    house.wait("removed", id=queue_id)
    assert len(server.mail) == 1 and len(house.seen("deferred")) >= 1


@pytest.mark.parametrize("phase", ["connect", "ehlo", "mail", "rcpt", "data", "end"])
def test_silence_is_ended_by_the_time_out_of_its_phase(postrider, hostile, phase):
    server = hostile({phase: ["STALL"]})
    house = towards(postrider, server, deliver={"timeouts": SHORT})
    queue_id = house.submit("you@far.example", HEAD)
    event = house.wait("deferred")
    assert event["status"] in ("4.4.2", "4.4.1"), event
    house.wait("removed", id=queue_id)
    assert len(server.mail) == 1


def test_a_slow_server_is_waited_for(postrider, hostile):
    server = hostile({phase: 0.4 for phase in ("connect", "ehlo", "mail", "rcpt", "data", "end")})
    house = towards(postrider, server)
    house.submit("you@far.example", HEAD)
    server.wait()
    house.wait("relayed")
    assert not house.seen("deferred")


def test_a_server_that_is_down_gets_it_when_it_is_up(postrider, hostile, port):
    address = ground.address()
    house = postrider({"transports": [{"match": "*", "to": f"smtp://{address}"}], "queue": {"retry": ["200ms"]}})
    house.submit("you@far.example", HEAD)
    assert house.wait("deferred")["status"] in ("4.4.1", "4.4.2")
    hostile(address=address).wait()


@pytest.mark.parametrize("phase", ["connect", "ehlo", "mail"])
@pytest.mark.parametrize("action", ["421 4.3.2 busy", "DIE"])
def test_the_next_mx_is_tried_at_once_when_the_first_takes_nobody(postrider, hostile, dns, phase, action):
    first, second = hostile({phase: action}), hostile()
    house = postrider({**mx(dns, first.address, second.address), "queue": {"retry": ["1h"]}})
    house.submit("you@far.example", HEAD)
    second.wait()
    house.wait("relayed")
    assert not first.mail


def test_a_permanent_refusal_is_not_carried_to_the_next_mx(postrider, hostile, dns):
    first, second = hostile({"rcpt": "550 5.1.1 no such user"}), hostile()
    house = postrider({**mx(dns, first.address, second.address)})
    house.submit("you@far.example", HEAD, sender="box@house.example")
    assert b"5.1.1" in house.maildir("box").one()
    assert not second.sessions


@pytest.mark.parametrize(
    "reply, status",
    [
        ("550 no such user", "5."),
        ("550 5.7.1 go\r\n", "5.7.1"),
        ("550-5.2.2 the mailbox\r\n550 5.2.2 is full", "5.2.2"),
        ("554 4.4.4 wrong class", "5."),
    ],
)
def test_the_status_is_taken_from_the_reply_where_it_fits(postrider, hostile, reply, status):
    server = hostile({"rcpt": reply})
    house = towards(postrider, server)
    house.submit("you@far.example", HEAD, sender="box@house.example")
    report = email.message_from_bytes(house.maildir("box").one())
    text = report.get_payload()[1].as_string()
    assert f"Status: {status}" in text, text


@pytest.mark.parametrize(
    "reply",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"250\r\n" * 3 + b"999 x\r\n", b"\xff\xfe\0\0\r\n", b"2" * 100000 + b"\r\n", b"220-x\r\n" * 5000],
    ids=["http", "999", "binary", "long line", "endless"],
)
def test_what_is_no_smtp_ends_the_session_and_nothing_else(postrider, hostile, reply):
    server = hostile({"connect": [reply]})
    house = towards(postrider, server, deliver={"timeouts": SHORT})
    house.submit("you@far.example", HEAD)
    server.wait()


def test_some_recipients_taken_some_refused_some_later(postrider, hostile):
    later = ["451 4.2.1 not now"]

    def script(session, phase, argument):
        if phase == "rcpt" and argument.startswith("gone"):
            return "550 5.1.1 gone"
        if phase == "rcpt" and argument.startswith("later") and later:
            return later.pop()
        return None

    server = hostile(script)
    house = towards(postrider, server)
    house.submit(["fine@far.example", "gone@far.example", "later@far.example"], HEAD, sender="box@house.example")
    mails = server.wait(2)
    assert [m.recipients for m in mails] == [["fine@far.example"], ["later@far.example"]]
    bounce = house.maildir("box").one()
    assert bounce.count(b"Final-Recipient:") == 1 and b"gone@far.example" in bounce


def test_too_many_recipients_go_in_several_transactions(postrider, hostile):
    def script(session, phase, argument):
        return "452 4.5.3 too many" if phase == "rcpt" and len(session.recipients) >= 3 else None

    server = hostile(script)
    house = towards(postrider, server)
    names = [f"box{n}@far.example" for n in range(8)]
    house.submit(names, HEAD)
    house.wait("relayed", 8)
    assert sorted(r for m in server.mail for r in m.recipients) == sorted(names)


def test_limits_told_by_the_server_are_kept(postrider, hostile):
    server = hostile(keywords=["PIPELINING", "LIMITS RCPTMAX=2 MAILMAX=2"])
    house = towards(postrider, server)
    house.submit([f"box{n}@far.example" for n in range(7)], HEAD)
    house.wait("relayed", 7)
    assert max(len(m.recipients) for m in server.mail) <= 2
    assert len(server.sessions) >= 2


def test_lmtp_answers_count_for_each_recipient(postrider, hostile):
    def script(session, phase, argument):
        return "552 5.2.2 full" if phase == "end" and argument.startswith("full") else None

    server = hostile(script)
    server.lmtp = True
    house = postrider({"transports": [{"match": "far.example", "to": f"lmtp://{server.address}:{server.port}"}]})
    house.submit(["fine@far.example", "full@far.example"], HEAD, sender="box@house.example")
    bounce = house.maildir("box").one()
    assert b"full@far.example" in bounce and b"Status: 5.2.2" in bounce
    assert server.mail[0].recipients == ["fine@far.example"]


def test_mail_does_not_wait_behind_a_slow_site(postrider, hostile):
    slow, quick = hostile({"connect": "STALL"}), hostile()
    house = postrider({"transports": [{"match": "slow.example", "to": f"smtp://{slow.address}"},
                                      {"match": "*", "to": f"smtp://{quick.address}"}]})
    for n in range(30):
        house.submit(f"box{n}@slow.example", HEAD)
    house.submit("you@quick.example", HEAD)
    quick.wait(patience=5)


def test_the_delay_notice_comes_once_and_then_the_bounce(postrider, hostile):
    server = hostile({"mail": "451 4.3.0 never"})
    house = towards(postrider, server, queue={"expire": "3s", "delay_notice": "300ms"})
    house.submit("you@far.example", HEAD, sender="box@house.example")
    house.wait("expired")
    ground.until("both reports", lambda: house.maildir("box").count() >= 2)
    actions = [re.findall(rb"^Action: (\w+)", m, re.M) for m in house.maildir("box").messages()]
    assert actions == [[b"delayed"], [b"failed"]]
    notice = house.maildir("box").messages()[0]
    assert b"Will-Retry-Until: " in notice and b"451 4.3.0 never" in notice


@pytest.mark.parametrize("notify, told", [("NEVER", []), ("FAILURE", [b"failed"]), ("DELAY", [b"delayed"]), ("SUCCESS", [])])
def test_notify_is_honoured_for_delays_and_failures(postrider, hostile, notify, told):
    server = hostile({"mail": "451 4.3.0 never"})
    house = towards(postrider, server, queue={"expire": "1500ms", "delay_notice": "200ms"})
    with house.client() as client:
        client.hello()
        client.expect(250, "MAIL FROM:<box@house.example>")
        client.expect(250, f"RCPT TO:<you@far.example> NOTIFY={notify}")
        assert client.data(HEAD).code == 250
    house.wait("removed")
    ground.until("reports", lambda: house.maildir("box").count() >= len(told))
    actions = [re.findall(rb"^Action: (\w+)", m, re.M)[0] for m in house.maildir("box").messages()]
    assert actions == told


def test_a_bounce_that_cannot_be_bounced_goes_to_postmaster_if_there_is_one(postrider, hostile):
    server = hostile({"rcpt": "550 5.1.1 gone"})
    house = towards(postrider, server, queue={"bounce_postmaster": "chief@house.example"})
    house.submit("you@far.example", HEAD, sender="")
    report = house.maildir("chief").one()
    assert b"Return-Path: <>" in report and b"you@far.example" in report


def test_a_bounce_of_a_refused_sender_ends_there(postrider, hostile):
    """The bounce itself is refused too: nothing more is made of it."""
    server = hostile({"rcpt": "550 5.1.1 gone"})
    house = towards(postrider, server)
    house.submit("you@far.example", HEAD, sender="me@other.example")
    house.wait("bounced", 2)
    house.wait("removed", 2)
    assert server.count("mail") == 2


def test_a_retry_by_hand_does_not_wait(postrider, hostile):
    server = hostile({"mail": ["451 4.3.0 later"]})
    house = towards(postrider, server, queue={"retry": ["1h"]})
    house.submit("you@far.example", HEAD)
    house.wait("deferred")
    house.run("queue", "retry", "--domain", "far.example", check=0)
    server.wait()
