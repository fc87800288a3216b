"""What becomes of mail to domains with DANE and MTA-STS, right and wrong in every way: in the log, in the
queue and in the report to the domain. One Postrider sends to all of them at once; the rows stand in
src/tls/README.md too."""
import email
import gzip
import json

import pytest

from house import ground
from house.certificates import Certificate
from house.dns import Dns
from house.signed import Signed
from test_mta_sts import Promises, redirect, slow

MESSAGE = b"Subject: private\r\n\r\nhello\r\n"
OTHER = "0123456789abcdef" * 4
GONE = ("relayed", "", "")  # by TLS, with nothing to say


def full(size):
    """A policy that names no host of ours, in a file of that size."""
    policy = "version: STSv1\nmode: enforce\nmx: other.example\nmax_age: 86400\nx: "
    return policy + "a" * (size - len(policy))


# MTA-STS: what is wrong; the log's event, status and text; the result in the report.
STS = {
    "right": ({}, GONE, "success"),
    "star": ({"mx": "*.star.far.example"}, GONE, "success"),
    "name": ({"certificate": "elsewhere"}, ("deferred", "4.7.5", "mismatch"), "certificate-host-mismatch"),
    "old": ({"certificate": "expired"}, ("deferred", "4.7.5", "expired"), "certificate-expired"),
    "stranger": ({"certificate": "stranger"}, ("deferred", "4.7.5", "self-signed"), "certificate-not-trusted"),
    "unnamed": ({"mx": "other.example"}, ("deferred", "4.7.5", "does not name mx.unnamed.far.example"), "validation-failure"),
    "clear": ({"clear": True}, ("deferred", "4.7.4", "TLS is required"), "starttls-not-supported"),
    "testing": ({"mode": "testing", "certificate": "elsewhere"}, GONE, "certificate-host-mismatch"),
    "stray": ({"mode": "testing", "mx": "other.example"}, GONE, "validation-failure"),
    "full": ({"answer": full(65536)}, ("deferred", "4.7.5", "does not name"), "validation-failure"),
    # No policy can be had: nothing is enforced, and the report says so. A certificate that would not do.
    "long": ({"answer": full(65537), "certificate": "stranger"}, GONE, "sts-policy-invalid"),
    "broken": ({"answer": "version: STSv1\nmode: enforce\n", "certificate": "stranger"}, GONE, "sts-policy-invalid"),
    "missing": ({"answer": lambda handler, _: handler.give("no", 404), "certificate": "stranger"}, GONE, "sts-policy-fetch-error"),
    "redirect": ({"answer": redirect, "certificate": "stranger"}, GONE, "sts-policy-fetch-error"),
    "slow": ({"answer": slow, "certificate": "stranger"}, GONE, "sts-policy-fetch-error"),
    "web-name": ({"web": "elsewhere", "certificate": "stranger"}, GONE, "sts-webpki-invalid"),
    "web-old": ({"web": "expired", "certificate": "stranger"}, GONE, "sts-webpki-invalid"),
    "web-stranger": ({"web": "stranger", "certificate": "stranger"}, GONE, "sts-webpki-invalid"),
}
# DANE: usage, selector and matching type of a record that fits, or the record; which certificate.
DANE = {
    "ee": ((3, 1, 1), "issued", GONE, "success"),
    "ta": ((2, 0, 1), "issued", GONE, "success"),
    "ee-old": ((3, 1, 1), "expired", GONE, "success"),  # RFC 7671 5.1
    "wrong": (f"3 1 1 {OTHER}", "issued", ("deferred", "4.7.5", "no matching DANE TLSA records"), "certificate-not-trusted"),
    "ta-old": ((2, 1, 1), "expired", ("deferred", "4.7.5", "expired"), "certificate-expired"),
    "ta-name": ((2, 1, 1), "elsewhere", ("deferred", "4.7.5", "mismatch"), "certificate-host-mismatch"),
    "bare": ((3, 1, 1), None, ("deferred", "4.7.4", "TLS is required"), "starttls-not-supported"),
    "useless": (f"1 1 1 {OTHER}", "issued", GONE, "tlsa-invalid"),
    "forged": (f"3 1 1 {OTHER}", "issued", ("deferred", "4.7.5", "forged"), "dnssec-invalid"),
}
# Zones: unsigned, with a record; signatures that ran out, where nothing is sure, not even who wants a report.
ZONES = {
    "unsigned.plain.example": (GONE, "success"),
    "you.late.example": (("deferred", "4.4.3", ""), None),
}
ROWS = {
    **{f"{name}.far.example": row[1:] for name, row in STS.items()},
    **{f"{name}.signed.example": row[2:] for name, row in DANE.items()},
    **ZONES,
}
# Why a policy could not be had, in the log; of a slow server nothing is known in time.
NO_POLICY = {
    "long": "over 64 KiB", "broken": "is no policy", "missing": "HTTP 404", "redirect": "HTTP 301", "slow": None,
    "web-name": "not to be trusted", "web-old": "not to be trusted", "web-stranger": "not to be trusted",
}  # fmt: skip


class Story:
    """All those domains, the Postrider that sends to them, and the reports that came of it."""

    def __init__(self, folder, make, hostile):
        self.promises = Promises(folder, hostile)
        self.folder, self.hostile = folder, hostile
        self.desk = hostile()
        self.dns = Dns(folder / "nsd", self.zones())
        self.near = make({
            "dns": {"servers": [self.dns.start()], "trust_anchor": str(folder / "anchor")},
            "tls": {"authorities": self.promises.authority.file},
            "deliver": {"https_port": self.promises.web_port, "tls_reports": {"every": "2s"}, "timeouts": {"mta_sts": "1s"}},
        })
        self.id = self.near.submit([f"you@{domain}" for domain in ROWS], MESSAGE)

    def certificate(self, which, host):
        authority = self.promises.authority
        names = {"elsewhere": "elsewhere.example"}
        issuer = None if which == "stranger" else authority
        return Certificate(self.folder, names.get(which, host), issuer=issuer, days=-1 if which == "expired" else 1)

    def mail_host(self, name, certificate, records):
        """The lines of a zone for one domain."""
        host = f"mx.{name}"
        server = self.hostile(keywords=("STARTTLS",) if certificate else (), tls=certificate.context() if certificate else None)
        lines = [f"{name} MX 1 {host}", f"{host} A {server.address}"] + [f"_{server.port}._tcp.{host} TLSA {r}" for r in records]
        return "\n".join(lines) + f'\n_smtp._tls.{name} TXT "v=TLSRPTv1; rua=mailto:tls@desk.far.example"\n'

    def zones(self):
        for name, (options, *_) in STS.items():
            hosts = {"certificate": f"mx.{name}.far.example", "web": f"mta-sts.{name}.far.example"}
            made = {key: self.certificate(options[key], host) for key, host in hosts.items() if key in options}
            self.promises.add(name, **{**options, **made})
            self.promises.zone += f'_smtp._tls.{name} TXT "v=TLSRPTv1; rua=mailto:tls@desk.far.example"\n'
        self.promises.zone += f"desk MX 1 mx.desk\nmx.desk A {self.desk.address}\n"
        signed = ""
        for name, (record, which, *_) in DANE.items():
            certificate = self.certificate(which, f"mx.{name}.signed.example")
            if isinstance(record, tuple):
                record = (self.promises.authority if record[0] == 2 else certificate).tlsa(*record)
            signed += self.mail_host(name, which and certificate, [record])
        at = f"_{self.desk.port}._tcp.mx.forged"
        signed = Signed("signed.example", signed, spoil=[(at, "TLSA", f"3 1 1 {OTHER[::-1]}")])
        right = self.certificate("issued", "mx.you.late.example")
        late = Signed("late.example", self.mail_host("you", right, [right.tlsa(3, 1, 1)]), age=3 * 86400)
        (self.folder / "anchor").write_text(signed.anchor + late.anchor)
        plain = self.mail_host("unsigned", self.certificate("stranger", "mx.unsigned.plain.example"), [f"3 1 1 {OTHER}"])
        return {"far.example": self.promises.zone, "signed.example": signed, "late.example": late, "plain.example": plain}

    def reports(self):
        """The policies of all reports that came, each by its domain."""
        found = {}
        for mail in list(self.desk.mail):
            message = email.message_from_bytes(mail.message)
            part = message.get_payload()[1]
            assert part.get_content_type() == "application/tlsrpt+gzip"
            report = json.loads(gzip.decompress(part.get_payload(decode=True)))
            found.setdefault(message["TLS-Report-Domain"], []).extend(report["policies"])
        return found

    def stop(self):
        for web in self.promises.webs.values():
            web.stop()
        self.dns.stop()


@pytest.fixture(scope="module")
def story(common, common_hostile, tmp_path_factory):
    made = Story(tmp_path_factory.mktemp("story"), common, common_hostile)
    yield made
    made.stop()


@pytest.mark.parametrize("domain", ROWS)
def test_in_the_log(story, domain):
    (event, status, text), _ = ROWS[domain]
    seen = story.near.wait(event, rcpt=f"you@{domain}")
    assert event == "relayed" or seen["status"] == status and text in seen["text"], seen


@pytest.mark.parametrize("name", [name for name, reason in NO_POLICY.items() if reason])
def test_in_the_log_is_why_a_policy_cannot_be_had(story, name):
    assert NO_POLICY[name] in story.near.wait("sts-fetched", domain=f"{name}.far.example")["text"]


def test_in_the_queue(story):
    """Exactly what was deferred waits, with the same reason."""
    for domain, ((event, _, _), _) in ROWS.items():
        story.near.wait(event, rcpt=f"you@{domain}")
    (message,) = story.near.json("queue", "show", story.id)["messages"]
    waiting = {r["address"]: r["last"] for r in message["recipients"] if r["state"] != "final"}
    assert set(waiting) == {f"you@{domain}" for domain, ((event, _, _), _) in ROWS.items() if event == "deferred"}
    for domain, ((event, status, text), _) in ROWS.items():
        if event == "deferred":
            last = waiting[f"you@{domain}"]
            assert last["kind"] == "deferred" and last["status"] == status and text in last["text"], (domain, last)


@pytest.mark.parametrize("domain", [domain for domain, (_, result) in ROWS.items() if result])
def test_in_the_report(story, domain):
    (event, _, _), result = ROWS[domain]
    (policy,) = ground.until(f"a report to {domain}", lambda: story.reports().get(domain))
    name, _, zone = domain.partition(".")
    applied, summary = policy["policy"], policy["summary"]
    kind = {"far.example": "sts", "signed.example": "tlsa", "plain.example": "no-policy-found"}[zone]
    assert applied["policy-type"] == kind
    assert applied["policy-domain"] == (f"mx.{domain}" if kind == "tlsa" else domain)
    if result == "success":
        assert (summary["total-successful-session-count"], summary["total-failure-session-count"]) == (1, 0)
    else:
        assert (summary["total-successful-session-count"], summary["total-failure-session-count"]) == (0, 1)
        (detail,) = policy["failure-details"]
        assert detail["result-type"] == result and detail["receiving-mx-hostname"] == f"mx.{domain}"
        connected = name not in ("unnamed", "full", "forged")
        assert (detail.get("sending-mta-ip"), "receiving-ip" in detail) == ("127.0.0.1" if connected else None, connected)
    if kind == "sts" and name not in NO_POLICY:
        options = STS[name][0]
        mx = "other.example" if name == "full" else options.get("mx", f"mx.{domain}")
        assert applied["policy-string"] == ["version: STSv1", f"mode: {options.get('mode', 'enforce')}", f"mx: {mx}", "max_age: 86400"]
        assert applied["mx-host"] == [mx]
    elif kind == "tlsa" and name not in ("useless", "forged"):
        (line,) = applied["policy-string"]
        assert line.startswith(f"_{story.desk.port}._tcp.mx.{domain}. IN TLSA ")
    else:
        assert "policy-string" not in applied


def test_where_nothing_is_sure_no_report_is_counted(story):
    story.near.wait("deferred", rcpt="you@you.late.example")
    assert "late.example" not in story.reports()
    assert not story.near.seen("tls-report-sent", domain="you.late.example")
