"""The time by which a sender wants a message delivered (DELIVERBY, RFC 2852)."""
import re
import smtplib
import time

from house import ground
from house.mailbox import Maildir

MESSAGE = "Subject: in time\r\n\r\nhello\r\n"
OFFERED = ("PIPELINING", "8BITMIME", "SIZE", "DSN", "DELIVERBY")


def towards(postrider, address, **config):
    return postrider({"transports": [{"match": "far.example", "to": f"smtp://{address}"}], **config})


def send(house, *options):
    with smtplib.SMTP(house.address, house.port) as client:
        client.sendmail("me@house.example", ["you@far.example"], MESSAGE, mail_options=options)


def actions(report):
    return re.findall(rb" Action: (\w+)", report)


def one_report(house):
    """Its lines put together: they are folded anywhere."""
    return b" ".join(house.maildir("me").one().split())


def told(house):
    """The time that the next server was told, in seconds."""
    return int(re.search(r"BY=(-?\d+);", house.mail[0].parameters[0]).group(1))


def test_it_is_offered_and_what_makes_no_sense_is_refused(postrider):
    house = postrider({"limits": {"deliver_by": "60s"}})
    with smtplib.SMTP(house.address, house.port) as client:
        client.ehlo()
        assert client.esmtp_features["deliverby"] == "60"
        for wrong, code in (
            ("BY=60", 501),
            ("BY=soon;R", 501),
            ("BY=0;R", 501),
            ("BY=-1;R", 501),
            ("BY=1000000000;N", 501),
            ("BY=60;X", 501),
            ("BY=60;R BY=60;R", 501),
            ("BY=59;R", 555),
            ("HOLDFOR=60 BY=60;R", 501),
            ("HOLDFOR=1 BY=-1;N", 501),
        ):
            answer = client.docmd(f"MAIL FROM:<me@house.example> {wrong}")
            assert (answer[0], answer[1][:5]) == (code, b"5.5.4"), (wrong, answer)
        for right in ("BY=60;R", "BY=999999999;rt", "BY=1;N", "BY=-999999999;NT", "HOLDFOR=59 BY=60;R"):
            assert client.docmd(f"MAIL FROM:<me@house.example> {right}")[0] == 250, right
            client.rset()


def test_strangers_may_say_it_too_unless_it_is_switched_off(postrider):
    with postrider({"networks": []}).client(source=ground.address()) as client:
        assert "\nDELIVERBY\n" in client.hello().text
        client.expect(250, "MAIL FROM:<a@client.example> BY=1;R")
    with postrider({"limits": {"deliver_by": "0s"}}).client() as client:
        assert "DELIVERBY" not in client.hello().text
        client.expect(555, "MAIL FROM:<a@client.example> BY=1;R")


def test_what_cannot_be_delivered_in_time_comes_back_then_whatever_happens_between(postrider):
    house = towards(postrider, f"{ground.address()}:9", queue={"retry": ["1h"]})
    before = time.time()
    send(house, "BY=3;R")
    house.wait("deferred")
    shown = house.json("queue", "list")["messages"][0]["deliver_by"]
    assert shown["else"] == "return" and not shown["trace"]
    house.kill()
    house.start()
    message = house.json("queue", "list")["messages"][0]
    assert message["deliver_by"] == shown and message["give_up"] == shown["until"] and not message["next"]
    words = house.run("queue", "list", check=0).stdout.decode()
    assert f"wanted by {shown['until']}, else returned" in words
    assert "or returned" in house.run("why", message["id"], check=0).stdout.decode()
    report = one_report(house)
    assert 2.9 < time.time() - before < 8
    assert actions(report) == [b"failed"] and b" Status: 5.4.7 " in report
    assert b" Deliver-By-Date: " in report and b"It was to be delivered by " in report
    house.wait("removed", 2)  # the report, and the message
    assert "the time that its sender set is over" in house.run("why", message["id"], check=0).stdout.decode()


def test_who_wants_to_be_told_of_a_delay_is_told_once_and_the_next_server_how_late_it_is(postrider, hostile):
    far = hostile({"mail": ["451 4.3.0 later"]}, keywords=OFFERED)
    house = towards(postrider, far.address, queue={"retry": ["1h"], "delay_notice": "0s"})
    send(house, "BY=1;N")
    message = house.wait("notified")["id"]
    report = one_report(house)
    assert actions(report) == [b"delayed"] and b" Deliver-By-Date: " in report
    assert "else its sender is told" in house.run("queue", "list", check=0).stdout.decode()
    house.run("queue", "retry", message, check=0)
    far.wait()
    house.wait("removed", 2)  # the report, and the message
    assert told(far) < 0 and ";N" in far.mail[0].parameters[0]
    assert house.maildir("me").count() == 1


def test_the_next_server_is_told_what_is_left_and_the_sender_where_it_went_if_he_asked(postrider, hostile):
    far = hostile(keywords=OFFERED)
    house = towards(postrider, far.address)
    send(house, "BY=600;RT")
    report = one_report(house)
    assert actions(report) == [b"relayed"] and b"was told the time that you set" in report
    assert 590 < told(far) < 600 and ";RT" in far.mail[0].parameters[0]


def test_a_server_that_knows_nothing_of_it_gets_only_what_need_not_come_back(postrider, hostile):
    far = hostile(keywords=("PIPELINING", "DSN"))
    house = towards(postrider, far.address)
    send(house, "BY=600;R")
    report = one_report(house)
    assert actions(report) == [b"failed"] and b" Status: 5.4.7 " in report and b"does not promise that" in report
    assert not far.count("mail")
    send(house, "BY=600;N")
    reports = [b" ".join(m.split()) for m in house.maildir("me").wait(2)]
    assert sorted(actions(b"".join(reports))) == [b"failed", b"relayed"]
    assert any(b"knows nothing of the time" in r for r in reports)
    assert "BY=" not in str(far.mail[0].parameters)


def test_a_server_that_wants_more_time_than_is_left_gets_nothing(postrider, hostile):
    far = hostile(keywords=("DELIVERBY 3600",))
    house = towards(postrider, far.address)
    send(house, "BY=600;R")
    report = one_report(house)
    assert b" Status: 5.4.7 " in report and b"takes none with less than 3600 s" in report
    assert not far.count("mail")


def test_two_of_us_keep_to_it_on_the_way(postrider, tmp_path):
    mailboxes = {"mailboxes": f"maildir:{tmp_path}/{{domain}}/{{local}}/", "users": ["*"]}
    far = postrider({"hostname": "mx.far.example", "domains": {"far.example": mailboxes}})
    near = towards(postrider, f"{far.address}:{far.port}")
    send(near, "BY=600;R")
    assert Maildir(tmp_path / "far.example" / "you").wait(1)
    message = far.wait("removed")["id"]
    words = far.run("why", message, check=0).stdout.decode()
    assert "to be delivered by " in words and " or returned" in words
    near.wait("removed")
    assert not near.maildir("me").count()
