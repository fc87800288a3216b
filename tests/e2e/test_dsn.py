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
