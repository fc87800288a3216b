"""How urgent a message is (MT-PRIORITY, RFC 6710)."""
import smtplib

from house import ground
from house.mailbox import Maildir

MESSAGE = "Subject: now\r\n\r\nhello\r\n"


def test_who_may_submit_sets_a_priority_that_is_kept_shown_and_told_to_the_next_hop(postrider, hostile):
    trusted = ground.address()
    busy = hostile({"mail": "451 4.3.0 later"})
    house = postrider(
        {"networks": [f"{trusted}/32"], "transports": [{"match": "far.example", "to": f"smtp://{busy.address}"}]}
    )
    with house.client(source=ground.address()) as client:
        assert "MT-PRIORITY" not in client.hello().text
        client.expect(555, "MAIL FROM:<a@client.example> MT-PRIORITY=9")
    with smtplib.SMTP(house.address, house.port, source_address=(trusted, 0)) as client:
        client.ehlo()
        assert client.has_extn("mt-priority")
        assert client.docmd("MAIL FROM:<a@client.example> MT-PRIORITY=10")[0] == 501
        for to in ("box@house.example", "bob@far.example"):
            client.sendmail("a@house.example", [to], MESSAGE, mail_options=["MT-PRIORITY=-4"])
    assert b"priority -4;" in house.maildir("box").wait(1)[0]
    house.wait("deferred")
    house.kill()
    house.start()
    message = house.json("queue", "list")["messages"][0]
    assert message["priority"] == -4
    assert "priority -4" in house.run("why", message["id"], check=0).stdout.decode()


def test_the_next_hop_is_told_if_it_offers_it(postrider, tmp_path):
    mailboxes = {"mailboxes": f"maildir:{tmp_path}/{{domain}}/{{local}}/", "users": ["*"]}
    far = postrider({"hostname": "mx.far.example", "domains": {"far.example": mailboxes}})
    near = postrider({"transports": [{"match": "*", "to": f"smtp://{far.address}:{far.port}"}]})
    with smtplib.SMTP(near.address, near.port) as client:
        client.sendmail("a@house.example", ["box@far.example"], MESSAGE, mail_options=["MT-PRIORITY=7"])
    received = Maildir(tmp_path / "far.example" / "box").wait(1)[0]
    assert received.count(b"priority 7;") == 2
