"""Listeners: LMTP (RFC 2033), submission, IPv6, several at once."""
from house import ground
from house.smtp_client import Client

HEAD = b"Subject: x\r\n\r\nhello\r\n"
STRANGER = "127.9.9.9"


def listening(postrider, mode, address=None, port=None, **config):
    at = address or ground.address()
    port = port or ground.port_everywhere()
    house = postrider({"listen": [{"address": f"[{at}]:{port}" if ":" in at else f"{at}:{port}", "mode": mode}], **config})
    return house, at, port


def test_lmtp_answers_for_each_recipient(postrider):
    house, at, port = listening(postrider, "lmtp")
    with Client(at, port) as client:
        client.expect(220)
        assert client.ask("EHLO client.example").code == 500
        assert "PIPELINING" in client.expect(250, "LHLO client.example").text
        client.expect(250, "MAIL FROM:<a@b.example>")
        client.expect(250, "RCPT TO:<one@house.example>")
        client.expect(250, "RCPT TO:<two@house.example>")
        client.expect(501, "RCPT TO:<bad>")
        assert client.data(HEAD).code == 250
        assert client.reply().code == 250
        client.expect(250, "NOOP")
    for box in ("one", "two"):
        assert b"with LMTP id" in house.maildir(box).one()


def test_lmtp_at_a_local_socket(postrider, tmp_path):
    import socket

    path = tmp_path / "lmtp.sock"
    house = postrider({"listen": [{"address": f"unix:{path}", "mode": "lmtp"}]})
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(ground.PATIENCE)
        s.connect(str(path))
        talk = s.makefile("rwb", buffering=0)
        assert talk.readline().startswith(b"220")
        talk.write(b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<box@house.example>\r\nDATA\r\n")
        while not (line := talk.readline()).startswith(b"354"):
            assert line.startswith(b"250"), line
        talk.write(HEAD + b".\r\nQUIT\r\n")
        assert talk.readline().startswith(b"250")
        assert talk.readline().startswith(b"221")
    house.maildir("box").one()


def test_submission_is_for_own_networks_only(postrider):
    house, at, port = listening(postrider, "submission", networks=["127.0.0.1"])
    with Client(at, port, source=STRANGER) as client:
        client.hello()
        reply = client.expect(550, "MAIL FROM:<a@b.example>")
        assert reply.status == "5.7.1"
    with Client(at, port) as client:
        client.hello()
        client.envelope("a@b.example", "box@house.example")
        assert client.data(b"Bcc: x@y.example\r\n" + HEAD).code == 250
    message = house.maildir("box").one()
    assert b"\nDate: " in message and b"\nMessage-ID: <" in message and b"Bcc" not in message


def test_what_strangers_send_is_not_changed(postrider):
    house = postrider({"networks": ["192.0.2.0/24"]})
    house.submit("box@house.example", b"Bcc: x@y.example\r\n" + HEAD)
    message = house.maildir("box").one()
    assert b"Bcc: x@y.example" in message
    assert b"\nDate: " not in message and b"\nMessage-ID: " not in message


def test_ipv6_clients(postrider):
    house, at, port = listening(postrider, "mx", address="::1", networks=["::1"])
    with Client(at, port) as client:
        client.hello("[IPv6:::1]")
        client.envelope("a@b.example", "box@house.example")
        assert client.data(HEAD).code == 250
    assert b"Received: from [IPv6:::1] (unverified [IPv6:::1])" in house.maildir("box").one()


def test_several_listeners_and_loops(postrider):
    addresses = [ground.address() for _ in range(3)]
    port = ground.port_everywhere()
    house = postrider({"listen": [{"address": f"{a}:{port}"} for a in addresses], "loops": 3})
    for address in addresses * 4:
        with Client(address, port) as client:
            client.hello()
            client.envelope("a@b.example", "box@house.example")
            assert client.data(HEAD).code == 250
    house.maildir("box").wait(12)


def test_an_address_in_use_is_said_and_ends_it(postrider):
    house = postrider()
    second = postrider(start=False, address=house.address)
    done = second.run("serve", "-c", second.file)
    assert done.returncode == 75 and str(house.port).encode() in done.stderr
