"""DANE towards other servers (RFC 7672): signed zones of NSD, and every way in which they, or the
certificates, can be wrong. What came of each stands in src/tls/README.md."""
import pytest

from house import ground
from house.certificates import Certificate
from house.signed import Signed

MESSAGE = b"Subject: private\r\n\r\nhello\r\n"
OTHER = "0123456789abcdef" * 4


class Ways:
    """Domains whose mail goes to scripted servers with certificates, each with records of its own."""

    def __init__(self, folder, port, hostile):
        self.folder, self.port, self.hostile = folder, port, hostile
        self.authority = Certificate(folder, "authority.example", authority=True)
        self.servers = {}
        self.zones = {True: "", False: ""}
        self.spoil = []

    def certificate(self, name, issued=False, **options):
        return Certificate(self.folder, name, issuer=self.authority if issued else None, **options)

    def add(self, name, records, certificate=None, signed=True, host="mx", script=None, clear=False, spoil=None):
        """`records`: what stands at _PORT._tcp.mx.NAME, as "TLSA data" or "CNAME name"; more lines
        of the zone behind a newline."""
        zone = "signed.example" if signed else "plain.example"
        certificate = certificate or self.certificate(f"mx.{name}.{zone}")
        keywords = ("8BITMIME",) if clear else ("STARTTLS", "8BITMIME")
        server = self.hostile(script, keywords=keywords, tls=certificate.context())
        self.servers[name] = server
        lines = [f"{name} MX 10 {host}.{name}", f"mx.{name} A {server.address}"]
        lines += [f"_{self.port}._tcp.mx.{name} {record}" for record in records]
        self.zones[signed] += "\n".join(lines) + "\n"
        if spoil:
            self.spoil.append((f"_{self.port}._tcp.mx.{name}", "TLSA", spoil))
        return f"you@{name}.{zone}"


@pytest.fixture
def ways(tmp_path, port, hostile):
    return Ways(tmp_path, port, hostile)


@pytest.fixture
def house(ways, tmp_path, postrider, dns):
    """A Postrider that asks for those zones, with the anchor of the signed one."""

    def make(config=None, **options):
        signed = Signed("signed.example", ways.zones[True], spoil=ways.spoil, **options)
        anchor = tmp_path / "anchor"
        anchor.write_text(signed.anchor)
        server = dns({"signed.example": signed, "plain.example": ways.zones[False] or "x TXT x\n"})
        return postrider({"dns": {"servers": [server], "trust_anchor": str(anchor)}, **(config or {})})

    return make


# name, records made from (the certificate, the authority), and what else is so
RIGHT = {
    "ee-key": lambda c, a: ["TLSA " + c.tlsa(3, 1, 1)],
    "ee-certificate": lambda c, a: ["TLSA " + c.tlsa(3, 0, 2)],
    "ee-whole": lambda c, a: ["TLSA " + c.tlsa(3, 0, 0)],
    "ee-whole-key": lambda c, a: ["TLSA " + c.tlsa(3, 1, 0)],
    "ta-key": lambda c, a: ["TLSA " + a.tlsa(2, 1, 1)],
    "ta-certificate": lambda c, a: ["TLSA " + a.tlsa(2, 0, 1)],
    "one-of-two": lambda c, a: [f"TLSA 3 1 1 {OTHER}", "TLSA " + c.tlsa(3, 1, 2)],
    "with-others": lambda c, a: [f"TLSA 1 1 1 {OTHER}", "TLSA " + c.tlsa(3, 1, 1)],
}


def test_every_right_record_is_honoured(ways, house):
    recipients = []
    for name, records in RIGHT.items():
        certificate = ways.certificate(f"mx.{name}.signed.example", issued=True)
        recipients.append(ways.add(name, records(certificate, ways.authority), certificate))
    # RFC 7671 5.1: the server's own certificate may be out of date, and bear any name.
    old = ways.certificate("elsewhere.example", days=-1)
    recipients.append(ways.add("ee-expired", ["TLSA " + old.tlsa(3, 1, 1)], old))
    # No DANE at all: unsigned, or signed without a record, or with none that can be used.
    recipients.append(ways.add("unsigned", [f"TLSA 3 1 1 {OTHER}"], signed=False))
    recipients.append(ways.add("without", []))
    recipients.append(ways.add("unusable", [f"TLSA 1 1 1 {OTHER}"]))
    near = house()
    near.submit(recipients, MESSAGE)
    for name, server in ways.servers.items():
        assert server.wait()[0].tls, name
    near.wait("removed")


def wrong(ways):
    """Rows: recipient, status, and what the reason holds."""
    other = f"TLSA 3 1 1 {OTHER}"
    issued = ways.certificate("mx.ta-name.signed.example", issued=True)
    old = ways.certificate("mx.ta-expired.signed.example", issued=True, days=-1)
    stranger = ways.certificate("elsewhere.example", issued=True)
    yield ways.add("wrong", [other]), "4.7.5", "no matching DANE TLSA records"
    yield ways.add("ta-wrong", [f"TLSA 2 1 1 {OTHER}"], issued), "4.7.5", "not to be trusted"
    yield ways.add("ta-expired", ["TLSA " + ways.authority.tlsa(2, 1, 1)], old), "4.7.5", "expired"
    yield ways.add("ta-name", ["TLSA " + ways.authority.tlsa(2, 1, 1)], stranger), "4.7.5", "mismatch"
    yield ways.add("clear", [other], clear=True), "4.7.4", "TLS is required"
    yield ways.add("unusable-clear", [f"TLSA 1 1 1 {OTHER}"], clear=True), "4.7.4", "TLS is required"
    yield ways.add("refused", [other], script={"starttls": "454 4.7.0 not now"}), "4.7.4", "454 4.7.0 not now"
    yield ways.add("bogus", [other], spoil=f"3 1 1 {OTHER[::-1]}"), "4.7.5", "forged"


def test_nothing_wrong_leads_to_a_delivery(ways, house):
    rows = list(wrong(ways))
    near = house()
    near.submit([row[0] for row in rows], MESSAGE)
    for recipient, status, reason in rows:
        event = near.wait("deferred", rcpt=recipient)
        assert event["status"] == status and reason in event["text"], (recipient, event)
    for name, server in ways.servers.items():
        assert not server.mail, name


def test_signatures_that_ran_out_are_as_forged(ways, house):
    recipient = ways.add("late", [f"TLSA 3 1 1 {OTHER}"])
    near = house(age=3 * 86400)
    near.submit(recipient, MESSAGE)
    assert near.wait("deferred", rcpt=recipient)["status"] == "4.4.3"
    assert not ways.servers["late"].mail


def test_an_alias_of_a_host_has_its_record_at_the_end(ways, house):
    certificate = ways.certificate("mx.end.signed.example")
    ways.add("end", ["TLSA " + certificate.tlsa(3, 1, 1)], certificate)
    ways.zones[True] += f"alias MX 1 other.alias\nother.alias CNAME mx.end\n_{ways.port}._tcp.other.alias TLSA 3 1 1 {OTHER}\n"
    near = house()
    near.submit("you@alias.signed.example", MESSAGE)
    assert ways.servers["end"].wait()[0].tls == "mx.end.signed.example"


def test_a_rule_goes_before_dane(ways, house):
    recipient = ways.add("wrong", [f"TLSA 3 1 1 {OTHER}"])
    near = house({"deliver": {"port": ways.port, "tls": [{"match": "wrong.signed.example", "policy": "encrypt"}]}})
    near.submit(recipient, MESSAGE)
    assert ways.servers["wrong"].wait()[0].tls


def test_another_host_is_tried_when_the_first_is_not_who_it_must_be(ways, house):
    ways.add("wrong", [f"TLSA 3 1 1 {OTHER}"])
    certificate = ways.certificate("mx.right.signed.example")
    ways.add("right", ["TLSA " + certificate.tlsa(3, 1, 1)], certificate)
    ways.zones[True] += "both MX 1 mx.wrong\nboth MX 2 mx.right\n"
    near = house()
    near.submit("you@both.signed.example", MESSAGE)
    assert ways.servers["right"].wait()[0].tls
    assert not ways.servers["wrong"].mail


def test_route_tries_what_it_shows(ways, house):
    certificate = ways.certificate("mx.right.signed.example")
    right = ways.add("right", ["TLSA " + certificate.tlsa(3, 1, 1)], certificate)
    wrong = ways.add("wrong", [f"TLSA 3 1 1 {OTHER}"])
    plain = ways.add("plain", [], signed=False)
    clear = ways.add("clear", [], signed=False, clear=True)
    near = house()
    shown = near.run("route", "--connect", right, check=0).stdout.decode()
    assert "TLSv1.3" in shown and "/CN=mx.right.signed.example, for mx.right.signed.example, by " in shown
    assert "good: TLS, with a certificate that a TLSA record describes" in shown
    facts = near.json("route", "--connect", wrong, check=75)["ways"][0]["hosts"][0]["connect"]
    assert not facts["good"] and "no matching DANE TLSA records" in facts["verdict"]
    assert near.json("route", "--connect", plain)["ways"][0]["hosts"][0]["connect"]["tls"]
    assert "good: in the clear: TLS is not offered" in near.run("route", "--connect", clear, check=0).stdout.decode()
    assert not any(server.mail or server.count("mail") for server in ways.servers.values())


def test_route_shows_the_records(ways, house):
    certificate = ways.certificate("mx.right.signed.example")
    record = certificate.tlsa(3, 1, 1)
    recipient = ways.add("right", ["TLSA " + record], certificate)
    shown = house().run("route", recipient, check=0).stdout.decode()
    assert f"has TLSA {record[:38]}" in shown
    assert "TLS policy of mx.right.signed.example: dane" in shown
