"""Mail servers that judge us: Postfix at each level of its TLS, Exim and OpenSMTPD, with a validating
resolver between them and signed zones. Each sends a message to every row's domain at once; a test a row."""
import re
import smtplib

import pytest

from house import ground, unpacked
from house.certificates import Certificate
from house.dns import Dns
from house.exim import CONFIG, Exim
from house.opensmtpd import OpenSMTPD
from house.postfix import Postfix
from house.resolver import Resolver
from house.signed import Signed

NAME = "mx.house.signed.example"
OTHER = "0123456789abcdef" * 4
MESSAGE = b"Subject: private\n\nhello\n"


class Scene:
    """A Postrider with a certificate of an authority, on addresses with TLS and on one without, and the
    zones that lead to it. Hosts: `mx.house` is right, `wrong.house` has a TLSA record of another
    key, `clear.house` has a right one and no TLS, `bogus.house` one that was forged, and `other.house` is no name of the certificate."""

    def __init__(self, folder, make):
        self.authority = Certificate(folder, "authority.example", authority=True)
        self.stranger = Certificate(folder, "stranger.example", authority=True)
        self.certificate = Certificate(folder, NAME, *(f"{name}.house.signed.example" for name in ("wrong", "second", "third", "fourth")), issuer=self.authority)
        house = make({"hostname": NAME, "tls": {"certificates": [self.certificate.pair()]}}, start=False)
        hosts = {"mx": house.address, "wrong": house.address, "bogus": house.address}
        hosts |= {name: ground.address() for name in ("clear", "other", "second", "third", "fourth")}
        house.config["listen"] = [
            {"address": f"{address}:{house.port}", "mode": "mx", "tls": "none" if name == "clear" else "starttls"}
            for name, address in hosts.items() if name not in ("wrong", "bogus")]
        self.hidden = ground.port_everywhere()  # of TLS from the first octet
        house.config["listen"] += [{"address": f"{hosts[name]}:{self.hidden}", "mode": "mx", "tls": "implicit"} for name in ("mx", "fourth")]
        house.config["domains"] = {
            domain: {"mailboxes": f"maildir:{house.mail}/{{domain}}/{{local}}/", "users": ["*"]} for domain in DOMAINS}
        house.write()
        self.house = house.start()
        self.publish(folder, hosts)

    def publish(self, folder, hosts):
        """The zones, their server, and a resolver that validates them."""
        house = self.house
        right = self.certificate.tlsa(3, 1, 1)
        at = f"_{house.port}._tcp"
        zone = "".join(f"{name}.house A {address}\n" for name, address in hosts.items())
        zone += f"{at}.mx.house TLSA {right}\n{at}.wrong.house TLSA 3 1 1 {OTHER}\n"
        zone += f"{at}.clear.house TLSA {right}\n{at}.bogus.house TLSA {right}\n"
        plain = f"mx.house A {house.address}\n"
        for domain, host in DOMAINS.items():
            line = f"{domain}. MX 1 {host}.house\n"
            zone, plain = (zone, plain + line) if domain.endswith("plain.example") else (zone + line, plain)
        signed = Signed("signed.example", zone, spoil=[(f"{at}.bogus.house", "TLSA", f"3 1 1 {OTHER}")])
        self.dns = Dns(folder / "nsd", {"signed.example": signed, "plain.example": plain})
        self.resolver = Resolver(folder / "unbound", self.dns.start(), ["signed.example", "plain.example"], signed.anchor)
        self.resolver.start()

    def outcome(self, domain, log):
        """How the message came, or the reason in the log why it waits."""
        maildir = self.house.maildir("you", domain)

        def found():
            if maildir.count():
                return "in private" if b"with ESMTPS id" in maildir.one() else "in the clear"
            return log()

        return ground.until(f"an outcome of {domain}", found)

    def stop(self):
        self.resolver.stop()
        self.dns.stop()


# Postfix: the level with its attributes, the host, and the outcome: how, or what its log says.
POSTFIX = {
    "none": ("none", "mx", "in the clear"),
    "may": ("may", "mx", "in private"),
    "may-clear": ("may", "clear", "in the clear"),
    "encrypt": ("encrypt", "mx", "in private"),
    "encrypt-clear": ("encrypt", "clear", "TLS is required, but was not offered"),
    "verify": (f"verify match={NAME}", "mx", "in private"),
    "verify-name": ("verify match=mx.other.example", "mx", "Server certificate not verified"),
    "secure": (f"secure match={NAME}", "mx", "in private"),
    "secure-host": ("secure match=nexthop", "mx", "Server certificate not verified"),
    "fingerprint": ("fingerprint match={digest}", "mx", "in private"),
    "fingerprint-other": (f"fingerprint match={bytes.fromhex(OTHER).hex(':')}", "mx", "Server certificate not verified"),
    "dane": ("dane", "mx", "in private"),
    "dane-only": ("dane-only", "mx", "in private"),
    "dane-wrong": ("dane-only", "wrong", "Server certificate not verified"),
    "dane-opportunistic-wrong": ("dane", "wrong", "Server certificate not verified"),
    "dane-clear": ("dane-only", "clear", "TLS is required, but was not offered"),
    "dane-bogus": ("dane", "bogus", "TLSA lookup error"),
    "implicit": (f"verify match={NAME}", "mx", "in private"),
    "implicit-name": ("verify match=mx.other.example", "mx", "Server certificate not verified"),
}
# Exim: options of its transport.
VERIFIES = "hosts_try_dane =\n  hosts_require_tls = *\n  tls_verify_hosts = *\n  tls_verify_certificates = "
EXIM = {
    "tls": ("hosts_require_tls = *", "mx", "in private"),
    "tls-clear": ("hosts_require_tls = *", "clear", "TLS session is required|a TLS session is required"),
    "implicit": (VERIFIES + "{authority}\n  protocol = smtps", "mx", "in private"),
    "verify": (VERIFIES + "{authority}", "mx", "in private"),
    "verify-name": (VERIFIES + "{authority}", "other", "certificate verification failed"),
    "verify-authority": (VERIFIES + "{stranger}", "mx", "certificate verification failed"),
    "dane": ("hosts_require_dane = *\n  dnssec_request_domains = *", "mx", "in private"),
    "dane-wrong": ("hosts_require_dane = *\n  dnssec_request_domains = *", "wrong", "DANE|certificate verification failed"),
    "dane-bogus": ("hosts_require_dane = *\n  dnssec_request_domains = *", "bogus", "DANE error|TLSA"),
}
# OpenSMTPD: the next hop and options; hosts of their own, as it waits between connections to one.
SMTPD = {
    "may": ("smtp://{host}:{port}", "mx", "in private"),
    "tls": ("smtp+tls://{host}:{port} tls no-verify", "second", "in private"),
    "tls-clear": ("smtp+tls://{host}:{port}", "clear", "TLS required but not supported by remote host"),
    "verify": ("smtp+tls://{host}:{port} tls", "third", "in private"),
    "implicit": ("smtps://{host}:{hidden} tls", "fourth", "in private"),
    "verify-name": ("smtp+tls://{host}:{port} tls", "other", "SSL certificate check failed"),
}
PEERS = {"postfix": POSTFIX, "exim": EXIM, "opensmtpd": SMTPD}
DOMAINS = {f"{row}.{peer}.signed.example": host for peer, rows in PEERS.items() for row, (_, host, _) in rows.items()}
DOMAINS["none.postfix.plain.example"] = "mx"


@pytest.fixture(scope="module")
def scene(common, tmp_path_factory):
    if not unpacked.can_be_installed():
        pytest.skip("no mounts in a namespace here: needs root")
    if unpacked.missing(unpacked.file("usr/sbin/unbound")):
        pytest.skip("Unbound lacks libraries on this machine")
    made = Scene(tmp_path_factory.mktemp("scene"), common)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def postfix(scene, common_peer):
    ways = {d: ("wrapped" if "implicit" in d else "smtp", scene.hidden if "implicit" in d else scene.house.port) for d in DOMAINS}
    digest = bytes.fromhex(scene.certificate.tlsa(3, 1, 1).split()[-1]).hex(":")
    rows = {f"{row}.postfix.signed.example": level.format(digest=digest) for row, (level, _, _) in POSTFIX.items()}
    rows["none.postfix.plain.example"] = "dane-only"
    wrapped = "wrapped unix - - n - - smtp -o smtp_tls_wrappermode=yes\n"
    there = common_peer(Postfix, master=wrapped, resolver=scene.resolver.file, more="\n".join([
        "disable_dns_lookups = no",
        "smtp_host_lookup = dns",
        "smtp_dns_support_level = dnssec",
        f"smtp_tls_CAfile = {scene.authority.file}",
        "smtp_tls_fingerprint_digest = sha256",
        "smtp_tls_loglevel = 1",
        "transport_maps = inline:{" + ", ".join(f"{{{d} = {ways[d][0]}:{d}:{ways[d][1]}}}" for d in rows) + "}",
        "smtp_tls_policy_maps = inline:{" + ", ".join(f"{{{d}:{ways[d][1]} = {level}}}" for d, level in rows.items()) + "}",
    ]))
    there.sendmail("someone@client.example", [f"you@{d}" for d in rows], MESSAGE)
    return there


@pytest.fixture(scope="module")
def exim(scene, common_peer):
    values = {"authority": "/etc/authority.pem", "stranger": "/etc/stranger.pem"}  # its user can read these
    files = {"resolv.conf": scene.resolver.text, "authority.pem": scene.authority.text, "stranger.pem": scene.stranger.text}
    routers = transports = ""
    for row, (options, _, _) in EXIM.items():
        name = row.replace("-", "_")
        routers += f"{name}:\n  driver = dnslookup\n  domains = {row}.exim.signed.example\n  transport = {name}_smtp\n"
        routers += "  dnssec_request_domains = *\n  self = send\n  same_domain_copy_routing = no\n"
        transports += f"{name}_smtp:\n  driver = smtp\n  port = {scene.hidden if row == 'implicit' else scene.house.port}\n  interface = {{address}}\n  hosts_try_fastopen =\n"
        transports += f"  {options.format(**values)}\n"
    config = CONFIG.replace("dns_dnssec_ok = -1", "dns_dnssec_ok = 1")
    config = config.replace("begin routers\n", "begin routers\n" + routers).replace("begin transports\n", "begin transports\n" + transports)
    there = common_peer(Exim, config=config, files=files)
    there.sendmail("someone@client.example", [f"you@{row}.exim.signed.example" for row in EXIM], MESSAGE)
    return there


@pytest.fixture(scope="module")
def opensmtpd(scene, common_peer):
    routes = {f"{row}.opensmtpd.signed.example": hop.format(host=f"{host}.house.signed.example", port=scene.house.port, hidden=scene.hidden)
              for row, (hop, host, _) in SMTPD.items()}
    there = common_peer(OpenSMTPD, hostname="mx.opensmtpd.example", local=[], routes=routes,
                        files={"resolv.conf": scene.resolver.text, "ssl/certs/ca-certificates.crt": scene.authority.text})
    with smtplib.SMTP(there.address, there.port, local_hostname="client.example") as client:
        client.sendmail("someone@client.example", [f"you@{d}" for d in routes], MESSAGE)
    return there


def judged(scene, peer, domain, wanted, log, pattern):
    """Asserts the outcome; `pattern` finds the line about that recipient in the log."""
    found = scene.outcome(domain, lambda: next((line for line in log().splitlines() if re.search(pattern, line)), None))
    assert re.search(wanted, found), (peer, domain, found)


@pytest.mark.parametrize("row", POSTFIX)
def test_postfix(scene, postfix, row):
    domain = f"{row}.postfix.signed.example"
    judged(scene, "postfix", domain, POSTFIX[row][2], postfix.log, f"to=<you@{domain}>.*status=deferred")


def test_postfix_without_a_record(scene, postfix):
    domain = "none.postfix.plain.example"
    judged(scene, "postfix", domain, "non DNSSEC destination|no TLSA records", postfix.log, f"to=<you@{domain}>.*status=deferred")


def test_postfix_says_how_far_it_trusts_us(scene, postfix):
    for row, word in {"may": "Trusted|Untrusted", "verify": "Verified", "fingerprint": "Verified", "dane": "Verified", "dane-only": "Verified"}.items():
        domain = f"{row}.postfix.signed.example"
        scene.house.maildir("you", domain).one()
    assert postfix.log().count("Verified TLS connection established") >= 5


@pytest.mark.parametrize("row", EXIM)
def test_exim(scene, exim, row):
    domain = f"{row}.exim.signed.example"
    judged(scene, "exim", domain, EXIM[row][2], exim.log, f"== you@{domain} .*defer")


@pytest.mark.parametrize("row", SMTPD)
def test_opensmtpd(scene, opensmtpd, row):
    domain = f"{row}.opensmtpd.signed.example"
    judged(scene, "opensmtpd", domain, SMTPD[row][2], opensmtpd.log, f"mta error reason={SMTPD[row][2]}")
