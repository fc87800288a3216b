"""What our TLS offers and refuses, by `tests/tls/survey`, which anybody can point at a server; and that it
sees what is wrong with a server that is."""
import socket
import ssl
import subprocess
import sys
import threading
import warnings

import pytest

from house import ground
from house.certificates import Certificate
from test_tls import make_pair

SURVEY = ground.SOURCE / "tests" / "tls" / "survey"
NAME = "mx.house.example"
OP_ALLOW_CLIENT_RENEGOTIATION = 0x100  # of OpenSSL 3; Python has no name for it


def survey(*options):
    """{what: (good, the rest of the line)}, and the exit code."""
    done = subprocess.run([sys.executable, "-B", str(SURVEY), *options], capture_output=True, text=True, timeout=60)
    print(done.stdout, done.stderr)
    lines = [line for line in done.stdout.splitlines() if line[:5] in ("ok   ", "BAD  ")]
    rows = {what.strip(): (line.startswith("ok"), seen.strip()) for line in lines for what, _, seen in [line[5:].partition("  ")]}
    return rows, done.returncode


@pytest.fixture(scope="module")
def house(common, tmp_path_factory):
    """STARTTLS at one port, TLS at once at another; certificates of EC, of RSA, and of both kinds for one name."""
    folder = tmp_path_factory.mktemp("survey")
    certificate = Certificate(folder, NAME, issuer=Certificate(folder, "authority.example", authority=True))
    pairs = [certificate.pair(), make_pair(folder, "rsa.house.example", "rsa")]
    for kind in ("ec", "rsa"):
        (folder / kind).mkdir()
        pairs.append(make_pair(folder / kind, "both.house.example", kind))
    one = common({"tls": {"certificates": pairs}}, start=False)
    one.hidden = ground.port_everywhere()
    one.config["listen"].append({"address": f"{one.address}:{one.hidden}", "mode": "mx", "tls": "implicit"})
    one.write()
    return one.start()


@pytest.mark.parametrize("way", ["starttls", "implicit"])
@pytest.mark.parametrize("name, ciphers", [(NAME, 3), ("rsa.house.example", 5), ("both.house.example", 8)])
def test_nothing_is_offered_that_should_not_be_and_nothing_is_missing(house, way, name, ciphers):
    where = ["--starttls", f"{house.address}:{house.port}"] if way == "starttls" else [f"{house.address}:{house.hidden}"]
    rows, code = survey("--name", name, *where)
    assert code == 0 and len(rows) > 35
    assert all(good for good, _ in rows.values())
    assert rows["TLS 1.2 ciphers with forward secrecy"][1].startswith(f"{ciphers} of 9: ")
    assert rows["the chain's order"][1] == f"right, {2 if name == NAME else 1} certificates"


class Careless:
    """A server with all that OpenSSL can still be talked into, which hangs up on the first word."""

    def __init__(self, folder):
        old, other = Certificate(folder, "old.example"), Certificate(folder, "other.example")
        (folder / "chain").write_text(old.text + other.text)  # the second has nothing to do with the first
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "chain", old.key_file)
        self.context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
        self.context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_ecdh_curve("prime256v1")
        self.context.options |= ssl.OP_NO_TICKET | OP_ALLOW_CLIENT_RENEGOTIATION
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that TLS 1.0 is old is what it is here for
            self.context.minimum_version = ssl.TLSVersion.TLSv1
        self.listener = socket.create_server((ground.address(), 0))
        self.where = "%s:%d" % self.listener.getsockname()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.hang_up, args=(connection,), daemon=True).start()

    def hang_up(self, connection):
        connection.settimeout(10)
        try:
            with self.context.wrap_socket(connection, server_side=True) as private:
                private.recv(100)
        except OSError:
            connection.close()

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def test_the_survey_sees_what_is_wrong(tmp_path):
    server = Careless(tmp_path)
    rows, code = survey("--name", "mx.example", server.where)
    server.stop()
    assert code == 1
    bad = {what for what, (good, _) in rows.items() if not good}
    assert bad == {
        "TLS 1.0", "TLS 1.1", "TLS 1.3", "TLS 1.3 ciphers", "ciphers without encryption (NULL)", "ciphers without a certificate (anonymous)",
        "ciphers CBC", "curve X25519", "curve P-256", "curve P-384", "a key share it asks for itself (TLS 1.3)",
        "sign of a downgrade to TLS 1.2 (RFC 8446 4.1.3)", "a client that fell back to TLS 1.2 (RFC 7507)",
        "session tickets, TLS 1.2", "resumption by ticket, TLS 1.2", "resumption by ticket, TLS 1.3",
        "renegotiation by the client", "the chain's order", "the name asked for (SNI)",
    }  # fmt: skip
