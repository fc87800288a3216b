"""TLS towards other servers: opportunistic, and what the policies of `deliver.tls` demand."""
import hashlib
import ssl
import subprocess

import pytest

from house import ground
from test_tls import make_pair

MESSAGE = b"Subject: private\r\n\r\nhello\r\n"


@pytest.fixture
def pair(tmp_path):
    return make_pair(tmp_path, "mx.far.example")


@pytest.fixture
def ways(postrider, pair):
    """Makes a far server (its options of listening) and a near one with rules for it."""

    def make(rule=None, tls="starttls", scheme="smtp", server=None, authorities=None):
        far = server or postrider(start=False, name="far")
        if server is None:
            far.config["hostname"] = "mx.far.example"
            far.config["tls"] = {"certificates": [pair]}
            far.config["domains"] = {"far.example": {"mailboxes": f"maildir:{far.mail}/{{domain}}/{{local}}/", "users": ["*"]}}
            far.config["listen"] = [{"address": f"{far.address}:{far.port}", "mode": "mx", "tls": tls}]
            far.write()
            far.start()
        near = postrider(
            {
                "transports": [{"match": "far.example", "to": f"{scheme}://{far.address}:{far.port}"}],
                "tls": {"authorities": authorities or pair["certificate"]},
                "deliver": {"tls": [{"match": "far.example", **rule}] if rule else []},
            },
            name="near",
        )
        near.submit("ben@far.example", MESSAGE)
        return near, far

    return make


def arrived(far):
    return far.maildir("ben", "far.example").one()


def test_tls_is_used_where_it_is_offered(ways):
    _, far = ways()
    assert b"with ESMTPS id" in arrived(far)


def test_mail_goes_in_the_clear_where_there_is_none(ways):
    _, far = ways(tls="none")
    assert b"with ESMTP id" in arrived(far)


def test_none_means_in_the_clear(ways):
    _, far = ways({"policy": "none"})
    assert b"with ESMTP id" in arrived(far)


def test_encrypt_waits_where_tls_is_not_offered(ways):
    near, far = ways({"policy": "encrypt"}, tls="none")
    assert "TLS is required" in str(near.wait("deferred", status="4.7.4"))
    assert far.maildir("ben", "far.example").count() == 0


def test_encrypt_takes_any_certificate(ways):
    assert b"with ESMTPS id" in arrived(ways({"policy": "encrypt"})[1])


def test_implicit_tls(ways):
    assert b"with ESMTPS id" in arrived(ways(tls="implicit", scheme="smtps")[1])


@pytest.mark.parametrize("name, good", [("mx.far.example", True), (".far.example", True), ("far.example", False), ("mail.other.example", False)])
def test_verify_wants_the_name(ways, name, good):
    near, far = ways({"policy": "verify", "names": [name]})
    if good:
        assert b"with ESMTPS id" in arrived(far)
    else:
        near.wait("deferred", status="4.7.5")
        assert far.maildir("ben", "far.example").count() == 0


def test_behind_an_address_verify_wants_the_domain_s_name(ways):
    assert b"with ESMTPS id" in arrived(ways({"policy": "verify"})[1])


def test_verify_wants_an_authority(ways, tmp_path):
    stranger = make_pair(tmp_path, "other.example")["certificate"]
    near, far = ways({"policy": "verify", "names": ["mx.far.example"]}, authorities=stranger)
    near.wait("deferred", status="4.7.5")
    assert far.maildir("ben", "far.example").count() == 0


def digests(pair):
    certificate = open(pair["certificate"]).read()
    key = subprocess.run(["openssl", "x509", "-in", pair["certificate"], "-pubkey", "-noout"], check=True, capture_output=True).stdout
    key = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=key, check=True, capture_output=True).stdout
    return (
        hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest(),
        "sha256:" + hashlib.sha256(key).digest().hex(":").upper(),
    )


@pytest.mark.parametrize("which", [0, 1])
def test_fingerprints_of_certificate_and_key(ways, pair, which):
    print_ = digests(pair)[which]
    _, far = ways({"policy": "fingerprint", "fingerprints": ["0" * 64, print_]})
    assert b"with ESMTPS id" in arrived(far)


def test_a_wrong_fingerprint_waits(ways):
    near, far = ways({"policy": "fingerprint", "fingerprints": ["0" * 64]})
    near.wait("deferred", status="4.7.5")
    assert far.maildir("ben", "far.example").count() == 0


def breaks_the_handshake(session, phase, argument):
    if phase == "starttls":
        session.send("220 2.0.0 go on")
        session.read()
        session.send(b"no TLS at all\r\n")
        return "DIE"
    return None


@pytest.mark.parametrize("policy", ["may", "encrypt"])
def test_a_handshake_that_fails(ways, hostile, policy):
    server = hostile(breaks_the_handshake, keywords=("STARTTLS", "8BITMIME"))
    near, _ = ways({"policy": policy}, server=server)
    if policy == "may":
        server.wait(1)
        assert server.count("starttls") == 1 and server.count("connect") == 2
    else:
        near.wait("deferred", status="4.7.5")
        assert not server.mail


@pytest.mark.parametrize("policy", ["may", "encrypt"])
def test_a_refused_starttls(ways, hostile, policy):
    server = hostile({"starttls": None}, keywords=("STARTTLS",))
    near, _ = ways({"policy": policy}, server=server)
    if policy == "may":
        server.wait(1)
    else:
        near.wait("deferred", status="4.7.4")
        assert not server.mail


def test_replies_injected_behind_starttls_are_not_believed(ways, hostile):
    server = hostile({"starttls": b"220 go on\r\n250-evil.example\r\n250 SIZE 1\r\n"}, keywords=("STARTTLS",))
    near, _ = ways({"policy": "encrypt"}, server=server)
    near.wait("deferred")
    assert not server.mail


def test_route_shows_the_policy(ways):
    near, far = ways({"policy": "encrypt"})
    assert "TLS policy encrypt" in near.run("route", "ben@far.example").stdout.decode()


def test_check_refuses_rules_that_make_no_sense(postrider):
    for rule in ({"match": "a.example", "policy": "fingerprint"}, {"policy": "verify"},
                 {"match": "a.example", "policy": "fingerprint", "fingerprints": ["12"]},
                 {"match": "a.example", "policy": "may", "names": ["b.example"]},
                 {"match": "a.example", "policy": "sometimes"}):
        one = postrider({"deliver": {"tls": [rule]}}, start=False, name=f"r{len(str(rule))}")
        assert one.run("check", "-c", one.file).returncode == 1, rule
