"""`postrider report tls`: what others report about TLS (RFC 8460), in each form it comes in."""
import base64
import gzip
import json

import pytest

REPORT = {
    "organization-name": "Company-X",
    "date-range": {"start-datetime": "2026-11-24T00:00:00Z", "end-datetime": "2026-11-24T23:59:59Z"},
    "contact-info": "sts-reporting@company-x.example",
    "report-id": "5065427c-23d3",
    "policies": [{
        "policy": {"policy-type": "sts", "policy-domain": "company-y.example",
                   "policy-string": ["version: STSv1", "mode: testing"], "mx-host": "*.mail.company-y.example"},
        "summary": {"total-successful-session-count": 5326, "total-failure-session-count": 303},
        "failure-details": [
            {"result-type": "certificate-expired", "sending-mta-ip": "2001:db8:abcd:12::1",
             "receiving-mx-hostname": "mx1.mail.company-y.example", "failed-session-count": 100},
            {"result-type": "validation-failure", "sending-mta-ip": "198.51.100.62", "receiving-ip": "203.0.113.58",
             "receiving-mx-hostname": "mx-backup\u001b[31m.example", "failed-session-count": 3,
             "failure-reason-code": "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED"},
        ],
    }],
}
TEXT = json.dumps(REPORT).encode()


def mail(content, subtype, encoding="base64"):
    body = base64.encodebytes(content).decode() if encoding == "base64" else content.decode()
    return (
        "From: tlsrpt@company-x.example\r\nSubject: Report Domain: company-y.example\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type="tlsrpt";\r\n\tboundary="=_x"\r\n\r\n'
        "--=_x\r\nContent-Type: text/plain\r\n\r\nA report.\r\n"
        f"--=_x\r\nContent-Type: application/{subtype}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n--=_x--\r\n"
    ).encode()


FORMS = {
    "json": TEXT,
    "gzip": gzip.compress(TEXT),
    "mail with gzip": mail(gzip.compress(TEXT), "tlsrpt+gzip"),
    "mail with json": mail(TEXT, "tlsrpt+json", "8bit"),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_report_is_read_in_every_form(postrider, tmp_path, form):
    (tmp_path / "report").write_bytes(FORMS[form])
    one = postrider(start=False)
    facts = one.json("report", "tls", tmp_path / "report")
    policy = facts["policies"][0]
    assert (policy["domain"], policy["type"], policy["successes"], policy["failures"]) == ("company-y.example", "sts", 5326, 303)
    assert policy["mx"] == ["*.mail.company-y.example"] and policy["details"][0]["count"] == 100
    shown = one.run("report", "tls", "-", input=FORMS[form], check=0).stdout.decode()
    assert "company-y.example, policy sts: 5326 sessions succeeded, 303 failed" in shown
    assert "100 failed: certificate-expired, at mx1.mail.company-y.example, from 2001:db8:abcd:12::1" in shown
    assert "\x1b" not in shown


# By name: a test's name is the same in every process, and what gzip makes is not.
BAD = {
    "nothing": b"",
    "no member": b"{}",
    "an array": b"[1]",
    "prose": b"no report",
    "gzip cut off": FORMS["gzip"][:-20],
    "mail of another type": mail(b"{}", "pdf"),
    "deep": b"{" * 100000,
}


@pytest.mark.parametrize("bad", BAD)
def test_what_is_no_report_is_refused_with_a_reason(postrider, bad):
    done = postrider(start=False).run("report", "tls", "-", input=BAD[bad], check=65)
    assert b"postrider report: -: " in done.stderr


def test_a_bomb_does_not_go_off(postrider):
    bomb = gzip.compress(b" " * (80 << 20) + TEXT)
    assert b"far too long" in postrider(start=False).run("report", "tls", "-", input=bomb, check=65).stderr
