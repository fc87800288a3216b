"""Mail servers that we judge: Postfix and Exim (GnuTLS) take mail by TLS, under each policy of
`deliver.tls` and under DANE; OpenSMTPD of Debian 12 cannot. One of each for all tests. And OpenSSL's server with protocols of every age."""
import os
import re
import subprocess

import pytest

from house import ground
from house.certificates import Certificate
from house.dns import Dns
from house.exim import CONFIG, Exim
from house.mailbox import fields
from house.opensmtpd import OpenSMTPD
from house.postfix import Postfix
from house.signed import Signed

MESSAGE = b"Subject: private\r\n\r\nhello\r\n"
OTHER = "0123456789abcdef" * 4

# The policy, its host or listener, and the outcome: "private", "private 1.2", "clear", or the status and what the reason holds.
ROWS = {
    "may": ({"policy": "may"}, "mx", "private"),
    "may-clear": ({"policy": "may"}, "clear", "clear"),
    "none": ({"policy": "none"}, "mx", "clear"),
    "encrypt": ({"policy": "encrypt"}, "mx", "private"),
    "encrypt-clear": ({"policy": "encrypt"}, "clear", ("4.7.4", "TLS is required")),
    "verify": ({"policy": "verify"}, "mx", "private"),
    "verify-name": ({"policy": "verify", "names": ["other.example"]}, "mx", ("4.7.5", "mismatch")),
    "fingerprint": ({"policy": "fingerprint", "fingerprints": ["{digest}"]}, "mx", "private"),
    "fingerprint-other": ({"policy": "fingerprint", "fingerprints": [OTHER]}, "mx", ("4.7.5", "fingerprint")),
    "dane": (None, "mx", "private"),
    "dane-wrong": (None, "wrong", ("4.7.5", "no matching DANE TLSA records")),
    "dane-clear": (None, "clear", ("4.7.4", "TLS is required")),
    "implicit": ({"policy": "verify"}, "implicit", "private"),
    "implicit-name": ({"policy": "verify", "names": ["other.example"]}, "implicit", ("4.7.5", "mismatch")),
    "old": ({"policy": "encrypt"}, "old", "private 1.2"),
    "asked": ({"policy": "encrypt"}, "asks", "private"),  # for a certificate of ours, which there is none
    "demanded": ({"policy": "encrypt"}, "demands", ("4.7.1", "No client certificate presented")),
}
# OpenSMTPD 6.8 with OpenSSL 3 offers STARTTLS and then fails every handshake (its issue 1171): a server in
# trouble, to which mail goes in the clear where that is allowed, and else waits.
TROUBLED = {
    "may": "clear",
    **{row: ("4.7.5", "the TLS handshake with") for row in ("encrypt", "verify", "fingerprint", "dane", "implicit", "demanded")},
    **{row: ROWS[row][2] for row in ("none", "may-clear", "encrypt-clear", "dane-clear")},
}


def domain_of(row, peer):
    return f"{row}.{peer}.signed.example"


class Ports:
    """Where each listens."""

    def __init__(self):
        self.usual = ground.port_everywhere()
        self.implicit, self.clear, self.old, self.asks, self.demands = (ground.port_everywhere() for _ in range(5))


def postfix(make, certificate, domains, ports):
    address = ground.address()
    service = "".join(
        f"{address}:{port} inet n - n - - smtpd {options}\n" for port, options in {
            ports.implicit: "-o smtpd_tls_wrappermode=yes",
            ports.clear: "-o smtpd_tls_security_level=none",
            ports.old: "-o smtpd_tls_protocols=TLSv1.2",
            ports.asks: "-o smtpd_tls_ask_ccert=yes",
            ports.demands: "-o smtpd_tls_req_ccert=yes -o smtpd_tls_security_level=encrypt",
        }.items())  # fmt: skip
    return make(Postfix, address=address, port=ports.usual, master=service, more="\n".join([
        f"virtual_mailbox_domains = {' '.join(domains)}",
        "smtpd_tls_security_level = may",
        f"smtpd_tls_chain_files = {certificate.key_file}, {certificate.file}",
        "smtpd_tls_received_header = yes",
    ]))


def exim(make, certificate, domains, ports):
    tls = "\n".join([
        f"tls_advertise_hosts = ${{if ={{$received_port}}{{{ports.clear}}}{{}}{{*}}}}",
        "tls_certificate = /etc/mx.pem",
        "tls_privatekey = /etc/mx.key",
        f"tls_on_connect_ports = {ports.implicit}",
        f"tls_require_ciphers = ${{if ={{$received_port}}{{{ports.old}}}{{NORMAL:-VERS-TLS1.3}}{{NORMAL}}}}",
        "tls_verify_certificates = /etc/mx.pem",
        f"tls_try_verify_hosts = ${{if ={{$received_port}}{{{ports.asks}}}{{*}}{{}}}}",
        f"tls_verify_hosts = ${{if ={{$received_port}}{{{ports.demands}}}{{*}}{{}}}}",
    ]).replace("{", "{{").replace("}", "}}")
    listening = " : ".join(str(port) for port in vars(ports).values())
    config = CONFIG.replace("tls_advertise_hosts =", tls).replace("daemon_smtp_ports = {port}", f"daemon_smtp_ports = {listening}")
    config = config.replace("local_domains = {domain}", f"local_domains = {' : '.join(domains)}")
    key = open(certificate.key_file).read()
    return make(Exim, port=ports.usual, config=config, files={"mx.pem": certificate.text, "mx.key": key})


def opensmtpd(make, certificate, domains, ports):
    address = ground.address()
    os.chmod(certificate.key_file, 0o600)
    first = f'pki house cert "{certificate.file}"\npki house key "{certificate.key_file}"\nca house cert "{certificate.file}"\n'
    first += f"listen on {address} port {ports.implicit} smtps pki house\nlisten on {address} port {ports.clear}\n"
    first += f"listen on {address} port {ports.demands} tls-require verify pki house ca house\n"
    return make(OpenSMTPD, address=address, port=ports.usual, hostname="mx.opensmtpd.signed.example", local=domains,
                tls="tls pki house", first=first)


# How each is started, and the outcome of each row that it can have.
PEERS = {
    "postfix": (postfix, {row: outcome for row, (_, _, outcome) in ROWS.items()}),
    "exim": (exim, {row: outcome for row, (_, _, outcome) in ROWS.items()} | {"demanded": ("4.7.5", "alert certificate required")}),
    "opensmtpd": (opensmtpd, TROUBLED),
}


class Scene:
    """All three with certificates of one authority, the zones that lead to them, and a Postrider."""

    def __init__(self, folder, make, make_peer):
        ports = Ports()
        authority = Certificate(folder, "authority.example", authority=True)
        zone, self.peers, rules, transports = "", {}, [], []
        for name, (start, outcomes) in PEERS.items():
            certificate = Certificate(folder, f"mx.{name}.signed.example", issuer=authority)
            rows = {domain_of(row, name): ROWS[row] for row in outcomes}
            self.peers[name] = start(make_peer, certificate, list(rows), ports)
            address = self.peers[name].address
            zone += f"mx.{name} A {address}\nwrong.{name} A {address}\n"
            zone += f"_{ports.usual}._tcp.mx.{name} TLSA {certificate.tlsa(3, 1, 1)}\n_{ports.usual}._tcp.wrong.{name} TLSA 3 1 1 {OTHER}\n"
            zone += f"_{ports.clear}._tcp.mx.{name} TLSA {certificate.tlsa(3, 1, 1)}\n"
            for domain, (rule, host, _) in rows.items():
                zone += f"{domain}. MX 1 {host if host == 'wrong' else 'mx'}.{name}\n"
                if rule:
                    text = [one.format(digest=certificate.tlsa(3, 1, 1).split()[-1]) for one in rule.get("fingerprints", [])]
                    rules.append({"match": domain, **rule, **({"fingerprints": text} if text else {})})
                if host not in ("mx", "wrong"):
                    scheme = "smtps" if host == "implicit" else "smtp"
                    transports.append({"match": domain, "to": f"{scheme}://mx.{name}.signed.example:{getattr(ports, host)}"})
        signed = Signed("signed.example", zone)
        (folder / "anchor").write_text(signed.anchor)
        self.dns = Dns(folder / "nsd", {"signed.example": signed})
        self.near = make({
            "dns": {"servers": [self.dns.start()], "trust_anchor": str(folder / "anchor")},
            "tls": {"authorities": authority.file},
            "transports": transports,
            "deliver": {"port": ports.usual, "tls": rules},
        })
        self.near.submit([f"you@{domain_of(row, name)}" for name, (_, rows) in PEERS.items() for row in rows], MESSAGE)


@pytest.fixture(scope="module")
def scene(common, common_peer, tmp_path_factory):
    made = Scene(tmp_path_factory.mktemp("scene"), common, common_peer)
    yield made
    made.dns.stop()


@pytest.mark.parametrize("peer, row", [(peer, row) for peer, (_, rows) in PEERS.items() for row in rows])
def test_each_policy_with_each_server(scene, peer, row):
    outcome = PEERS[peer][1][row]
    recipient = f"you@{domain_of(row, peer)}"
    if isinstance(outcome, tuple):
        event = scene.near.wait("deferred", rcpt=recipient)
        assert event["status"].startswith(outcome[0]) and outcome[1] in event["text"], event
    else:
        scene.near.wait("relayed", rcpt=recipient)
        maildir = scene.peers[peer].maildir()  # one for everybody, which gets it after the last reply
        (message,) = ground.until(f"mail to {recipient}", lambda: [m for m in maildir.messages() if recipient.encode() in m])
        received = next(f for f in fields(message, "Received") if b"with ESMTP" in f.replace(b"esmtp", b"ESMTP"))
        private = re.search(rb"with (ESMTPS|esmtps)\b", received)
        assert bool(private) == (outcome != "clear"), received
        version = re.search(rb"TLSv?1\.(.)", received)
        assert not private or version[1] == (b"2" if outcome == "private 1.2" else b"3"), received


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
