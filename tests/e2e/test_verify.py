"""`postrider verify`: SPF, DKIM, ARC and DMARC verdicts of messages that dkimpy signed, by a zone of NSD."""
import base64
import json
import subprocess
import time

import dkim
import nacl.signing
import pytest

from house import ground
from house.dns import Dns

MESSAGE = (b"From: Anna <anna@signed.example>\r\nTo: you@there.example\r\nSubject: A walk\r\n"
           b"Date: Wed, 25 Nov 2026 20:00:00 +0000\r\nMessage-ID: <1@signed.example>\r\n\r\n"
           b"Shall we  walk?\r\n\r\n .\r\n\r\n")
HEADERS = [b"from", b"to", b"subject", b"date", b"message-id"]


def rsa(bits):
    key = subprocess.run(["openssl", "genrsa", "-traditional", str(bits)], capture_output=True, check=True).stdout
    public = subprocess.run(["openssl", "rsa", "-pubout", "-outform", "DER"], input=key, capture_output=True,
                            check=True).stdout
    return key, base64.b64encode(public).decode()


def strings(text):
    """A TXT record's text as the strings of a zone file."""
    return " ".join(f'"{text[at:at + 200]}"' for at in range(0, len(text), 200))


@pytest.fixture(scope="module")
def keys():
    ed = nacl.signing.SigningKey.generate()
    return {"rsa": rsa(2048), "short": rsa(512),
            "ed": (base64.b64encode(bytes(ed)), base64.b64encode(bytes(ed.verify_key)).decode())}


@pytest.fixture(scope="module")
def server(keys, tmp_path_factory):
    zone = (f"@ TXT \"v=spf1 ip4:192.0.2.1 a:mx.signed.example -all\"\nmx A 192.0.2.2\n"
            f"helo TXT \"v=spf1 a -all\"\nhelo A 192.0.2.1\n"
            f"r._domainkey TXT {strings('v=DKIM1; k=rsa; p=' + keys['rsa'][1])}\n"
            f"e._domainkey TXT {strings('v=DKIM1; k=ed25519; p=' + keys['ed'][1])}\n"
            f"short._domainkey TXT {strings('p=' + keys['short'][1])}\n"
            f"gone._domainkey TXT \"v=DKIM1; p=\"\n")
    policy = "_dmarc TXT \"v=DMARC1; p=reject; sp=quarantine\"\n@ TXT \"v=spf1 ip4:192.0.2.7 -all\"\n"
    nsd = Dns(tmp_path_factory.mktemp("verify") / "nsd", {"signed.example": zone, "policy.co.uk": policy})
    yield nsd.start()
    nsd.stop()


@pytest.fixture
def verify(server, tmp_path):
    """verify(message, …options): the exit code and what it says as JSON."""

    def run(message, *options, code=0, raw=False):
        done = subprocess.run([ground.program(), "verify", "--dns", server, *([] if raw else ["--json"]), *options],
                              input=message, capture_output=True, cwd=tmp_path, timeout=30)
        assert done.returncode == code, done.stderr.decode() + done.stdout.decode()
        return done.stdout.decode() if raw else json.loads(done.stdout)

    return run


def sign(message, key, selector="r", **options):
    return dkim.sign(message, selector.encode(), b"signed.example", key[0], include_headers=HEADERS, **options) + message


@pytest.mark.parametrize("header", [b"simple", b"relaxed"])
@pytest.mark.parametrize("body", [b"simple", b"relaxed"])
def test_what_dkimpy_signs_verifies_in_every_canonical_form(verify, keys, header, body):
    signed = sign(MESSAGE, keys["rsa"], canonicalize=(header, body))
    assert verify(signed)["dkim"][0]["result"] == "pass"
    assert verify(signed.replace(b"\r\n", b"\n"))["dkim"][0]["result"] == "pass"
    changed = verify(signed.replace(b"walk?", b"talk?"), code=77)["dkim"][0]
    assert (changed["result"], changed["reason"]) == ("fail", "the body was changed after it was signed")
    spaced = signed.replace(b"Subject: A walk", b"Subject:  A  walk ").replace(b"Shall we  walk?", b"Shall we walk? ")
    both_relaxed = header == body == b"relaxed"
    assert verify(spaced, code=0 if both_relaxed else 77)["dkim"][0]["result"] == ("pass" if both_relaxed else "fail")


def test_ed25519_and_rsa_beside_each_other(verify, keys):
    signed = sign(sign(MESSAGE, keys["rsa"]), keys["ed"], "e", signature_algorithm=b"ed25519-sha256")
    facts = verify(signed)["dkim"]
    assert [(one["algorithm"], one["selector"], one["result"], one["position"]) for one in facts] == [
        ("ed25519-sha256", "e", "pass", 0), ("rsa-sha256", "r", "pass", 1)]


def test_a_signed_length_leaves_what_follows_open(verify, keys):
    signed = sign(MESSAGE, keys["rsa"], length=True, canonicalize=(b"relaxed", b"simple"))
    assert verify(signed + b"advertisement\r\n", code=0)["dkim"][0]["result"] == "pass"
    shorter = verify(signed[:-20], code=77)["dkim"][0]
    assert (shorter["result"], shorter["reason"]) == ("fail", "the body is shorter than what was signed (l=)")


def test_keys_that_do_not_count(verify, keys):
    short = verify(sign(MESSAGE, keys["short"], "short"), code=77)["dkim"][0]
    assert short["result"] == "policy" and "1,024" in short["reason"]
    gone = verify(sign(MESSAGE, keys["rsa"], "gone"), code=77)["dkim"][0]
    assert gone["result"] == "permerror" and "withdrawn" in gone["reason"]
    none = verify(sign(MESSAGE, keys["rsa"], "nowhere"), code=77)["dkim"][0]
    assert none["result"] == "permerror" and "nowhere._domainkey.signed.example" in none["reason"]


def test_spf_of_sender_and_helo(verify):
    facts = verify(MESSAGE, "--ip", "192.0.2.1", "--helo", "helo.signed.example", "--mail-from", "a@signed.example")
    assert [(one["property"], one["domain"], one["result"]) for one in facts["spf"]] == [
        ("smtp.mailfrom", "signed.example", "pass"), ("smtp.helo", "helo.signed.example", "pass")]
    field = facts["authentication_results"]
    assert "spf=pass" in field and "smtp.mailfrom=a@signed.example" in field
    returned = verify(b"Return-Path: <b@signed.example>\r\n" + MESSAGE, "--ip", "192.0.2.3", code=77)["spf"]
    assert [(one["value"], one["result"]) for one in returned] == [("b@signed.example", "fail")]
    null = verify(MESSAGE, "--ip", "192.0.2.9", "--helo", "helo.signed.example", "--mail-from", "<>", code=77)["spf"]
    assert [(one["property"], one["result"]) for one in null] == [("smtp.helo", "fail")]


def test_it_is_told_in_words(verify, keys):
    said = verify(sign(MESSAGE, keys["rsa"]), "--ip", "192.0.2.2", "--mail-from", "a@signed.example", raw=True)
    assert 'SPF       pass      a@signed.example: 192.0.2.2 matches "a:mx.signed.example" in the record' in said
    assert "DKIM      pass      signed.example: it verifies" in said
    assert "ARC       none      there are no ARC fields" in said


def test_a_chain_that_dkimpy_seals_is_whole_until_it_is_touched(verify, keys):
    results = b"Authentication-Results: mx%d.example; arc=%s; spf=pass smtp.mailfrom=a@signed.example\r\n"
    message = MESSAGE
    for number in (1, 2):
        message = results % (number, b"none" if number == 1 else b"pass") + message
        fields = dkim.arc_sign(message, b"r", b"signed.example", keys["rsa"][0], b"mx%d.example" % number,
                               include_headers=HEADERS, timestamp=int(time.time()))
        message = b"".join(fields) + message
    facts = verify(message)["arc"]
    assert (facts["result"], [one["instance"] for one in facts["sets"]]) == ("pass", [1, 2]), facts["reason"]
    before, after = message.split(b"ARC-Authentication-Results: i=1;")
    touched = verify(before + b"ARC-Authentication-Results: i=1;" + after.replace(b"spf=pass", b"spf=fail", 1),
                     code=77)["arc"]
    assert touched["result"] == "fail" and "seal of set 2" in touched["reason"]


def test_dmarc_asks_whether_what_passes_is_for_the_domain_in_from(verify, keys):
    other = MESSAGE.replace(b"anna@signed.example", b"anna@news.policy.co.uk")
    failed = verify(sign(other, keys["rsa"]), code=77)  # a signature that verifies, of somebody else
    assert failed["dkim"][0]["result"] == "pass"
    dmarc = failed["dmarc"]
    assert (dmarc["result"], dmarc["policy_domain"], dmarc["policy"]) == ("fail", "policy.co.uk", "quarantine")
    passed = verify(other, "--ip", "192.0.2.7", "--mail-from", "bounce@policy.co.uk")["dmarc"]
    assert (passed["result"], passed["domain"]) == ("pass", "news.policy.co.uk")
    assert verify(sign(MESSAGE, keys["rsa"]))["dmarc"]["result"] == "none"


def test_wrong_words_and_files(verify, tmp_path):
    verify(b"", "--ip", "192.0.2.256", code=64, raw=True)
    verify(b"", str(tmp_path / "missing.eml"), code=66, raw=True)
    assert "example: postrider verify" in verify(b"", "--help", raw=True)
    (tmp_path / "message.eml").write_bytes(b"From anna Wed Nov 25\n" + MESSAGE)
    assert verify(b"", str(tmp_path / "message.eml"), code=77)["dkim"] == []
