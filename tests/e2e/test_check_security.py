"""`postrider check --security`: what is open, and only that."""
import json
import os
import subprocess

import pytest


@pytest.fixture
def findings(postrider):
    """Findings of a configuration, as (grade, subject, text)."""

    def find(config, *more, mode=0o640):
        house = postrider(config, start=False)
        house.file.chmod(mode)
        done = house.run("check", "--security", "--json", *more)
        found = [(f["grade"], f["subject"], f["text"]) for f in json.loads(done.stdout)["findings"]]
        assert done.returncode == (1 if any(f[0] == "open" for f in found) else 0)
        return [f for f in found if f[1] != "fence"]  # that is the machine's

    return find


def pair(folder, name, *options, days=90, key="rsa:2048"):
    """A certificate signed by itself, by openssl."""
    files = {"certificate": str(folder / f"{name}.pem"), "key": str(folder / f"{name}.key")}
    subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-newkey", key, "-keyout", files["key"], "-out", files["certificate"],
         "-subj", "/CN=x", "-addext", "subjectAltName=DNS:mx.house.example", "-days", str(days), *options],
        check=True, capture_output=True)
    os.chmod(files["key"], 0o640)
    return files


def test_a_sound_configuration_has_nothing_open_or_weak(findings, tmp_path):
    assert findings({"tls": {"certificates": [pair(tmp_path, "good")]}}) == []


CONFIGURATIONS = [
    ("open relay", {"relay": "open-relay-i-know"}, "open", "relay", "anybody may send"),
    ("passwords in the clear", {"listen": [{"address": "192.0.2.1:587", "mode": "submission", "tls": "none"}]}, "open", "tls", "192.0.2.1:587"),
    ("no TLS for servers", {"listen": [{"address": "192.0.2.1:25", "tls": "none"}]}, "weak", "tls", "192.0.2.1:25"),
    ("LMTP for everybody", {"listen": [{"address": "192.0.2.1:24", "mode": "lmtp"}]}, "open", "lmtp", "192.0.2.1:24"),
    ("VRFY for everybody", {"policy": {"vrfy": "anyone"}}, "weak", "policy", "vrfy"),
    ("bare line ends", {"policy": {"line_endings": "normalise"}}, "weak", "policy", "line_endings"),
]


@pytest.mark.parametrize("config, grade, subject, text", [c[1:] for c in CONFIGURATIONS], ids=[c[0] for c in CONFIGURATIONS])
def test_what_a_configuration_leaves_open_is_found(findings, config, grade, subject, text):
    found = [f for f in findings(config) if f[0] != "note"]
    assert len(found) == 1, found
    assert found[0][:2] == (grade, subject) and text in found[0][2]


def test_keys_that_are_short_old_strange_or_readable_are_found(findings, tmp_path):
    short, late, other, read = (pair(tmp_path, "short", key="rsa:1024"), pair(tmp_path, "late", days=3),
                                pair(tmp_path, "other"), pair(tmp_path, "read"))
    os.chmod(read["key"], 0o644)
    other["key"] = pair(tmp_path, "another")["key"]
    lost = {"certificate": str(tmp_path / "none.pem"), "key": str(tmp_path / "none.key")}
    found = findings({"tls": {"certificates": [short, late, other, read, lost]}})
    for grade, subject, *words in (("open", "keys", "short.key", "1024 bits"), ("weak", "keys", "late.pem", "expires in"),
                                   ("open", "keys", "is not the key of", "other.pem"), ("open", "keys", "none.pem"),
                                   ("open", "files", "read.key", "0644")):
        assert [f for f in found if f[:2] == (grade, subject) and all(w in f[2] for w in words)], (words, found)
    assert len(found) == 5


def test_files_that_others_can_change_are_found(findings):
    found = findings({}, mode=0o666)
    assert [f[:2] for f in found if f[0] != "note"] == [("open", "files")] and "0666" in found[0][2]


RECORDS = {
    "house.example": "@ MX 10 mx\nmx A 192.0.2.1\n@ TXT \"v=spf1 mx -all\"\n_dmarc TXT \"v=DMARC1; p=reject\"\n",
    "2.0.192.in-addr.arpa": "1 PTR mx.house.example.\n",
}


def asked(findings, dns, **changes):
    server = dns({**RECORDS, **changes})
    found = findings({"dns": {"servers": ["127.0.0.1@1"]}}, f"--dns={server}")
    return [f[2] for f in found if f[1] == "dns"]


def test_a_domain_with_all_records_has_no_finding(findings, dns):
    assert asked(findings, dns) == []


@pytest.mark.parametrize("text, zones", [
    ("no MX", {"house.example": "mx A 192.0.2.1\n@ TXT \"v=spf1 ip4:192.0.2.1 -all\"\n_dmarc TXT \"v=DMARC1; p=reject\"\n"}),
    ("no SPF", {"house.example": "@ MX 10 mx\nmx A 192.0.2.1\n_dmarc TXT \"v=DMARC1; p=reject\"\n"}),
    ("lets everybody", {"house.example": RECORDS["house.example"].replace("-all", "+all")}),
    ("does not let our address", {"house.example": RECORDS["house.example"].replace(" mx ", " ip4:192.0.2.9 ")}),
    ("no DMARC", {"house.example": "@ MX 10 mx\nmx A 192.0.2.1\n@ TXT \"v=spf1 mx -all\"\n"}),
    ("p=none", {"house.example": RECORDS["house.example"].replace("reject", "none")}),
    ("no name that leads back", {"2.0.192.in-addr.arpa": "7 PTR mx.house.example.\n"}),
])  # fmt: skip
def test_a_record_that_is_missing_or_wrong_is_found(findings, dns, text, zones):
    found = asked(findings, dns, **zones)
    assert len(found) == 1 and text in found[0], found
