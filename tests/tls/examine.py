"""The questions of the survey, and what each answer should be."""
import dataclasses
import re
import subprocess
import tempfile

from hello import (
    HEARTBEAT, P256, P384, P521, PATIENCE, RENEGOTIATION, SHARE, SSL3, TICKET, TLS10, TLS11, TLS12, TLS13, X448, X25519, ask,
)  # fmt: skip

VERSIONS = {"SSL 3.0": SSL3, "TLS 1.0": TLS10, "TLS 1.1": TLS11, "TLS 1.2": TLS12, "TLS 1.3": TLS13}
# Numbers of IANA's registry.
CIPHERS_13 = (0x1301, 0x1302, 0x1303)
GOOD = {
    0xC02B: "ECDHE-ECDSA-AES128-GCM-SHA256", 0xC02F: "ECDHE-RSA-AES128-GCM-SHA256",
    0xC02C: "ECDHE-ECDSA-AES256-GCM-SHA384", 0xC030: "ECDHE-RSA-AES256-GCM-SHA384",
    0xCCA9: "ECDHE-ECDSA-CHACHA20-POLY1305", 0xCCA8: "ECDHE-RSA-CHACHA20-POLY1305",
    0x009E: "DHE-RSA-AES128-GCM-SHA256", 0x009F: "DHE-RSA-AES256-GCM-SHA384", 0xCCAA: "DHE-RSA-CHACHA20-POLY1305",
}  # fmt: skip
BAD = {
    "without encryption (NULL)": (0x0001, 0x0002, 0x003B, 0xC001, 0xC006, 0xC00B, 0xC010, 0xC015, 0x002C),
    "without a certificate (anonymous)": (0x0018, 0x001B, 0x0034, 0x003A, 0x006C, 0x006D, 0x00A6, 0x00A7, 0xC016, 0xC017, 0xC018, 0xC019),
    "of export strength": (0x0003, 0x0006, 0x0008, 0x000B, 0x000E, 0x0011, 0x0014, 0x0017, 0x0019, 0x0060, 0x0061, 0x0062, 0x0063, 0x0064),
    "DES": (0x0009, 0x000C, 0x000F, 0x0012, 0x0015, 0x001A),
    "RC4": (0x0004, 0x0005, 0x008A, 0xC002, 0xC007, 0xC00C, 0xC011, 0xC033),
    "RC2, IDEA, SEED": (0x0007, 0x0096, 0x0097, 0x0098, 0x0099, 0x009A),
    "3DES": (0x000A, 0x000D, 0x0010, 0x0013, 0x0016, 0x008B, 0xC003, 0xC008, 0xC00D, 0xC012),
    "without forward secrecy (RSA)": (0x002F, 0x0035, 0x003C, 0x003D, 0x009C, 0x009D, 0x0041, 0x0084, 0xC09C, 0xC09D, 0xC0A0),
    "CBC": (0x0033, 0x0039, 0x0067, 0x006B, 0x0045, 0x0088, 0xC009, 0xC00A, 0xC013, 0xC014, 0xC023, 0xC024, 0xC027, 0xC028),
    "with a secret shared before (PSK)": (0x008C, 0x008D, 0x00A8, 0x00A9, 0xC035, 0xC036, 0xC037),
}  # fmt: skip
CURVES = {"X25519": (X25519, True), "P-256": (P256, True), "P-384": (P384, True), "P-521": (P521, False), "X448": (X448, False)}
WEAK_CURVES = {"of 160 bits": (0x000F, 0x0010, 0x0011), "of 192 bits": (0x0012, 0x0013), "of 224 bits": (0x0014, 0x0015)}
FALLBACK_SCSV, INAPPROPRIATE_FALLBACK = 0x5600, 86
DOWNGRADED = b"DOWNGRD\1"  # RFC 8446 4.1.3
DEFLATE = 1


@dataclasses.dataclass
class Finding:
    what: str
    wanted: str
    seen: str

    @property
    def good(self):
        return re.fullmatch(self.wanted, self.seen) is not None


class Server:
    """`smtp`: STARTTLS comes first. `name`: what is asked for, or None."""

    def __init__(self, host, port, smtp, name):
        self.host, self.port, self.smtp, self.name = host, port, smtp, name

    def ask(self, version, ciphers, **options):
        return ask(self.host, self.port, self.smtp, version, ciphers, name=self.name, **options)

    def openssl(self, *options, given=b"", name=None):
        """What `openssl s_client` says; quits when `given` has been said."""
        words = ["openssl", "s_client", "-connect", f"{self.host}:{self.port}", *options]
        words += ["-starttls", "smtp"] if self.smtp else []
        name = name or self.name
        words += ["-servername", name] if name else ["-noservername"]
        try:
            done = subprocess.run(words, input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE)
        except subprocess.TimeoutExpired as late:
            done = late
        return (done.stdout or b"").decode(errors="replace")


def word(answer):
    return "offered" if answer.taken else "refused"


def versions(server):
    for what, version in VERSIONS.items():
        ciphers = CIPHERS_13 if version == TLS13 else (*GOOD, *BAD["CBC"], *BAD["without forward secrecy (RSA)"], *BAD["3DES"])
        answer = server.ask(version, ciphers)
        seen = "offered" if answer.taken and answer.version == version else "refused"
        yield Finding(what, "offered" if version >= TLS12 else "refused", seen)


def ciphers(server):
    offered = [name for number, name in GOOD.items() if server.ask(TLS12, [number]).taken]
    yield Finding("TLS 1.2 ciphers with forward secrecy", "[2-9] of 9: .*", f"{len(offered)} of 9: {' '.join(offered)}")
    for what, numbers in BAD.items():
        versions_ = [v for v in (TLS10, TLS12) if server.ask(v, numbers).taken]
        yield Finding(f"ciphers {what}", "refused", "offered" if versions_ else "refused")
    answers = {number: server.ask(TLS13, [number]).taken for number in CIPHERS_13}
    yield Finding("TLS 1.3 ciphers", "[2-3] of 3", f"{sum(answers.values())} of 3")
    taken = server.ask(TLS12, [0x009E]).taken
    yield Finding("Diffie-Hellman in a finite field", "refused|2048 bits or more", dh_bits(server) if taken else "refused")


def dh_bits(server):
    found = re.search(r"Server Temp Key: DH, (\d+) bits", server.openssl("-tls1_2", "-cipher", "DHE"))
    return "2048 bits or more" if found and int(found[1]) >= 2048 else f"{found[1] if found else '?'} bits"


def curves(server):
    for what, (number, wanted) in CURVES.items():
        yield Finding(f"curve {what}", "offered" if wanted else "refused", word(server.ask(TLS13, CIPHERS_13, groups=[number])))
    for what, numbers in WEAK_CURVES.items():
        elliptic = [number for number, name in GOOD.items() if name.startswith("ECDHE")]
        yield Finding(f"curves {what}", "refused", word(server.ask(TLS12, elliptic, groups=numbers)))
    chosen = server.ask(TLS13, CIPHERS_13, groups=[P384, P256, X25519]).extensions.get(SHARE, b"")
    yield Finding("a key share it asks for itself (TLS 1.3)", "yes", "yes" if len(chosen) == 2 else "no")


def safety(server):
    answer = server.ask(TLS12, GOOD, compressions=(DEFLATE, 0), more=(TICKET,))
    yield Finding("compression", "none", "none" if answer.compression == 0 else "DEFLATE")
    yield Finding("secure renegotiation (RFC 5746)", "supported", "supported" if RENEGOTIATION in answer.extensions else "missing")
    yield Finding("session tickets, TLS 1.2", "offered", "offered" if TICKET in answer.extensions else "none")
    yield Finding("sign of a downgrade to TLS 1.2 (RFC 8446 4.1.3)", "present", "present" if answer.random.endswith(DOWNGRADED) else "missing")
    alert = server.ask(TLS12, (*GOOD, FALLBACK_SCSV)).alert
    yield Finding("a client that fell back to TLS 1.2 (RFC 7507)", "refused", "refused" if alert == INAPPROPRIATE_FALLBACK else "taken")
    answer = server.ask(TLS12, GOOD, more=(HEARTBEAT,))
    yield Finding("heartbeat (RFC 6520)", "none", "offered" if HEARTBEAT in answer.extensions else "none")
    said = server.openssl("-tls1_2", given=b"R\nQ\n")
    yield Finding("renegotiation by the client", "refused", "refused" if re.search("no renegotiation|handshake failure|closed", said) else "taken")


def resumption(server):
    with tempfile.NamedTemporaryFile() as kept:
        for what, version in (("TLS 1.2", "-tls1_2"), ("TLS 1.3", "-tls1_3")):
            quit_ = b"QUIT\r\n"  # -ign_eof: until the server closes, so that TLS 1.3's tickets have come
            server.openssl(version, "-ign_eof", "-sess_out", kept.name, given=quit_)
            said = server.openssl(version, "-ign_eof", "-sess_in", kept.name, given=quit_)
            yield Finding(f"resumption by ticket, {what}", "works", "works" if "Reused, TLSv1" in said else "does not")
    early = re.search(r"Max Early Data: ([1-9]\d*)", said)  # which anybody could send a second time
    yield Finding("early data, TLS 1.3", "none", f"up to {early[1]} octets" if early else "none")


def certificates(server):
    said = server.openssl("-showcerts")
    chain = re.findall(r"^ *\d+ s:(.*)\n *i:(.*)$", said, re.M)
    ordered = all(issuer == after for (_, issuer), (after, _) in zip(chain, chain[1:]))
    yield Finding("the chain's order", "right, .*", f"{'right' if ordered and chain else 'wrong'}, {len(chain)} certificates")
    bits = int((re.search(r"Server public key is (\d+) bit", said) or [0, 0])[1])
    yield Finding("the certificate's key", r"(25[6-9]|[3-9]\d\d|204[8-9]|[3-9]\d{3}) bits", f"{bits} bits")
    digest = (re.search(r"Peer signing digest: (\S+)", said) or ["", "none"])[1]
    yield Finding("the handshake's digest", "SHA(256|384|512)", digest)
    if server.name:
        said = server.openssl("-verify_hostname", server.name)
        yield Finding("the name asked for (SNI)", "in the certificate", "missing" if "ostname mismatch" in said else "in the certificate")
    said = server.openssl(name="nobody.invalid")
    yield Finding("a name it does not know (SNI)", "a certificate all the same", "a certificate all the same" if "BEGIN CERTIFICATE" in said else "refused")


def survey(host, port, smtp=False, name=None):
    """All findings, in the order of the table."""
    server = Server(host, port, smtp, name)
    return [f for part in (versions, ciphers, curves, safety, resumption, certificates) for f in part(server)]
