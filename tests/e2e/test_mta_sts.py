"""MTA-STS towards other domains (RFC 8461): policies of local web servers, and every way in which
they can be wrong. What came of each stands in src/tls/README.md."""
import pytest

from house import ground
from house.certificates import Certificate
from house.web import Web

MESSAGE = b"Subject: private\r\n\r\nhello\r\n"


class Promises:
    """Domains with a record, a web server and a mail server each."""

    def __init__(self, folder, hostile):
        self.folder, self.hostile = folder, hostile
        self.web_port = ground.port_everywhere()
        self.authority = Certificate(folder, "authority.example", authority=True)
        self.zone, self.mail, self.webs = "", {}, {}

    def certificate(self, name, **options):
        return Certificate(self.folder, name, issuer=self.authority, **options)

    def add(self, name, mode="enforce", mx=None, answer=None, web=None, certificate=None, clear=False, **options):
        domain = f"{name}.far.example"
        policy = f"version: STSv1\nmode: {mode}\nmx: {mx or 'mx.' + domain}\nmax_age: 86400\n"
        web = web or self.certificate(f"mta-sts.{domain}")
        certificate = certificate or self.certificate(f"mx.{domain}")
        keywords = ("8BITMIME",) if clear else ("STARTTLS", "8BITMIME")
        self.mail[name] = self.hostile(keywords=keywords, tls=certificate.context(), **options)
        address = ground.address()
        self.webs[name] = Web(address, self.web_port, web.context(), answer or policy).start()
        self.zone += (
            f"{name} MX 1 mx.{name}\nmx.{name} A {self.mail[name].address}\nmta-sts.{name} A {address}\n"
            f'_mta-sts.{name} TXT "v=STSv1; id=1;"\n'
        )
        return f"you@{domain}"


@pytest.fixture
def promises(tmp_path, hostile):
    made = Promises(tmp_path, hostile)
    yield made
    for web in made.webs.values():
        web.stop()


@pytest.fixture
def house(promises, postrider, dns):
    def make(patience="10s", **options):
        server = dns({"far.example": promises.zone})
        return postrider({
            "dns": {"servers": [server]},
            "tls": {"authorities": promises.authority.file},
            "deliver": {"https_port": promises.web_port, "timeouts": {"mta_sts": patience}},
        }, **options)

    return make


def test_an_enforced_policy_is_kept_to(promises, house):
    good = [promises.add("right"), promises.add("star", mx="*.star.far.example")]
    rows = [
        (promises.add("wrong-name", certificate=promises.certificate("elsewhere.example")), "4.7.5", "mismatch"),
        (promises.add("old", certificate=promises.certificate("mx.old.far.example", days=-1)), "4.7.5", "expired"),
        (promises.add("stranger", certificate=Certificate(promises.folder, "mx.stranger.far.example")), "4.7.5", "self-signed"),
        (promises.add("unnamed", mx="other.example"), "4.7.5", "does not name mx.unnamed.far.example"),
        (promises.add("clear", clear=True), "4.7.4", "TLS is required"),
    ]
    near = house()
    near.submit(good + [row[0] for row in rows], MESSAGE)
    for name in ("right", "star"):
        assert promises.mail[name].wait()[0].tls == f"mx.{name}.far.example"
    for recipient, status, reason in rows:
        event = near.wait("deferred", rcpt=recipient)
        assert event["status"] == status and reason in event["text"], (recipient, event)
    for name, server in promises.mail.items():
        assert bool(server.mail) == (name in ("right", "star")), name


def redirect(handler, _web):
    handler.give("elsewhere", 301, Location="https://mta-sts.right.far.example/.well-known/mta-sts.txt")


def slow(_handler, web):
    web.closing.wait(30)


def test_what_is_no_policy_binds_nobody(promises, house):
    """Each has a mail server whose certificate would not do, and gets its mail."""
    bad = {"certificate": Certificate(promises.folder, "elsewhere.example")}
    domain = "far.example"
    rows = {
        "web-name": ({"web": promises.certificate("elsewhere.example")}, "not to be trusted"),
        "web-old": ({"web": promises.certificate(f"mta-sts.web-old.{domain}", days=-1)}, "not to be trusted"),
        "web-stranger": ({"web": Certificate(promises.folder, f"mta-sts.web-stranger.{domain}")}, "not to be trusted"),
        "redirect": ({"answer": redirect}, "HTTP 301"),
        "missing": ({"answer": lambda handler, _: handler.give("no", 404)}, "HTTP 404"),
        "long": ({"answer": "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 1\nx: " + "a" * 65536}, "64 KiB"),
        "broken": ({"answer": "version: STSv1\nmode: enforce\n"}, "is no policy"),
    }
    recipients = [promises.add(name, **options, **bad) for name, (options, _) in rows.items()]
    recipients += [promises.add("testing", mode="testing", **bad), promises.add("none", mode="none", **bad)]
    near = house()
    near.submit(recipients, MESSAGE)
    for name, server in promises.mail.items():
        assert server.wait()[0].tls is not None, name
    for name, (_, reason) in rows.items():
        assert reason in near.wait("sts-fetched", domain=f"{name}.{domain}")["text"]


def test_a_slow_web_server_holds_the_mail_up_for_a_moment(promises, house):
    recipient = promises.add("slow", answer=slow)
    near = house(patience="200ms")
    near.submit([recipient, promises.add("right")], MESSAGE)
    promises.mail["slow"].wait()


def test_a_policy_outlives_a_restart_and_its_web_server(promises, house):
    recipient = promises.add("gone", certificate=Certificate(promises.folder, "elsewhere.example"))
    near = house()
    near.submit(recipient, MESSAGE)
    near.wait("deferred", rcpt=recipient)
    ground.until("the policy is kept", lambda: (near.folder / "spool/mta-sts/gone.far.example").exists())
    near.stop()
    promises.webs["gone"].stop()
    near.start()
    shown = near.run("route", recipient).stdout.decode()
    assert "MTA-STS (enforce) names the hosts mx.gone.far.example" in shown
    assert "TLS policy of mx.gone.far.example: verify, by MTA-STS" in shown
    near.submit(recipient, MESSAGE)
    near.wait("deferred", rcpt=recipient)
    assert not promises.mail["gone"].mail and len(promises.webs["gone"].asked) == 1


def test_never_means_that_no_policy_is_asked_for(promises, house):
    recipient = promises.add("free", mx="other.example")
    near = house(start=False)
    near.config["deliver"]["mta_sts"] = "never"
    near.write()
    near.start()
    near.submit(recipient, MESSAGE)
    promises.mail["free"].wait()
    assert not promises.webs["free"].asked
