"""The client tells who it is and can lie; the server finds out (RFC 5321 4.4)."""
import pytest

from house import ground
from house.dns import OddDns, question, respond
from house.mailbox import fields

MESSAGE = b"Subject: x\r\n\r\nhello\r\n"


@pytest.fixture
def client_at(postrider, dns):
    """A Postrider that finds in the DNS: `source` has the name of its PTR record `reverse`, and
    mail.client.example the address `forward`. Strangers are judged, so no network is our own."""

    def make(source, reverse="mail.client.example.", forward=None, **policy):
        _, b, c, d = source.split(".")
        zones = {
            "client.example": f"mail A {forward or source}\nother A 192.0.2.77\n",
            "127.in-addr.arpa": f"{d}.{c}.{b} PTR {reverse}\n" if reverse else "1 TXT nothing\n",
            "liar.example": "@ A 192.0.2.66\n",
        }
        return postrider(
            {"dns": {"servers": [dns(zones)]}, "networks": ["192.0.2.0/24"], "policy": policy}
        )

    return make


def received(house, source, helo):
    house.submit("box@house.example", MESSAGE, source=source, helo=helo)
    return fields(house.maildir("box").one(), "Received")[0].decode()


def test_a_proven_name_stands_beside_the_claim(client_at):
    source = ground.address()
    line = received(client_at(source), source, "mail.client.example")
    assert line.startswith(f"from mail.client.example (mail.client.example [{source}])"), line


def test_a_lie_is_shown_by_the_proven_name(client_at):
    source = ground.address()
    line = received(client_at(source), source, "liar.example")
    assert line.startswith(f"from liar.example (mail.client.example [{source}])"), line


def test_a_reverse_name_that_does_not_lead_back_proves_nothing(client_at):
    source = ground.address()
    line = received(client_at(source, forward="192.0.2.99"), source, "mail.client.example")
    assert line.startswith(f"from mail.client.example (unverified [{source}])"), line


def test_without_a_reverse_name_it_is_unverified(client_at):
    source = ground.address()
    line = received(client_at(source, reverse=None), source, "liar.example")
    assert line.startswith(f"from liar.example (unverified [{source}])"), line


def test_a_reverse_name_cannot_forge_the_line(client_at):
    source = ground.address()
    line = received(client_at(source, reverse="evil\\)\\ by\\ x.example."), source, "liar.example")
    assert line.startswith(f"from liar.example (unverified [{source}])"), line


def test_noting_lets_a_liar_in(client_at):
    source = ground.address()
    with client_at(source, helo="note").client(source=source) as client:
        client.hello("liar.example")
        client.expect(250, "MAIL FROM:<a@liar.example>")


@pytest.mark.parametrize("helo", ["liar.example", "no-such-name.client.example", "other.client.example"])
def test_rejecting_costs_a_liar_550(client_at, helo):
    source = ground.address()
    with client_at(source, helo="reject").client(source=source) as client:
        client.hello(helo)
        reply = client.expect(550, "MAIL FROM:<a@liar.example>")
        assert reply.status == "5.7.1"


def test_rejecting_lets_the_honest_in(client_at):
    source = ground.address()
    house = client_at(source, helo="reject")
    for helo in ("mail.client.example", "MAIL.client.example", f"[{source}]"):
        with house.client(source=source) as client:
            client.hello(helo)
            client.expect(250, "MAIL FROM:<a@client.example>")


def test_own_networks_are_not_judged(postrider, dns):
    zone = dns({"client.example": "mail A 192.0.2.1\n"})
    house = postrider({"dns": {"servers": [zone]}, "policy": {"helo": "reject"}})
    with house.client() as client:
        client.hello("mail.client.example")
        client.expect(250, "MAIL FROM:<a@client.example>")


def test_a_name_server_that_says_nothing_holds_nobody_up_and_condemns_nobody(postrider):
    silent = OddDns(lambda query: None)
    try:
        house = postrider(
            {"dns": {"servers": [silent.start()]}, "networks": ["192.0.2.0/24"], "policy": {"helo": "reject"}}
        )
        with house.client(patience=8) as client:
            client.hello("mail.client.example")
            client.expect(250, "MAIL FROM:<a@client.example>")
    finally:
        silent.stop()


def test_servfail_condemns_nobody(postrider):
    import dns.rcode

    broken = OddDns(lambda query: respond(query, rcode=dns.rcode.SERVFAIL))
    try:
        house = postrider(
            {"dns": {"servers": [broken.start()]}, "networks": ["192.0.2.0/24"], "policy": {"helo": "reject"}}
        )
        with house.client() as client:
            client.hello("mail.client.example")
            client.expect(250, "MAIL FROM:<a@client.example>")
    finally:
        broken.stop()


def test_a_session_that_ends_during_the_lookup_harms_nothing(postrider):
    asked = []

    def silent(query):
        asked.append(question(query))

    server = OddDns(silent)
    try:
        house = postrider({"dns": {"servers": [server.start()]}, "networks": ["192.0.2.0/24"]})
        for _ in range(5):
            with house.client() as client:
                client.hello("mail.client.example")
                client.send("MAIL FROM:<a@client.example>\r\n")
        house.wait("disconnected", 5)
        assert asked
    finally:
        server.stop()


def test_of_many_names_only_the_first_and_the_one_that_mail_comes_under_are_looked_up(postrider):
    server = OddDns(respond)
    try:
        house = postrider({"dns": {"servers": [server.start()]}, "networks": ["192.0.2.0/24"]})
        with house.client() as client:
            client.hello("name0.example")
            for n in range(1, 9):
                client.expect(250, f"EHLO name{n}.example")
            client.expect(250, "MAIL FROM:<a@client.example>")
        asked = {name.split(".")[0].lower() for name, _ in server.asked if "example" in name.lower()}
        assert asked == {"name0", "name8"}
    finally:
        server.stop()
