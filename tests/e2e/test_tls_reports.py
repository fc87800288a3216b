"""Reports that we send about TLS towards other domains (RFC 8460): counted, kept, mailed, posted."""
import email
import gzip
import json

import pytest

from house import ground
from house.certificates import Certificate
from house.web import Web
from test_dkim import Keys, signature_tags
from test_mta_sts import Promises

MESSAGE = b"Subject: private\r\n\r\nhello\r\n"


@pytest.fixture
def promises(tmp_path, hostile):
    made = Promises(tmp_path, hostile)
    yield made
    for web in made.webs.values():
        web.stop()


def policies(report):
    return {p["policy"]["policy-domain"]: p for p in report["policies"]}


def start(promises, postrider, dns, every="2s", **more):
    server = dns({"far.example": promises.zone})
    return postrider({
        "dns": {"servers": [server]},
        "tls": {"authorities": promises.authority.file},
        "deliver": {"https_port": promises.web_port, "tls_reports": {"every": every}},
        **more,
    })


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
    assert json.loads(domains["right.far.example"])[4] == 2  # successes (tally_text.h)


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
