"""Mail that its sender holds back for a while (FUTURERELEASE, RFC 4865)."""
import datetime
import smtplib

from house import ground

MESSAGE = "Subject: later\r\n\r\nhello\r\n"


def stamp(seconds):
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return then.strftime("%Y-%m-%dT%H:%M:%SZ")


def send(house, *options):
    with smtplib.SMTP(house.address, house.port) as client:
        client.sendmail("sender@house.example", ["box@house.example"], MESSAGE, mail_options=options)


def test_it_is_offered_with_its_limits_and_only_to_those_who_may_submit(postrider):
    trusted = ground.address()
    house = postrider({"networks": [f"{trusted}/32"]})
    with house.client(source=trusted) as client:
        assert "FUTURERELEASE 2592000 " in client.hello().text
    with house.client(source=ground.address()) as client:
        assert "FUTURERELEASE" not in client.hello().text
        client.expect(555, "MAIL FROM:<a@client.example> HOLDFOR=1")


def test_what_is_wrong_is_refused_with_the_codes_of_the_rfc(postrider):
    house = postrider({"limits": {"future_release": "1d"}})
    with smtplib.SMTP(house.address, house.port) as client:
        client.ehlo()
        longest, last = client.esmtp_features["futurerelease"].split()
        assert longest == "86400"
        ahead = datetime.datetime.strptime(last, "%Y-%m-%dT%H:%M:%SZ") - datetime.datetime.utcnow()
        assert 86300 < ahead.total_seconds() <= 86401
        for wrong in (
            "HOLDFOR=86401",
            "HOLDFOR=0",
            "HOLDFOR=soon",
            f"HOLDUNTIL={stamp(86500)}",
            f"HOLDUNTIL={stamp(-5)}",
            "HOLDUNTIL=tomorrow",
            f"HOLDFOR=5 HOLDUNTIL={stamp(5)}",
        ):
            code, text = client.docmd(f"MAIL FROM:<sender@house.example> {wrong}")
            assert (code, text[:5]) == (501, b"5.5.4"), (wrong, code, text)
        for right in ("HOLDFOR=86400", f"HOLDUNTIL={stamp(86000)}"):
            assert client.docmd(f"MAIL FROM:<sender@house.example> {right}")[0] == 250
            client.rset()


def test_it_comes_when_its_time_comes(postrider):
    house = postrider({})
    send(house, "HOLDFOR=2")
    send(house, f"HOLDUNTIL={stamp(3)}")
    for message in house.json("queue", "list")["messages"]:
        assert message["waits"]["for"] == "release"
        assert message["waits"]["until"] == message["next"]
    assert not house.maildir("box").messages()
    assert len(house.maildir("box").wait(2)) == 2


def test_what_waits_is_shown_and_survives_a_restart_until_an_operator_sends_it(postrider):
    house = postrider({})
    send(house, "HOLDFOR=3600")
    house.kill()
    house.start()
    message = house.json("queue", "list")["messages"][0]
    assert message["waits"]["for"] == "release" and message["next"] == message["waits"]["until"]
    assert message["next"] in house.run("queue", "list", check=0).stdout.decode()
    why = house.run("why", message["id"], check=0).stdout.decode()
    assert "Now it waits until " in why and "as its sender asked" in why
    assert not house.seen("delivered")
    house.run("queue", "retry", message["id"], check=0)
    assert len(house.maildir("box").wait(1)) == 1
