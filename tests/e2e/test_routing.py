"""The way by DNS: MX, CNAME, addresses, and all that can be wrong with them."""
import pytest

from house import ground
from house.dns import OddDns, respond

HEAD = b"Subject: x\r\n\r\nhello\r\n"


@pytest.fixture
def net(postrider, dns, hostile):
    """net(zone text, …): name servers, and a Postrider that asks them."""

    def make(zones, config=None, **options):
        server = dns(zones) if isinstance(zones, dict) else zones
        return postrider({"dns": {"servers": [server]}, "hostname": "mx.house.example",
                          "queue": {"retry": ["200ms"]}, **(config or {})}, **options)

    return make


def test_mx_by_preference(net, hostile):
    good, bad = hostile(), hostile()
    house = net({"far.example": f"@ MX 20 b\n@ MX 10 a\na A {good.address}\nb A {bad.address}\n"})
    house.submit("you@far.example", HEAD)
    good.wait()
    house.wait("removed")
    assert not bad.mail


def test_the_next_mx_when_the_first_is_down(net, hostile):
    up = hostile()
    house = net({"far.example": f"@ MX 10 a\n@ MX 20 b\na A {ground.address()}\nb A {up.address}\n"})
    house.submit("you@far.example", HEAD)
    up.wait()


def test_cname_chain_to_its_end(net, hostile):
    end = hostile()
    house = net({"far.example": f"alias CNAME two\ntwo CNAME three\nthree MX 5 mx\nmx A {end.address}\n"})
    house.submit("you@alias.far.example", HEAD)
    end.wait()
    assert end.mail[0].recipients == ["you@alias.far.example"] or "far.example" in end.mail[0].recipients[0]


def test_implicit_mx(net, hostile):
    end = hostile()
    house = net({"far.example": f"plain A {end.address}\n"})
    house.submit("you@plain.far.example", HEAD)
    end.wait()


@pytest.mark.parametrize(
    "name, zone, status",
    [
        ("null MX", "d MX 0 .\n", "5.1.10"),
        ("NXDOMAIN", "x A 127.0.0.1\n", "5.1.2"),
        ("CNAME loop", "d CNAME e\ne CNAME d\n", "5.4.6"),
        ("own host is the best", "d MX 10 mx.house.example.\n", "5.4.6"),
    ],
)
def test_a_permanent_failure(net, name, zone, status):
    house = net({"far.example": zone})
    house.submit("you@d.far.example", HEAD, sender="me@house.example")
    assert house.wait("bounced")["status"] == status
    bounce = house.maildir("me").one()
    assert f"Status: {status}".encode() in bounce


def test_own_host_among_the_mx_drops_those_that_are_not_better(net, hostile):
    better, worse = hostile(), hostile()
    zone = (f"@ MX 10 a\n@ MX 20 mx.house.example.\n@ MX 30 b\na A {better.address}\n"
            f"b A {worse.address}\n")
    house = net({"far.example": zone})
    house.submit("you@far.example", HEAD)
    better.wait()
    house.wait("removed")
    assert not worse.mail


def test_silence_of_the_dns_is_temporary(net):
    odd = OddDns(lambda query: None)
    try:
        house = net(odd.start())
        house.submit("you@far.example", HEAD)
        assert house.wait("deferred", patience=40)["status"].startswith("4.4.")
    finally:
        odd.stop()


def test_servfail_is_temporary(net):
    import dns.rcode

    odd = OddDns(lambda query: respond(query, rcode=dns.rcode.SERVFAIL))
    try:
        house = net(odd.start())
        house.submit("you@far.example", HEAD)
        assert house.wait("deferred", patience=40)["status"] == "4.4.3"
    finally:
        odd.stop()


def test_a_dead_family_costs_little(net, hostile):
    end = hostile()
    house = net({"far.example": f"@ MX 10 a\na AAAA 100::1\na A {end.address}\n"})
    house.submit("you@far.example", HEAD)
    end.wait(patience=8)


def test_a_domain_literal(postrider, hostile):
    end = hostile()
    house = postrider()
    house.submit(f"you@[{end.address}]", HEAD)
    end.wait()


def test_transports_and_smart_host(postrider, hostile):
    one, smart = hostile(), hostile()
    house = postrider({"transports": [{"match": ".one.example", "to": f"smtp://{one.address}"},
                                      {"match": "*", "to": f"smtp://{smart.address}"}]})
    house.submit("you@a.one.example", HEAD)
    house.submit("you@any.example", HEAD)
    one.wait()
    smart.wait()


def test_aliases_lists_tags_and_catch_all(postrider, tmp_path, hostile):
    far = hostile()
    (tmp_path / "list").write_text("anna\nben\n# nobody\nfriend@far.example\n")
    aliases = tmp_path / "aliases"
    aliases.write_text(f"team: :include:{tmp_path}/list, anna\nowner-team: anna\nloop: pool\npool: loop\n"
                       "@house.example: anna\n")
    house = postrider({
        "domains": {"house.example": {"users": ["anna", "ben"], "aliases": str(aliases)}},
        "transports": [{"match": "far.example", "to": f"smtp://{far.address}"}]})
    house.submit("team@house.example", HEAD)
    far.wait()
    assert far.mail[0].sender in ("owner-team@house.example", "<owner-team@house.example>")
    house.maildir("anna").wait(1)
    house.maildir("ben").wait(1)
    house.wait("removed")
    assert house.maildir("anna").count() == 1
    house.submit("ben+news@house.example", HEAD)
    house.maildir("ben").wait(2)
    house.submit("whoever@house.example", HEAD)
    house.maildir("anna").wait(2)


def test_route_shows_every_step(net, hostile):
    end = hostile()
    house = net({"far.example": f"alias CNAME two\ntwo MX 5 mx\nmx A {end.address}\n"}, start=False)
    text = house.run("route", "you@alias.far.example", check=0).stdout.decode()
    assert "two.far.example" in text and "mx.far.example" in text and end.address in text
    facts = house.json("route", "you@alias.far.example")
    assert facts["ways"][0]["hosts"][0]["addresses"] == [end.address]
