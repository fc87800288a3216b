"""What the DNS can say of a domain, and how late or wrong it can say it (RFC 5321 5.1, 7505)."""
import threading

import dns.rcode
import pytest

from house import ground
from house.dns import OddDns, question, respond

HEAD = b"Subject: x\r\n\r\nhello\r\n"


@pytest.fixture
def net(postrider, dns):
    """net(zones) → a Postrider that asks a name server with them, and nobody else."""

    def make(zones, config=None, **options):
        server = dns(zones) if isinstance(zones, dict) else zones
        return postrider({"dns": {"servers": [server]}, "queue": {"retry": ["1h"]}, **(config or {})}, **options)

    return make


@pytest.fixture
def odd():
    made = []

    def make(answer):
        made.append(OddDns(answer))
        return made[-1].start()

    yield make
    for one in made:
        one.stop()


def hosts(facts):
    return [host["name"] for host in facts["hosts"]]


def route(house, address, check=0):
    return house.json("route", address, check=check)["ways"][0]


def test_equal_mx_share_the_mail_and_better_ones_go_first(net, hostile):
    servers = [hostile() for _ in range(3)]
    zone = "".join(f"@ MX 10 m{i}\nm{i} A {s.address}\n" for i, s in enumerate(servers[:2]))
    zone += f"@ MX 20 last\nlast A {servers[2].address}\n"
    house = net({"far.example": zone}, {"deliver": {"port": ground.port_everywhere()}}, start=False)
    orders = {tuple(hosts(route(house, "you@far.example"))) for _ in range(12)}
    assert orders == {
        ("m0.far.example", "m1.far.example", "last.far.example"),
        ("m1.far.example", "m0.far.example", "last.far.example"),
    }


def test_an_mx_over_ipv6(net, hostile):
    there = hostile(address="::1")
    house = net({"far.example": "@ MX 10 six\nsix AAAA ::1\n"})
    house.submit("you@far.example", HEAD)
    there.wait()
    assert house.wait("relayed")["ip"] == "::1"


def test_a_dead_ipv6_costs_a_quarter_of_a_second(net, hostile):
    there = hostile()
    house = net({"far.example": f"@ MX 10 both\nboth AAAA 100::1\nboth A {there.address}\n"})
    house.submit("you@far.example", HEAD)
    there.wait(patience=3)


def test_an_mx_that_is_a_cname_is_tolerated(net, hostile):
    there = hostile()
    house = net({"far.example": f"@ MX 10 alias\nalias CNAME real\nreal A {there.address}\n"})
    house.submit("you@far.example", HEAD)
    there.wait()


def test_a_long_cname_chain_is_followed_and_an_endless_one_is_not(net, hostile):
    there = hostile()
    chain = "".join(f"c{n} CNAME c{n + 1}\n" for n in range(7)) + f"c7 MX 10 mx\nmx A {there.address}\n"
    endless = "".join(f"e{n} CNAME e{n + 1}\n" for n in range(60)) + "e60 A 192.0.2.1\n"
    house = net({"far.example": chain + endless})
    house.submit("you@c0.far.example", HEAD)
    there.wait()
    house.submit("you@e0.far.example", HEAD, sender="box@house.example")
    event = house.wait("bounced")
    assert event["status"].startswith("5.4."), event


def test_an_mx_without_an_address_is_passed_over(net, hostile):
    there = hostile()
    house = net({"far.example": f"@ MX 10 nowhere\n@ MX 20 mx\nmx A {there.address}\n"})
    house.submit("you@far.example", HEAD)
    there.wait()


def test_only_mx_without_addresses_is_an_error_of_the_domain(net):
    house = net({"far.example": "@ MX 10 nowhere\n"})
    house.submit("you@far.example", HEAD, sender="box@house.example")
    ground.until("an outcome", lambda: house.seen("bounced") or house.seen("deferred"))
    (event,) = house.seen("bounced") or house.seen("deferred")
    assert event["status"] in ("5.4.4", "4.4.4", "5.1.2", "4.4.3"), event


def test_a_name_with_no_mail_at_all(net):
    house = net({"far.example": "text TXT nothing\n"})
    house.submit("you@text.far.example", HEAD, sender="box@house.example")
    assert house.wait("bounced")["status"] in ("5.1.2", "5.4.4")


def test_an_mx_that_is_an_address_in_letters_is_no_address(net):
    """RFC 5321 5.1: the exchange is a domain name; "127.0.0.9" has no address records."""
    house = net({"far.example": "@ MX 10 127.0.0.9.\n"})
    house.submit("you@far.example", HEAD, sender="box@house.example")
    ground.until("an outcome", lambda: house.seen("bounced") or house.seen("deferred"))
    assert not house.seen("relayed")


def test_null_mx_among_others_is_ignored(net, hostile):
    there = hostile()
    house = net({"far.example": f"@ MX 0 .\n@ MX 10 mx\nmx A {there.address}\n"})
    house.submit("you@far.example", HEAD, sender="box@house.example")
    ground.until("an outcome", lambda: house.seen("relayed") or house.seen("bounced"))


def test_an_own_address_among_the_mx_does_not_loop(net):
    """The MX bears another name, but its address is ours."""
    house = net({"far.example": "placeholder TXT x\n"}, start=False)
    house = net({"far.example": f"@ MX 10 other\nother A {house.address}\n"}, name="second", address=house.address)
    house.submit("you@far.example", HEAD, sender="box@house.example")
    assert house.wait("bounced")["status"] == "5.4.6"


def test_international_names_are_asked_as_a_labels(net, hostile):
    there = hostile(keywords=["PIPELINING", "8BITMIME", "SMTPUTF8"])
    house = net({"xn--grn-ioa.example": f"@ MX 10 mx\nmx A {there.address}\n"})
    with house.client() as client:
        client.hello()
        client.expect(250, "MAIL FROM:<box@house.example> SMTPUTF8")
        client.expect(250, "RCPT TO:<you@grün.example>")
        assert client.data(HEAD).code == 250
    there.wait()


def test_a_late_answer_is_waited_for(net, odd, hostile):
    there = hostile()
    late = threading.Event()

    def answer(query):
        late.wait(1.2)
        name, kind = question(query)
        if kind == "MX" and name == "far.example.":
            return respond(query, "far.example. 60 IN MX 10 mx.far.example.")
        if kind == "A" and name == "mx.far.example.":
            return respond(query, f"mx.far.example. 60 IN A {there.address}")
        return respond(query)

    house = net(odd(answer))
    house.submit("you@far.example", HEAD)
    there.wait()


@pytest.mark.parametrize(
    "lie",
    [
        lambda q: respond(q, "other.example. 60 IN MX 10 mx.evil.example."),
        lambda q: b"\0" * 3,
        lambda q: q.to_wire()[:2] + b"\x81\x80\0\1\0\xff\0\0\0\0" + b"\xc0\x0c" * 20,
        lambda q: respond(q, rcode=dns.rcode.REFUSED),
        lambda q: respond(q, rcode=dns.rcode.NOTIMP),
    ],
    ids=["another name", "rubbish", "pointers in circles", "REFUSED", "NOTIMP"],
)
def test_a_wrong_answer_is_temporary_and_leads_nowhere(net, odd, lie):
    house = net(odd(lambda query: lie(query)))
    house.submit("you@far.example", HEAD, sender="box@house.example")
    ground.until("an outcome", lambda: house.seen("bounced") or house.seen("deferred"), patience=40)
    assert not house.seen("relayed")
    for event in house.seen("deferred"):
        assert event["status"] == "4.4.3"


def test_when_the_dns_comes_back_the_mail_goes(net, odd, hostile):
    there = hostile()
    state = {"up": False}

    def answer(query):
        name, kind = question(query)
        if not state["up"]:
            return respond(query, rcode=dns.rcode.SERVFAIL)
        if kind == "MX" and name == "far.example.":
            return respond(query, "far.example. 60 IN MX 10 mx.far.example.")
        if kind == "A" and name == "mx.far.example.":
            return respond(query, f"mx.far.example. 60 IN A {there.address}")
        return respond(query)

    house = net(odd(answer), {"queue": {"retry": ["300ms"]}})
    house.submit("you@far.example", HEAD)
    house.wait("deferred", status="4.4.3")
    state["up"] = True
    there.wait(patience=30)


def test_a_transport_may_name_a_domain_whose_mx_are_used(net, hostile):
    there = hostile()
    house = net(
        {"hub.example": f"@ MX 10 mx\nmx A {there.address}\n"},
        {"transports": [{"match": "*", "to": "mx:hub.example"}]},
    )
    house.submit("you@any.example", HEAD)
    there.wait()


def test_a_transport_by_name_port_and_error(net, hostile):
    there = hostile()
    house = net(
        {"hub.example": f"smart A {there.address}\nsmart MX 10 wrong\n"},
        {
            "transports": [
                {"match": "closed.example", "to": "error:this domain is closed"},
                {"match": "nothing.example", "to": "discard:"},
                {"match": ".sub.example", "to": f"smtp://smart.hub.example:{there.port}"},
                {"match": "sub.example", "to": "error:not for the subdomains"},
            ]
        },
    )
    house.submit("you@a.sub.example", HEAD)
    there.wait()
    house.submit("you@sub.example", HEAD, sender="box@house.example")
    house.submit("you@closed.example", HEAD, sender="box2@house.example")
    assert b"not for the subdomains" in house.maildir("box").one()
    assert b"this domain is closed" in house.maildir("box2").one()
    gone = house.submit("you@nothing.example", HEAD, sender="box3@house.example")
    house.wait("removed", id=gone)
    assert house.maildir("box3").count() == 0


def test_route_tells_verdicts_by_its_exit_code(net):
    house = net({"far.example": "@ MX 0 .\n"}, start=False)
    for address, code, verdict in (
        ("box@house.example", 0, "deliver"),
        ("you@far.example", 68, "fail"),
        ("you@nowhere.far.example", 68, "fail"),
    ):
        done = house.run("route", address, "--json")
        assert done.returncode in (code, 67 if code else 0), (address, done)
        import json

        assert json.loads(done.stdout)["ways"][0]["verdict"] == verdict
