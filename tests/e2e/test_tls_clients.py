"""Clients that take nobody's word: each hands over a message by TLS, both ways it begins, to a server
whose name, authority, fingerprint or TLSA record is right, and none where it is wrong. One server for all."""
import base64
import itertools
import re
import ssl
import subprocess

import pytest

from house import ground, unpacked
from house.certificates import Certificate
from house.scram import log_in
from test_tls import anybody, secure

NAME = "mx.house.example"
PASSWORD = "correct horse battery"
HEADER = b"From: <anna@house.example>\r\nTo: <ben@house.example>\r\nSubject: private\r\n\r\n"
_boxes = itertools.count()


class Desk:
    """A server with a certificate by an authority, and what its clients may be told of it."""

    def __init__(self, folder, make):
        self.folder = folder
        self.authority = Certificate(folder, "authority.example", authority=True)
        self.stranger = Certificate(folder, "stranger.example", authority=True)
        self.certificate = Certificate(folder, NAME, issuer=self.authority)
        self.server = make(
            {"users": {"file": str(folder / "users")}, "tls": {"certificates": [self.certificate.pair()]}}, start=False)
        self.address = self.server.address
        self.port = self.server.port  # STARTTLS
        self.hidden = ground.port_everywhere()  # TLS at once
        self.server.config["listen"] = [
            {"address": f"{self.address}:{self.port}", "mode": "submission"},
            {"address": f"{self.address}:{self.hidden}", "mode": "submission", "tls": "implicit"},
        ]
        self.server.write()
        self.server.run("user", "add", "anna", "-c", self.server.file, input=PASSWORD.encode() + b"\n", check=0)
        self.server.start()

    def at(self, implicit):
        return self.hidden if implicit else self.port

    def ca(self, trust):
        return (self.stranger if trust == "authority" else self.authority).file

    def name(self, trust):
        return "mx.other.example" if trust == "name" else NAME

    def digest(self, trust, selector=0):
        """Of the certificate (0) or its key (1), in hexadecimal digits."""
        return "00" * 32 if trust == "fingerprint" else self.certificate.tlsa(3, selector, 1).split()[-1]


@pytest.fixture(scope="module")
def desk(common, tmp_path_factory):
    return Desk(tmp_path_factory.mktemp("desk"), common)


def dialogue(box):
    """What a program that knows no SMTP says in private, pipelined."""
    login = base64.b64encode(f"\0anna\0{PASSWORD}".encode())
    body = HEADER + b"hello\r\n"
    return (b"EHLO client.example\r\nAUTH PLAIN " + login + b"\r\n", b"MAIL FROM:<anna@house.example>\r\n"
            b"RCPT TO:<" + box.encode() + b"@house.example>\r\nBDAT " + str(len(body)).encode() + b" LAST\r\n" + body + b"QUIT\r\n")


def openssl(desk, trust, implicit, box):
    words = ["openssl", "s_client", "-quiet", "-connect", f"{desk.address}:{desk.at(implicit)}", "-servername", NAME,
             "-verify_return_error", "-CAfile", desk.ca(trust), "-verify_hostname", desk.name(trust)]
    words += [] if implicit else ["-starttls", "smtp", "-name", "client.example"]
    return words, b"".join(dialogue(box))


def openssl_dane(desk, trust, implicit, box):
    words = ["openssl", "s_client", "-quiet", "-connect", f"{desk.address}:{desk.at(implicit)}", "-verify_return_error",
             "-dane_tlsa_domain", NAME, "-dane_tlsa_rrdata", f"3 1 1 {desk.digest(trust, 1)}"]
    words += [] if implicit else ["-starttls", "smtp", "-name", "client.example"]
    return words, b"".join(dialogue(box))


def gnutls(desk, trust, implicit, box):
    words = ["gnutls-cli", "--x509cafile", desk.ca(trust), "--verify-hostname", desk.name(trust), "--sni-hostname", NAME,
             "--port", str(desk.at(implicit)), desk.address]
    words += [] if implicit else ["--starttls-proto=smtp"]
    return words, b"".join(dialogue(box))


def curl(desk, trust, implicit, box):
    (desk.folder / box).write_bytes(HEADER + b"hello\r\n")
    where = f"{desk.name(trust)}:{desk.at(implicit)}"
    words = ["curl", "-sS", "--ssl-reqd", "--cacert", desk.ca(trust), "--connect-to", f"{where}:{desk.address}:{desk.at(implicit)}",
             f"{'smtps' if implicit else 'smtp'}://{where}", "--user", f"anna:{PASSWORD}", "--mail-from", "anna@house.example",
             "--mail-rcpt", f"{box}@house.example", "-T", str(desk.folder / box)]
    if trust == "fingerprint":
        words += ["--pinnedpubkey", "sha256//" + base64.b64encode(bytes(32)).decode()]
    return words, None


def msmtp(desk, trust, implicit, box, *more):
    (desk.folder / "password").write_text(PASSWORD)
    words = ["msmtp", "--file=/dev/null", "--host", desk.address, "--port", str(desk.at(implicit)), "--tls=on",
             f"--tls-starttls={'off' if implicit else 'on'}", "--auth=plain", "--user=anna",
             f"--passwordeval=cat {desk.folder}/password", "--from", "anna@house.example", f"{box}@house.example"]
    more = more or (f"--tls-trust-file={desk.ca(trust)}", f"--tls-host-override={desk.name(trust)}")
    return words[:-1] + list(more) + words[-1:], HEADER.replace(b"\r\n", b"\n") + b"hello\n"


def msmtp_fingerprint(desk, trust, implicit, box):
    return msmtp(desk, trust, implicit, box, f"--tls-fingerprint={bytes.fromhex(desk.digest(trust)).hex(':')}", "--tls-trust-file=")


def swaks(desk, trust, implicit, box):
    words = ["swaks", "--server", desk.address, "--port", str(desk.at(implicit)), "--tls-verify", "--tls-ca-path", desk.ca(trust),
             "--tls-sni", NAME, "--auth", "PLAIN", "--auth-user", "anna", "--auth-password", PASSWORD,
             "--from", "anna@house.example", "--to", f"{box}@house.example", "-tlsc" if implicit else "-tls"]
    return words, None


# Who looks at what, and what it says of what is wrong.
CLIENTS = [
    (openssl, {"authority": "certificate verify failed", "name": "certificate verify failed"}),
    (openssl_dane, {"fingerprint": "certificate verify failed"}),
    (gnutls, {"authority": "issuer is unknown", "name": "does not match"}),
    (curl, {"authority": "certificate problem", "name": "no alternative certificate subject name", "fingerprint": "pinned"}),
    (msmtp, {"authority": "hasn't got a known issuer|not trusted|issuer", "name": "does not match"}),
    (msmtp_fingerprint, {"fingerprint": "fingerprint does not match"}),
    (swaks, {"authority": "certificate verify failed|TLS startup failed"}),
]
ROWS = [(client, trust, implicit, reason) for client, wrongs in CLIENTS
        for trust, reason in {"right": None, **wrongs}.items() for implicit in (False, True)]


@pytest.mark.parametrize("client, trust, implicit, reason", ROWS,
                         ids=[f"{c.__name__}-{t}-{'smtps' if i else 'starttls'}" for c, t, i, _ in ROWS])
def test_a_client_hands_over_its_mail_where_all_is_right_and_nowhere_else(desk, client, trust, implicit, reason):
    box = f"box{next(_boxes)}"
    words, given = client(desk, trust, implicit, box)
    done = subprocess.run(words, input=given, capture_output=True, timeout=30)
    assert (done.returncode == 0) == (trust == "right"), done
    if trust == "right":
        mail = desk.server.maildir(box).one()
        assert b"with ESMTPSA id" in mail and b"using TLSv1.3" in mail
    else:
        assert re.search(reason, (done.stdout + done.stderr).decode()), done
        assert desk.server.maildir(box).count() == 0


@pytest.mark.parametrize("mechanism", ["plain", "login", "scram-sha-1", "scram-sha-256"])
def test_msmtp_logs_in_by(desk, mechanism):
    box = f"box{next(_boxes)}"
    words, given = msmtp(desk, "right", False, box)
    subprocess.run([f"--auth={mechanism}" if w.startswith("--auth") else w for w in words], input=given, check=True, timeout=30)
    assert b"with ESMTPSA id" in desk.server.maildir(box).one()
    assert desk.server.wait("login", mechanism=mechanism.upper())


def gsasl(desk, *options):
    """GNU SASL's client, as far as it comes: it ends with an error where nobody types."""
    words = [unpacked.file("usr/bin/gsasl"), "--smtp", f"--connect={desk.address}:{desk.port}", "--authentication-id=anna",
             "--authorization-id=", f"--password={PASSWORD}", "--x509-ca-file=", "--service=smtp", f"--hostname={NAME}"]
    if unpacked.missing(words[0]):
        pytest.skip("gsasl lacks libraries on this machine")
    return subprocess.run([*words, *options], input=b"QUIT\r\n", capture_output=True, timeout=30).stdout


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"])
def test_a_client_binds_its_login_to_the_connection(desk, mechanism):
    assert b"\n235 " in gsasl(desk, "-m", mechanism)
    assert desk.server.wait("login", mechanism=mechanism)


def test_no_binding_is_offered_with_tls_1_2_whose_own_is_not_to_be_trusted(desk):
    context = anybody()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with desk.server.client() as client:
        client.hello()
        secure(client, context)
        assert "PLUS" not in client.expect(250, "EHLO client.example").text
        assert client.ask("AUTH SCRAM-SHA-256-PLUS").code == 504
    assert b"\n235 " in gsasl(desk, "-m", "SCRAM-SHA-256", "--no-cb", "--priority=NORMAL:-VERS-TLS1.3")


@pytest.mark.parametrize("header, binding", [("p=tls-exporter,,", bytes(32)), ("p=tls-unique,,", bytes(12)), ("y,,", b"")],
                         ids=["another connection's", "of another kind", "none, as if none were offered"])
def test_a_login_that_somebody_between_hands_on_is_refused(desk, header, binding):
    """The password is right each time, but what binds it is not, or was taken out of the offer."""
    with desk.server.client() as client:
        client.hello()
        secure(client)
        assert "SCRAM-SHA-256-PLUS" in client.expect(250, "EHLO client.example").text
        assert log_in(client, "anna", PASSWORD, header=header, binding=binding).code == 535


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_gnutls_resumes_by_our_tickets(desk, version):
    done = subprocess.run(
        ["gnutls-cli", "--x509cafile", desk.ca("right"), "--verify-hostname", NAME, "--resume", "--waitresumption",
         f"--priority=NORMAL:-VERS-ALL:+VERS-TLS{version}", "--port", str(desk.hidden), desk.address],
        input=b"QUIT\r\n", capture_output=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 0 and b"This is a resumed session" in done.stdout, done


@pytest.mark.parametrize("program, options", [
    (openssl, ["-tls1_2"]), (openssl, ["-tls1_3"]),
    (gnutls, ["--priority=NORMAL:-VERS-ALL:+VERS-TLS1.2"]), (gnutls, ["--priority=NORMAL:-VERS-ALL:+VERS-TLS1.3"]),
])  # fmt: skip
def test_both_libraries_speak_both_versions(desk, program, options):
    box = f"box{next(_boxes)}"
    words, given = program(desk, "right", False, box)
    subprocess.run([words[0], *(["s_client"] if program is openssl else []), *options, *words[2 if program is openssl else 1:]],
                   input=given, check=True, capture_output=True, timeout=30)
    assert f"using TLSv1.{options[0][-1]}".encode() in desk.server.maildir(box).one()
