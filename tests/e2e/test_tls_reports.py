"""Reports that we send about TLS towards other domains (RFC 8460): counted, kept, mailed, posted."""
import email
import gzip
import json

import pytest

from house import ground
from house.certificates import Certificate
from house.signed import Signed
from house.web import Web
from test_dkim import Keys, signature_tags
from test_mta_sts import Promises

MESSAGE = b"Subject: private\r\n\r\nhello\r\n"
OTHER = "0123456789abcdef" * 4


@pytest.fixture
def promises(tmp_path, hostile):
    made = Promises(tmp_path, hostile)
    yield made
    for web in made.webs.values():
        web.stop()


def policies(report):
    return {p["policy"]["policy-domain"]: p for p in report["policies"]}


def start(promises, postrider, dns, every="2s", zones=None, anchor=None, **more):
    server = dns({"far.example": promises.zone, **(zones or {})})
    return postrider({
        "dns": {"servers": [server], **({"trust_anchor": anchor} if anchor else {})},
        "tls": {"authorities": promises.authority.file},
        "deliver": {"https_port": promises.web_port, "tls_reports": {"every": every}},
        **more,
    })


def collect(server, domains):
    """The failures and successes in the mails that came, of each domain, until all are there."""
    found = {}

    def enough():
        for mail in list(server.mail):
            message = email.message_from_bytes(mail.message)
            if message.get_content_type() != "multipart/report" or id(mail) in found:
                continue
            part = message.get_payload()[1]
            assert part.get_content_type() == "application/tlsrpt+gzip"
            found[id(mail)] = json.loads(gzip.decompress(part.get_payload(decode=True)))
        merged = {}
        for report in found.values():
            for domain, policy in policies(report).items():
                kinds = merged.setdefault(domain, {"type": policy["policy"]["policy-type"], "successes": 0})
                kinds["string"] = policy["policy"].get("policy-string")
                kinds["successes"] += policy["summary"]["total-successful-session-count"]
                for detail in policy["failure-details"]:
                    kinds[detail["result-type"]] = kinds.get(detail["result-type"], 0) + detail["failed-session-count"]
        return merged if domains <= set(merged) else None

    return ground.until(f"reports about {domains}", enough)


def test_each_outcome_is_reported_to_its_domain(promises, postrider, dns, hostile):
    """What test_mta_sts and test_dane find in queue and log stands in the reports too."""
    desk = hostile()
    elsewhere = Certificate(promises.folder, "elsewhere.example", issuer=promises.authority)
    rows = {
        "right": ({}, "sts", "successes"),
        "name": ({"certificate": elsewhere}, "sts", "certificate-host-mismatch"),
        "old": ({"certificate": promises.certificate("mx.old.far.example", days=-1)}, "sts", "certificate-expired"),
        "stranger": ({"certificate": Certificate(promises.folder, "mx.stranger.far.example")}, "sts", "certificate-not-trusted"),
        "unnamed": ({"mx": "other.example"}, "sts", "validation-failure"),
        "clear": ({"clear": True}, "sts", "starttls-not-supported"),
        "testing": ({"mode": "testing", "certificate": elsewhere}, "sts", "certificate-host-mismatch"),
        "stray": ({"mode": "testing", "mx": "other.example"}, "sts", "validation-failure"),
        "broken": ({"answer": "no policy"}, "sts", "sts-policy-invalid"),
        "missing": ({"answer": lambda handler, _: handler.give("no", 404)}, "sts", "sts-policy-fetch-error"),
        "web": ({"web": elsewhere}, "sts", "sts-webpki-invalid"),
    }
    recipients = [promises.add(name, **options) for name, (options, _, _) in rows.items()]
    promises.zone += f"desk MX 1 mx.desk\nmx.desk A {desk.address}\n"
    for name in rows:
        promises.zone += f'_smtp._tls.{name} TXT "v=TLSRPTv1; rua=mailto:tls@desk.far.example"\n'
    zone = f"d MX 1 mx.d\nmx.d A {desk.address}\n"
    for name, record in {"dane": f"3 1 1 {OTHER}", "forged": f"3 1 1 {OTHER}"}.items():
        certificate = promises.certificate(f"mx.{name}.signed.example")
        server = hostile(keywords=("STARTTLS",), tls=certificate.context())
        zone += f"{name} MX 1 mx.{name}\nmx.{name} A {server.address}\n_{server.port}._tcp.mx.{name} TLSA {record}\n"
        zone += f'_smtp._tls.{name} TXT "v=TLSRPTv1; rua=mailto:tls@desk.far.example"\n'
        recipients.append(f"you@{name}.signed.example")
    signed = Signed("signed.example", zone, spoil=[(f"_{desk.port}._tcp.mx.forged", "TLSA", f"3 1 1 {OTHER[::-1]}")])
    (promises.folder / "anchor").write_text(signed.anchor)
    near = start(promises, postrider, dns, zones={"signed.example": signed}, anchor=str(promises.folder / "anchor"))
    near.submit(recipients, MESSAGE)
    wanted = {f"{name}.far.example" for name in rows} | {"mx.dane.signed.example", "forged.signed.example"}
    found = collect(desk, wanted)
    for name, (_, kind, outcome) in rows.items():
        policy = found[f"{name}.far.example"]
        assert policy["type"] == kind and policy.get(outcome) == 1, (name, policy)
        lacks = name in ("broken", "missing", "web")
        mx = rows[name][0].get("mx", f"mx.{name}.far.example")
        mode = rows[name][0].get("mode", "enforce")
        assert policy["string"] == (None if lacks else ["version: STSv1", f"mode: {mode}", f"mx: {mx}", "max_age: 86400"])
    assert found["mx.dane.signed.example"]["certificate-not-trusted"] == 1
    assert found["mx.dane.signed.example"]["type"] == "tlsa"
    assert found["mx.dane.signed.example"]["string"] == [f"_{desk.port}._tcp.mx.dane.signed.example. IN TLSA 3 1 1 {OTHER}"]
    assert found["forged.signed.example"]["dnssec-invalid"] == 1


def test_a_report_is_posted_where_the_record_says(promises, postrider, dns):
    recipient = promises.add("right")
    address = ground.address()
    desk = Web(address, promises.web_port, promises.certificate("desk.far.example").context(), "").start()
    promises.webs["desk"] = desk
    promises.zone += f'desk A {address}\n_smtp._tls.right TXT "v=TLSRPTv1; rua=https://desk.far.example/tls?x=1"\n'
    near = start(promises, postrider, dns, every="1s")
    near.submit(recipient, MESSAGE)
    near.wait("tls-report-sent", domain="right.far.example")
    path, kind, body = desk.posts[0]
    assert (path, kind) == ("/tls?x=1", "application/tlsrpt+gzip")
    report = json.loads(gzip.decompress(body))
    assert report["organization-name"] == "mx.house.example"
    assert policies(report)["right.far.example"]["policy"]["mx-host"] == ["mx.right.far.example"]
    (near.folder / "report").write_bytes(body)
    assert "1 sessions succeeded, 0 failed" in near.run("report", "tls", near.folder / "report", check=0).stdout.decode()


def test_a_report_is_signed_with_the_key_for_reports(promises, postrider, dns, hostile, tmp_path):
    desk = hostile()
    keys = Keys(tmp_path)
    keys.add("mail", "--ed25519")
    keys.add("tls", use="tls_reports")
    recipient = promises.add("right")
    promises.zone += f"desk MX 1 mx.desk\nmx.desk A {desk.address}\n"
    promises.zone += '_smtp._tls.right TXT "v=TLSRPTv1; rua=mailto:tls@desk.far.example"\n'
    near = start(promises, postrider, dns, every="1s", dkim=keys.config)
    near.submit(recipient, MESSAGE)
    report = desk.wait()[0].message
    assert keys.verify(report) == {"tls": True}
    assert {"tls-report-domain", "tls-report-submitter"} <= set(signature_tags(report)["h"].split(":"))
    shown = json.loads(near.run("dkim", "show", "-c", near.file, "--json", check=0).stdout)["keys"]
    assert "; s=tlsrpt; p=" in shown[1]["record"]


def test_counts_outlive_a_restart(promises, postrider, dns, hostile):
    recipient = promises.add("right")
    near = start(promises, postrider, dns, every="1000d")
    near.submit(recipient, MESSAGE)
    promises.mail["right"].wait()
    near.wait("removed")
    near.stop()
    near.start()
    near.submit(recipient, MESSAGE)
    promises.mail["right"].wait(2)
    near.wait("removed")
    near.stop()
    counted = json.loads((near.folder / "spool/tls-reports.json").read_text())
    (domains,) = counted.values()
    assert domains["right.far.example"][0]["successes"] == 2


def test_never_means_that_nothing_is_counted(promises, postrider, dns):
    recipient = promises.add("right")
    near = start(promises, postrider, dns)
    near.stop()
    near.config["deliver"]["tls_reports"] = {"use": "never"}
    near.write()
    (near.folder / "spool/tls-reports.json").unlink()
    near.start()
    near.submit(recipient, MESSAGE)
    promises.mail["right"].wait()
    near.stop()
    assert not (near.folder / "spool/tls-reports.json").exists()
