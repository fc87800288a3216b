"""TLS with other programs: Postfix receiving from us under a policy, and judging us; OpenSSL's server
with protocols of every age."""
import subprocess

import pytest

from house import ground
from house.certificates import Certificate
from house.postfix import Postfix

MESSAGE = b"Subject: private\r\n\r\nhello\r\n"


@pytest.fixture
def authority(tmp_path):
    return Certificate(tmp_path, "authority.example", authority=True)


@pytest.mark.parametrize("names, good", [(["mx.postfix.example"], True), (["other.example"], False)])
def test_postfix_receives_what_verify_demands(postrider, peer, tmp_path, authority, names, good):
    certificate = Certificate(tmp_path, "mx.postfix.example", issuer=authority)
    there = peer(Postfix, more="\n".join([
        "smtpd_tls_security_level = encrypt",
        f"smtpd_tls_chain_files = {certificate.key_file}, {certificate.file}",
        "smtpd_tls_received_header = yes",
    ]))
    near = postrider({
        "transports": [{"match": "*", "to": f"smtp://{there.address}:{there.port}"}],
        "tls": {"authorities": authority.file},
        "deliver": {"tls": [{"match": "*", "policy": "verify", "names": names}]},
    })
    near.submit("you@postfix.example", MESSAGE)
    if good:
        (message,) = there.maildir().wait(1)
        assert b"using TLSv1.3" in message and b"ESMTPS" in message
    else:
        assert "mismatch" in near.wait("deferred", status="4.7.5")["text"]


@pytest.mark.parametrize("level, good", [("verify", True), ("verify", False), ("fingerprint", True)])
def test_postfix_believes_who_we_are(postrider, peer, tmp_path, authority, level, good):
    certificate = Certificate(tmp_path, "mx.house.example", issuer=authority)
    house = postrider({"tls": {"certificates": [certificate.pair()]}})
    digest = certificate.tlsa(3, 1, 1).split()[-1] if good else "00" * 32
    there = peer(Postfix, relayhost=f"[{house.address}]:{house.port}", more="\n".join([
        f"smtp_tls_security_level = {level}",
        f"smtp_tls_CAfile = {authority.file}",
        f"smtp_tls_verify_cert_match = {'mx.house.example' if good else 'mx.other.example'}",
        "smtp_tls_fingerprint_digest = sha256",
        f"smtp_tls_fingerprint_cert_match = {':'.join(digest[i:i + 2] for i in range(0, 64, 2))}",
        "smtp_tls_loglevel = 1",
    ]))
    there.sendmail("someone@client.example", ["you@house.example"], MESSAGE.replace(b"\r\n", b"\n"))
    if good:
        assert b"with ESMTPS id" in house.maildir("you").one()
        assert there.wait_log("Verified TLS connection established")
    else:
        assert there.wait_log("status=deferred .*(not verified|not trusted|Server certificate)")
        assert house.maildir("you").count() == 0


@pytest.mark.parametrize("options, version", [
    (["-tls1_3"], "TLSv1.3"),
    (["-tls1_2"], "TLSv1.2"),
    (["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], None),
    (["-tls1", "-cipher", "ALL:@SECLEVEL=0"], None),
    (["-tls1_2", "-cipher", "NULL:@SECLEVEL=0"], None),
])
def test_openssl_s_server_of_every_age(postrider, tmp_path, port, options, version):
    certificate = Certificate(tmp_path, "mx.far.example")
    address = ground.address()
    server = subprocess.Popen(
        ["openssl", "s_server", "-quiet", "-accept", f"{address}:{port}", "-cert", certificate.file, "-key", certificate.key_file, *options],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        ground.until("s_server listens", lambda: f"{address}:{port}" in subprocess.run(["ss", "-Hltn"], capture_output=True, text=True).stdout)
        server.stdin.write(b"220 hello\r\n250 mx.far.example\r\n")
        server.stdin.flush()
        near = postrider({"transports": [{"match": "*", "to": f"smtps://{address}:{port}"}]}, start=False)
        facts = near.json("route", "--connect", "you@far.example", check=0 if version else 75)["ways"][0]["hosts"][0]["connect"]
        assert facts["good"] == bool(version) and facts.get("version") == version, facts
    finally:
        server.kill()
        server.wait()
