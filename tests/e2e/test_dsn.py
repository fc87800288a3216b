"""Reports: RFC 3461, 3462, 3464."""
import email

import pytest

HEAD = b"Subject: my subject\r\n\r\nmy body\r\n"


def send(house, parameters="", rcpt_parameters="", to="you@far.example", sender="me@house.example"):
    with house.client() as client:
        client.hello()
        client.expect(250, f"MAIL FROM:<{sender}>{parameters}")
        client.expect(250, f"RCPT TO:<{to}>{rcpt_parameters}")
        assert client.data(HEAD).code == 250


@pytest.fixture
def refusing(postrider, hostile):
    server = hostile({"rcpt": "550 5.1.1 no such user"})
    return postrider({"transports": [{"match": "far.example", "to": f"smtp://{server.address}"}]})


def test_a_bounce_is_a_multipart_report(refusing):
    send(refusing, " RET=HDRS ENVID=ab+2Bc", " ORCPT=rfc822;Orig+40x.example")
    raw = refusing.maildir("me").one()
    report = email.message_from_bytes(raw)
    assert report.get_content_type() == "multipart/report"
    assert report.get_param("report-type") == "delivery-status"
    human, machine, returned = report.get_payload()
    assert human.get_content_type() == "text/plain"
    assert machine.get_content_type() == "message/delivery-status"
    text = machine.as_string()
    for field in ("Original-Envelope-Id: ab+c", "Reporting-MTA: dns; mx.house.example",
                  "Final-Recipient: rfc822; you@far.example", "Action: failed", "Status: 5.1.1",
                  "Diagnostic-Code: smtp; 550 5.1.1 no such user", "Original-Recipient: rfc822;"):
        assert field in text, (field, text)
    assert returned.get_content_type() == "text/rfc822-headers"
    assert b"my body" not in raw
    assert b"Return-Path: <>" in raw


def test_ret_full_returns_the_body(refusing):
    send(refusing, " RET=FULL")
    assert b"my body" in refusing.maildir("me").one()


def test_notify_never_means_never(refusing):
    send(refusing, "", " NOTIFY=NEVER")
    refusing.wait("removed")
    assert not refusing.maildir("me").messages()
    assert len(refusing.seen("queued")) == 1


def test_success_is_told_where_asked(house):
    send(house, "", " NOTIFY=SUCCESS", to="you@house.example")
    assert b"Action: delivered" in house.maildir("me").one()


def test_relayed_is_told_where_the_next_server_has_no_dsn(postrider, hostile):
    server = hostile(keywords=("PIPELINING",))
    house = postrider({"transports": [{"match": "far.example", "to": f"smtp://{server.address}"}]})
    send(house, "", " NOTIFY=SUCCESS")
    assert b"Action: relayed" in house.maildir("me").one()


def test_dsn_parameters_are_passed_on(postrider, hostile):
    server = hostile(keywords=("PIPELINING", "DSN"))
    house = postrider({"transports": [{"match": "far.example", "to": f"smtp://{server.address}"}]})
    send(house, " RET=HDRS ENVID=abc", " NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;x@y.example")
    server.wait()
    words = str(server.mail[0].parameters) + str(server.visits)
    for word in ("RET=HDRS", "ENVID=abc", "NOTIFY=", "ORCPT=rfc822;x@y.example"):
        assert word in words, words
    house.wait("removed")
    assert not house.maildir("me").messages()


def parts(message):
    """A report's fields: those of the message, and a list of each recipient's."""
    report = email.message_from_bytes(message)
    assert report.get_content_type() == "multipart/report" and report["Auto-Submitted"] == "auto-replied"
    blocks = report.get_payload()[1].get_payload()
    return blocks[0], blocks[1:]


def test_a_report_has_the_fields_of_rfc_3464(refusing):
    send(refusing, " ENVID=QQ314159", " ORCPT=rfc822;you@far.example")
    message, (rcpt,) = parts(refusing.maildir("me").one())
    assert message["Reporting-MTA"].replace(" ", "") == "dns;mx.house.example"
    assert message["Original-Envelope-Id"] == "QQ314159"
    assert message["Arrival-Date"]
    assert rcpt["Action"] == "failed" and rcpt["Status"] == "5.1.1"
    assert rcpt["Final-Recipient"].replace(" ", "") == "rfc822;you@far.example"
    assert rcpt["Original-Recipient"].replace(" ", "") == "rfc822;you@far.example"
    assert rcpt["Remote-MTA"].startswith("dns;")
    assert rcpt["Last-Attempt-Date"]


def test_a_report_to_a_person_is_a_proper_message(refusing):
    send(refusing)
    message = email.message_from_bytes(refusing.maildir("me").one())
    assert message["To"] == "me@house.example" or message["To"] == "<me@house.example>"
    assert message["From"] and message["Subject"] and message["Date"] and message["Message-ID"]
    human = message.get_payload()[0].get_payload(decode=True).decode()
    assert "you@far.example" in human and "550 5.1.1 no such user" in human and "http" not in human


def test_each_refused_recipient_has_a_block_in_one_report(refusing):
    with refusing.client() as client:
        client.hello()
        client.envelope("me@house.example", *(f"you{n}@far.example" for n in range(4)))
        assert client.data(HEAD).code == 250
    _, rcpts = parts(refusing.maildir("me").one())
    assert sorted(r["Final-Recipient"].split(";")[1].strip() for r in rcpts) == [f"you{n}@far.example" for n in range(4)]


def test_ret_decides_what_is_returned_of_a_large_message(refusing):
    body = b"Subject: large\r\n\r\n" + b"line of words\r\n" * 20000
    with refusing.client() as client:
        client.hello()
        client.expect(250, "MAIL FROM:<me@house.example> RET=FULL")
        client.expect(250, "RCPT TO:<you@far.example>")
        assert client.data(body).code == 250
    returned = email.message_from_bytes(refusing.maildir("me").one()).get_payload()[2]
    assert returned.get_content_type() == "message/rfc822"
    assert returned.get_payload()[0].get_payload().count("line of words") == 20000


def test_an_8bit_message_comes_back_unharmed(refusing):
    body = "Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGrüße\r\n".encode()
    with refusing.client() as client:
        client.hello()
        client.expect(250, "MAIL FROM:<me@house.example> RET=FULL BODY=8BITMIME")
        client.expect(250, "RCPT TO:<you@far.example>")
        assert client.data(body).code == 250
    assert "Grüße".encode() in refusing.maildir("me").one()


def test_a_header_cannot_break_out_of_its_part(refusing):
    """The message holds what might be the boundary's end, and a report of its own."""
    evil = b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n--b--\r\n--\r\n\r\nFinal-Recipient: rfc822; x@y\r\n"
    with refusing.client() as client:
        client.hello()
        client.expect(250, "MAIL FROM:<me@house.example> RET=FULL")
        client.expect(250, "RCPT TO:<you@far.example>")
        assert client.data(evil).code == 250
    _, rcpts = parts(refusing.maildir("me").one())
    assert len(rcpts) == 1


def test_a_list_with_success_asked_for_is_told_as_expanded(postrider, tmp_path):
    (tmp_path / "aliases").write_text("list: anna, me\n")
    house = postrider({"domains": {"house.example": {"users": ["anna", "me"], "aliases": str(tmp_path / "aliases")}}})
    send(house, "", " NOTIFY=SUCCESS", to="list@house.example")
    reports = house.maildir("me").wait(2)
    texts = [m for m in reports if b"multipart/report" in m]
    assert len(texts) == 1 and b"Action: expanded" in texts[0]


def test_success_by_a_server_with_dsn_is_that_servers_to_tell(postrider, hostile):
    server = hostile(keywords=("PIPELINING", "DSN"))
    house = postrider({"transports": [{"match": "far.example", "to": f"smtp://{server.address}"}]})
    send(house, " ENVID=e1", " NOTIFY=SUCCESS")
    house.wait("removed")
    assert house.maildir("me").count() == 0
    assert "NOTIFY=SUCCESS" in str(server.mail[0].parameters)


def test_an_international_recipient_is_told_in_utf_8(postrider, hostile):
    server = hostile({"rcpt": "550 5.1.1 no such user"}, keywords=["PIPELINING", "8BITMIME", "SMTPUTF8"])
    house = postrider({"transports": [{"match": "far.example", "to": f"smtp://{server.address}"}]})
    with house.client() as client:
        client.hello()
        client.expect(250, "MAIL FROM:<me@house.example> SMTPUTF8")
        client.expect(250, "RCPT TO:<jürgen@far.example>")
        assert client.data(HEAD).code == 250
    report = house.maildir("me").one()
    assert b"message/global-delivery-status" in report and b"utf-8; " in report.lower().replace(b"utf-8;", b"utf-8; ")
