"""TLS towards clients: STARTTLS, implicit, certificates, tricks."""
import smtplib
import socket
import ssl
import subprocess

import pytest

from house import ground

PASSWORD = "correct horse battery"


def make_pair(folder, name, kind="ec"):
    """A certificate for `name`, signed by itself."""
    key = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else ["rsa:2048"]
    pair = {"certificate": str(folder / f"{name}.crt"), "key": str(folder / f"{name}.key")}
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", *key, "-nodes", "-days", "2", "-subj", f"/CN={name}",
         "-addext", f"subjectAltName=DNS:{name}", "-keyout", pair["key"], "-out", pair["certificate"]],
        check=True, capture_output=True,
    )  # fmt: skip
    return pair


def anybody():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def secure(client, context=None, name=None):
    """STARTTLS on a raw client."""
    client.expect(220, "STARTTLS")
    return secure_now(client, context, name)


def secure_now(client, context=None, name=None):
    client.socket = (context or anybody()).wrap_socket(client.socket, server_hostname=name)
    return client


@pytest.fixture
def desk(postrider, tmp_path):
    """STARTTLS on one listener, implicit TLS on another port, of the same name."""
    address, port = ground.address(), ground.port_everywhere()
    one = postrider(
        {
            "networks": ["192.0.2.0/24"],
            "users": {"file": str(tmp_path / "users")},
            "tls": {"certificates": [make_pair(tmp_path, "mx.house.example"),
                                     make_pair(tmp_path, "mail.other.example", "rsa")]},
        },
        start=False,
    )  # fmt: skip
    one.address, one.hidden = address, port
    one.config["listen"] = [
        {"address": f"{address}:{one.port}", "mode": "submission"},
        {"address": f"{address}:{port}", "mode": "submission", "tls": "implicit"},
    ]
    one.write()
    done = one.run("user", "add", "anna", "-c", one.file, input=PASSWORD.encode() + b"\n")
    assert done.returncode == 0, done.stderr
    return one.start()


MESSAGE = "From: anna@house.example\r\nSubject: private\r\n\r\n" + "x" * 70 + "\r\n"


def test_smtplib_by_starttls_logs_in_by_plain_and_login(desk):
    for method in ("auth_plain", "auth_login"):
        with smtplib.SMTP(desk.address, desk.port) as client:
            client.ehlo()
            assert "PLAIN" not in client.esmtp_features["auth"]
            client.starttls(context=anybody())
            client.ehlo()
            assert "starttls" not in client.esmtp_features
            assert {"PLAIN", "LOGIN", "SCRAM-SHA-256-PLUS"} <= set(client.esmtp_features["auth"].split())
            client.user, client.password = "anna", PASSWORD
            client.auth(method[5:].upper(), getattr(client, method))
            client.sendmail("anna@house.example", ["ben@house.example"], MESSAGE)
    mail = desk.maildir("ben").wait(2)[0]
    assert b"with ESMTPSA id" in mail and b"(using TLSv1.3 with cipher TLS_AES_" in mail


def test_implicit_tls(desk):
    with smtplib.SMTP_SSL(desk.address, desk.hidden, context=anybody()) as client:
        client.login("anna", PASSWORD)
        client.sendmail("anna@house.example", ["ben@house.example"], MESSAGE)
    assert b"with ESMTPSA id" in desk.maildir("ben").one()


def test_the_certificate_is_chosen_by_the_name_asked_for(desk, tmp_path):
    for name in ("mx.house.example", "mail.other.example"):
        with desk.client() as client:
            client.hello()
            secure(client, ssl.create_default_context(cafile=tmp_path / f"{name}.crt"), name)
            client.expect(250, "EHLO client.example")


def test_swaks_curl_and_openssl(desk, tmp_path):
    where = f"{desk.address}:{desk.port}"
    swaks = ["swaks", "--server", where, "-tls", "--auth", "PLAIN", "--auth-user", "anna", "--auth-password", PASSWORD,
             "--from", "anna@house.example", "--to", "ben@house.example"]  # fmt: skip
    subprocess.run(swaks, check=True, capture_output=True, timeout=30)
    file = tmp_path / "mail"
    file.write_text(MESSAGE)
    for scheme, port in (("smtp", desk.port), ("smtps", desk.hidden)):
        subprocess.run(
            ["curl", "-s", "--ssl-reqd", "-k", f"{scheme}://{desk.address}:{port}", "--user", f"anna:{PASSWORD}",
             "--mail-from", "anna@house.example", "--mail-rcpt", "ben@house.example", "-T", str(file)],
            check=True, timeout=30,
        )  # fmt: skip
    desk.maildir("ben").wait(3)
    for version, good in (("-tls1_3", True), ("-tls1_2", True), ("-tls1_1", False)):
        done = subprocess.run(
            ["openssl", "s_client", "-starttls", "smtp", "-connect", where, version, "-cipher", "ALL@SECLEVEL=0"],
            input=b"QUIT\r\n", capture_output=True, timeout=30,
        )  # fmt: skip
        assert (b"Verify return code" in done.stdout and b"Cipher is (NONE)" not in done.stdout) == good, version


def test_nothing_said_before_counts(desk):
    from house.scram import log_in

    with desk.client() as client:
        client.hello()
        assert log_in(client, "anna", PASSWORD).code == 235
        secure(client)
        client.expect(503, "MAIL FROM:<anna@house.example>")
        client.expect(250, "EHLO client.example")
        client.expect(530, "MAIL FROM:<anna@house.example>")


@pytest.mark.parametrize("behind", [b"MAIL FROM:<evil@house.example>\r\n", b"MAI", b"\n", b"\x16\x03\x01"])
def test_commands_behind_starttls_are_refused(desk, behind):
    """In one packet, whole or not, and be it the beginning of a handshake that nobody asked for yet."""
    with desk.client() as client:
        client.hello()
        client.send(b"STARTTLS\r\n" + behind)
        client.expect(554)
        with pytest.raises(EOFError):
            client.line()
    desk.wait("tls-injection")


def test_commands_in_a_packet_behind_starttls_are_no_part_of_the_private_session(desk):
    """What comes in the clear after the 220, and a right handshake behind it: that is no handshake."""
    with desk.client() as client:
        client.hello()
        client.expect(220, "STARTTLS")
        client.send(b"MAIL FROM:<evil@house.example>\r\n")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            secure_now(client)
    desk.wait("tls-failed")
    assert not desk.seen("mail")


def test_starttls_in_the_wrong_place(desk):
    with desk.client() as client:
        client.hello()
        client.expect(501, "STARTTLS now")
        secure(client)
        client.expect(250, "EHLO client.example")
        client.expect(502, "STARTTLS")


def test_a_handshake_that_is_none_ends_the_session(desk):
    for junk in (b"EHLO x\r\n", b"\x16\x03\x01\xff\xff" + b"\0" * 100, b"\0" * 70000):
        with desk.client() as client:
            client.hello()
            client.expect(220, "STARTTLS")
            client.socket.sendall(junk)
            client.socket.shutdown(socket.SHUT_WR)
            try:
                while client.socket.recv(4096):
                    pass
            except ConnectionResetError:
                pass
    with smtplib.SMTP_SSL(desk.address, desk.hidden, context=anybody()) as client:
        assert client.ehlo()[0] == 250


def test_a_large_message_and_pipelined_commands(desk):
    body = MESSAGE + "".join(f"{n:070d}\r\n" for n in range(60000))
    with smtplib.SMTP_SSL(desk.address, desk.hidden, context=anybody()) as client:
        client.login("anna", PASSWORD)
        client.sendmail("anna@house.example", ["ben@house.example"], body)
    assert desk.maildir("ben").one().count(b"\n") > 60000
    with desk.client() as client:
        client.hello()
        secure(client)
        client.send(b"EHLO a\r\nNOOP\r\nRSET\r\nNOOP\r\nQUIT\r\n")
        assert [client.reply().code for _ in range(5)] == [250, 250, 250, 250, 221]


def test_without_a_certificate_one_is_made_and_kept(postrider):
    one = postrider()
    seen = []
    for _ in range(2):
        with one.client() as client:
            assert "STARTTLS" in client.hello().text
            secure(client)
            client.expect(250, "EHLO a")
            seen.append(client.socket.getpeercert(binary_form=True))
        one.stop()
        one.start()
    assert seen[0] == seen[1]
    kept = one.folder / "spool/tls/self-signed.pem"
    assert kept.stat().st_mode & 0o777 == 0o600


def test_no_tls_where_it_is_not_wanted(postrider):
    one = postrider(start=False)
    one.config["listen"] = [{"address": f"{one.address}:{one.port}", "mode": "mx", "tls": "none"}]
    one.write()
    one.start()
    with one.client() as client:
        assert "STARTTLS" not in client.hello().text
        client.expect(502, "STARTTLS")


def test_a_wrong_certificate_is_said_at_start(postrider, tmp_path):
    pair = make_pair(tmp_path, "mx.house.example")
    other = make_pair(tmp_path, "mail.other.example")
    for wrong in ({**pair, "key": other["key"]}, {**pair, "certificate": str(tmp_path / "none")}):
        one = postrider({"tls": {"certificates": [wrong]}}, start=False, name=wrong["key"][-20:-4])
        done = one.run("serve", "-c", one.file)
        assert done.returncode == 71 and b"no TLS" in done.stderr
