"""`postrider check --security`: what is open, and only that."""
import datetime
import json
import os
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from house.certificates import Certificate
from house.signed import Signed


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
    ("lists for everybody", {"policy": {"expn": "anyone"}}, "weak", "policy", "expn"),
    ("authors that are not theirs", {"users": {"file": "/nowhere/users", "send_as_header": "log"}}, "weak", "users", "send_as_header"),
    ("no limit for a stolen password", {"users": {"file": "/nowhere/users", "limits": {"recipients": 0}}}, "weak", "users", "any number"),
    ("senders that are not theirs", {"users": {"file": "/nowhere/users", "send_as": "any"}}, "weak", "users", "send_as: any"),
]


@pytest.mark.parametrize("config, grade, subject, text", [c[1:] for c in CONFIGURATIONS], ids=[c[0] for c in CONFIGURATIONS])
def test_what_a_configuration_leaves_open_is_found(findings, config, grade, subject, text):
    found = [f for f in findings(config) if f[0] != "note"]
    assert len(found) == 1, found
    assert found[0][:2] == (grade, subject) and text in found[0][2]


def test_a_user_without_a_limit_is_noted(findings):
    users = {"file": "/nowhere/users", "limits": {"for": {"list": {"recipients": 0}, "anna": {}}}}
    noted = [text for grade, subject, text in findings({"users": users}) if (grade, subject) == ("note", "users")]
    assert len(noted) == 1 and noted[0].startswith("list may write to any number")


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


def test_dates_digests_and_names_of_certificates_are_found(findings, tmp_path):
    """Out of date, not yet good, older than any should be, signed with SHA-1, and for another host."""
    now = datetime.datetime.utcnow()
    rows = {
        "past": (pair(tmp_path, "past"), -400, -10, "open", "expired 10 days ago"),
        "future": (pair(tmp_path, "future"), 5, 90, "weak", "not valid yet"),
        "ancient": (pair(tmp_path, "ancient"), -900, 90, "weak", "900 days old"),
    }
    for files, begins, ends, *_ in rows.values():
        redate(files, now + datetime.timedelta(begins), now + datetime.timedelta(ends, hours=-1))
    digest = pair(tmp_path, "digest", "-sha1")
    found = findings({"tls": {"certificates": [*(row[0] for row in rows.values()), digest]}})
    for name, (*_, grade, words) in rows.items():
        assert [f for f in found if f[0] == grade and f"{name}.pem" in f[2] and words in f[2]], (name, found)
    assert [f for f in found if f[0] == "weak" and "digest.pem" in f[2] and "can be forged" in f[2]], found
    assert len(found) == 4
    found = findings({"hostname": "other.house.example", "tls": {"certificates": [pair(tmp_path, "strange")]}})
    assert [f[2] for f in found] == ["no certificate is for other.house.example"]


def redate(files, begins, ends):
    """The same certificate with other dates."""
    key = serialization.load_pem_private_key(open(files["key"], "rb").read(), None)
    old = x509.load_pem_x509_certificate(open(files["certificate"], "rb").read())
    made = x509.CertificateBuilder(old.issuer, old.subject, key.public_key(), 1, begins, ends, list(old.extensions)).sign(key, hashes.SHA256())
    with open(files["certificate"], "wb") as out:
        out.write(made.public_bytes(serialization.Encoding.PEM))


def test_files_that_others_can_read_or_change_are_found(findings, tmp_path):
    """Each with its own mode: who else reads secrets, or writes what the server obeys."""
    modes = {"spool": 0o750, "users": 0o644, "aliases": 0o664, "sorter": 0o777}
    for name, mode in modes.items():
        (tmp_path / name).mkdir() if name == "spool" else (tmp_path / name).write_text("")
        (tmp_path / name).chmod(mode)
    found = findings({
        "spool": {"path": str(tmp_path / "spool")},
        "users": {"file": str(tmp_path / "users")},
        "domains": {
            "house.example": {"mailboxes": f"pipe:{tmp_path / 'sorter'}", "users": ["*"]},
            "other.example": {"mailboxes": f"maildir:{tmp_path}/{{local}}/", "users": ["*"], "aliases": str(tmp_path / "aliases")},
        },
    }, mode=0o666)
    found = [f for f in found if f[0] != "note"]
    assert {f[:2] for f in found} == {("open", "files")}
    for name, mode in {**modes, "postrider.yaml": 0o666}.items():
        words = "it can be changed by" if mode & 0o022 else "it can be read by"
        assert [f for f in found if f"/{name} has mode {mode:04o}: {words}" in f[2]], (name, found)
    assert len(found) == len(modes) + 1


HOUSE = {
    "mx": "@ MX 10 mx",
    "a": "mx A 192.0.2.1",
    "spf": '@ TXT "v=spf1 mx -all"',
    "dmarc": '_dmarc TXT "v=DMARC1; p=reject"',
    "sts": '_mta-sts TXT "v=STSv1; id=1;"',
    "tlsrpt": '_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls@house.example"',
}
REVERSE = "1 PTR mx.house.example.\n"


def asked(findings, dns, changes, reverse=REVERSE):
    """Findings about the zone of HOUSE, with other lines: None for none."""
    lines = [line for line in {**HOUSE, **changes}.values() if line]
    server = dns({"house.example": "\n".join(lines) + "\n", "2.0.192.in-addr.arpa": reverse})
    found = findings({"dns": {"servers": ["127.0.0.1@1"]}}, f"--dns={server}")
    return [f for f in found if f[1] == "dns"]


def test_a_domain_with_all_records_has_no_finding(findings, dns):
    assert asked(findings, dns, {}) == []


RECORDS = [
    ("weak", "no MX", {"mx": None, "spf": '@ TXT "v=spf1 ip4:192.0.2.1 -all"'}, REVERSE),
    ("note", "names mx.house.example", {"mx": "@ MX 10 mx\n@ MX 20 other\nother A 192.0.2.2".replace("10 mx", "10 third"),
                                        "spf": '@ TXT "v=spf1 ip4:192.0.2.1 -all"'}, REVERSE),
    ("weak", "has no address", {"a": None}, REVERSE),
    ("weak", "no SPF", {"spf": None}, REVERSE),
    ("open", "lets everybody", {"spf": '@ TXT "v=spf1 mx +all"'}, REVERSE),
    ("weak", "does not let our address", {"spf": '@ TXT "v=spf1 ip4:192.0.2.9 -all"'}, REVERSE),
    ("weak", "cannot be evaluated", {"spf": '@ TXT "v=spf1 nonsense -all"'}, REVERSE),
    ("weak", "no DMARC", {"dmarc": None}, REVERSE),
    ("note", "p=none", {"dmarc": '_dmarc TXT "v=DMARC1; p=none"'}, REVERSE),
    ("weak", "no name that leads back", {}, "7 PTR mx.house.example.\n"),
    ("note", "is called a.house.example", {"name": "a A 192.0.2.1"}, "1 PTR a.house.example.\n"),
    ("note", "neither DANE nor MTA-STS", {"sts": None}, REVERSE),
    ("weak", "malformed MTA-STS", {"sts": '_mta-sts TXT "v=STSv1; id=a-b;"'}, REVERSE),
    ("note", "no record for reports about TLS", {"tlsrpt": None}, REVERSE),
    ("weak", "malformed record for reports", {"tlsrpt": '_smtp._tls TXT "v=TLSRPTv1; rua=gopher:x"'}, REVERSE),
    ("note", "not known to be signed", {"tlsa": f"_25._tcp.mx TLSA 3 1 1 {'00' * 32}"}, REVERSE),
]


@pytest.mark.parametrize("grade, text, changes, reverse", RECORDS, ids=[row[1] for row in RECORDS])
def test_a_record_that_is_missing_or_wrong_is_found(findings, dns, grade, text, changes, reverse):
    found = asked(findings, dns, changes, reverse)
    assert len(found) == 1 and found[0][0] == grade and text in found[0][2], found


def test_a_tlsa_record_of_the_certificate_that_is_made_for_us_fits(postrider, dns, tmp_path):
    house = postrider()
    house.stop()
    kept = x509.load_pem_x509_certificate((house.folder / "spool/tls/self-signed.pem").read_bytes())
    whole = kept.public_bytes(serialization.Encoding.DER).hex()
    signed = Signed("house.example", f"{HOUSE['mx']}\n{HOUSE['a']}\n_25._tcp.mx TLSA 3 0 0 {whole}\n")
    (tmp_path / "anchor").write_text(signed.anchor)
    server = dns({"house.example": signed})
    house.config["dns"] = {"servers": [server], "trust_anchor": str(tmp_path / "anchor")}
    house.write()
    found = json.loads(house.run("check", "--security", "--json", f"--dns={server}").stdout)["findings"]
    assert not [f for f in found if "DANE" in f["text"] or "TLSA" in f["text"]]


@pytest.mark.parametrize("tlsa, text", [
    ("leaf", None), ("authority", None), ("other", "describes our certificate"), ("useless", "can be used for mail"),
])  # fmt: skip
def test_tlsa_records_are_compared_with_our_certificate(findings, dns, tmp_path, tlsa, text):
    """In a signed zone, and without MTA-STS, which is not missed where there is DANE."""
    authority = Certificate(tmp_path, "authority.example", authority=True)
    ours = Certificate(tmp_path, "mx.house.example", issuer=authority, days=90)
    os.chmod(ours.key_file, 0o600)
    records = {"leaf": ours.tlsa(3, 1, 1), "authority": authority.tlsa(2, 0, 2), "other": authority.tlsa(3, 1, 1), "useless": ours.tlsa(1, 1, 1)}
    zone = "\n".join(line for name, line in HOUSE.items() if name != "sts") + f"\n_25._tcp.mx TLSA {records[tlsa]}\n"
    signed = Signed("house.example", zone)
    (tmp_path / "anchor").write_text(signed.anchor)
    server = dns({"house.example": signed, "2.0.192.in-addr.arpa": REVERSE})
    config = {"dns": {"servers": [server], "trust_anchor": str(tmp_path / "anchor")}, "tls": {"certificates": [ours.pair()]}}
    found = [f for f in findings(config, f"--dns={server}") if f[1] == "dns"]
    wanted = [text] if text else []
    wanted += ["neither DANE nor MTA-STS"] if tlsa == "useless" else []
    assert len(found) == len(wanted) and all(w in f[2] for w, f in zip(wanted, found)), found
