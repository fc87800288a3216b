"""Certificates: several kinds of key for a name, and others in their place while the server runs."""
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess

import pytest

from house import ground
from house.certificates import Certificate
from house.smtp_client import Client

NAME = "mx.house.example"


def anybody():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def serial(private):
    """Whose certificate was shown, by its number."""
    import cryptography.x509

    return cryptography.x509.load_der_x509_certificate(private.getpeercert(binary_form=True)).serial_number


def shown(house, name=NAME):
    """STARTTLS; the number of the certificate that a new client gets."""
    with Client(house.address, house.port) as client:
        client.hello()
        client.expect(220, "STARTTLS")
        with anybody().wrap_socket(client.socket, server_hostname=name) as private:
            return serial(private)


def replace(live, certificate):
    """As careful tools do: the files beside the old ones, then renamed over them."""
    for file, name in ((certificate.file, "chain.pem"), (certificate.key_file, "key.pem")):
        shutil.copy(file, live / (name + ".new"))
        (live / (name + ".new")).rename(live / name)


@pytest.fixture(params=["apart", "worker"])
def server(postrider, tmp_path, request):
    """A Postrider with one certificate, `first`, in the folder `live`."""
    live = tmp_path / "live"
    live.mkdir()
    first = Certificate(tmp_path, NAME, days=90)
    replace(live, first)
    pair = {"certificate": str(live / "chain.pem"), "key": str(live / "key.pem")}
    house = postrider({"loops": 2, "tls": {"certificates": [pair], "keys": request.param}}, start=False)
    house.live, house.first, house.hidden = live, first, ground.port_everywhere()
    house.config["listen"].append({"address": f"{house.address}:{house.hidden}", "mode": "mx", "tls": "implicit"})
    house.write()
    house.start()
    assert shown(house) == first.certificate.serial_number
    return house


def test_a_client_gets_the_kind_of_certificate_that_it_can_check(postrider, tmp_path):
    pairs = [Certificate(tmp_path, NAME, kind=kind, days=90).pair() for kind in ("ec", "rsa")]
    pairs.append(Certificate(tmp_path, "other.example", days=90).pair())
    house = postrider({"tls": {"certificates": pairs}})
    rows = [
        ([], "ECDSA"),
        (["-sigalgs", "rsa_pss_rsae_sha256:RSA+SHA256"], "RSA-PSS"),
        (["-sigalgs", "ECDSA+SHA256"], "ECDSA"),
        (["-tls1_2", "-cipher", "aRSA"], "RSA"),
        (["-tls1_2", "-cipher", "aECDSA"], "ECDSA"),
        (["-sigalgs", "rsa_pss_rsae_sha256", "-noservername"], "RSA-PSS"),
        (["-sigalgs", "rsa_pss_rsae_sha256", "-servername", "other.example"], None),
    ]
    for options, kind in rows:
        name = [] if set(options) & {"-noservername", "-servername"} else ["-servername", NAME]
        done = subprocess.run(
            ["openssl", "s_client", "-starttls", "smtp", "-connect", f"{house.address}:{house.port}", *name, *options],
            input=b"QUIT\r\n", capture_output=True, timeout=30,
        )  # fmt: skip
        found = re.search(rb"Peer signature type: (\S+)", done.stdout)
        assert (found and found[1].decode()) in (kind, "RSA-PSS" if kind == "RSA" else kind), options


def test_new_files_come_into_use_and_no_connection_is_lost(server, tmp_path):
    second = Certificate(tmp_path, NAME, days=80)
    early = socket.create_connection((server.address, server.hidden))
    with Client(server.address, server.port) as plain, Client(server.address, server.port) as private:
        plain.hello()
        private.hello()
        private.expect(220, "STARTTLS")
        private.socket = anybody().wrap_socket(private.socket)
        private.expect(250, "EHLO client.example")
        replace(server.live, second)
        assert server.wait("certificates-reloaded")["count"] == 1
        loaded = server.wait("certificate-loaded", 2)
        assert loaded["names"] == NAME and loaded["ends"] == second.certificate.not_valid_after.date().isoformat()
        assert {shown(server) for _ in range(8)} == {second.certificate.serial_number}, "on each loop"
        private.expect(250, "NOOP")
        plain.expect(220, "STARTTLS")
        plain.socket = anybody().wrap_socket(plain.socket)
        assert serial(plain.socket) == second.certificate.serial_number
        early = anybody().wrap_socket(early)
        assert serial(early) == second.certificate.serial_number
        early.close()
    assert len(server.seen("worker-started")) == 1


def test_what_is_half_written_is_not_used(server, tmp_path):
    second = Certificate(tmp_path, NAME, days=80)
    chain = pathlib.Path(second.file).read_bytes()
    (server.live / "chain.pem").write_bytes(chain[:200])
    server.wait("certificates-kept", 1)
    (server.live / "chain.pem").write_bytes(chain)  # whose key is not there
    server.wait("certificates-kept", 2)
    assert shown(server) == server.first.certificate.serial_number
    (server.live / "key.pem").unlink()
    server.wait("certificates-kept", 3)
    if server.config["tls"]["keys"] == "apart":
        os.kill(server.worker(), signal.SIGKILL)
        server.wait("ready", 2)
        assert shown(server) == server.first.certificate.serial_number, "a new worker gets what was in use"
    replace(server.live, second)
    server.wait("certificates-reloaded")
    assert shown(server) == second.certificate.serial_number


def test_a_link_that_is_switched_counts(server, tmp_path):
    """As certbot does: live/NAME/chain.pem leads to ../../archive/NAME/chain1.pem."""
    archive, live = tmp_path / "archive/x", tmp_path / "le/x"
    archive.mkdir(parents=True)
    live.mkdir(parents=True)
    made = [Certificate(tmp_path, NAME, days=days) for days in (50, 60)]

    def switch(number):
        for file, name in ((made[number].file, "chain"), (made[number].key_file, "key")):
            shutil.copy(file, archive / f"{name}{number}.pem")
            (live / "link").symlink_to(f"../../archive/x/{name}{number}.pem")
            (live / "link").rename(live / f"{name}.pem")

    switch(0)
    server.stop()
    server.config["tls"]["certificates"] = [{"certificate": str(live / "chain.pem"), "key": str(live / "key.pem")}]
    server.write()
    server.start()
    assert shown(server) == made[0].certificate.serial_number
    switch(1)
    server.wait("certificate-loaded", ends=made[1].certificate.not_valid_after.date().isoformat())
    server.wait("certificates-reloaded")
    assert shown(server) == made[1].certificate.serial_number


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can have files that its worker cannot read")
def test_a_folder_that_only_root_may_enter_will_do(postrider, tmp_path):
    live = tmp_path / "live"
    live.mkdir(mode=0o700)
    first, second = Certificate(tmp_path, NAME, days=90), Certificate(tmp_path, NAME, days=80)
    replace(live, first)
    for above in tmp_path.parents:
        if above.stat().st_uid == os.geteuid() and len(above.parts) > 2:
            above.chmod(0o755)
    tmp_path.chmod(0o755)
    house = postrider(
        {"user": "nobody", "tls": {"certificates": [{"certificate": str(live / "chain.pem"), "key": str(live / "key.pem")}]}},
        start=False,
    )
    os.chown(house.folder, 65534, 65534)
    house.start()
    assert shown(house) == first.certificate.serial_number
    replace(live, second)
    house.wait("certificates-reloaded")
    assert shown(house) == second.certificate.serial_number


def test_a_reload_brings_certificates_and_takes_them_away(postrider, tmp_path):
    house = postrider()
    own = shown(house)
    first = Certificate(tmp_path, NAME, days=90)
    house.config["tls"] = {"certificates": [first.pair()]}
    house.write()
    house.process.send_signal(signal.SIGHUP)
    house.wait("certificates-reloaded")
    assert shown(house) == first.certificate.serial_number
    house.config["tls"] = {}
    house.write()
    house.process.send_signal(signal.SIGHUP)
    house.wait("certificates-reloaded", 2)
    assert shown(house) == own, "the one that is signed by itself is kept"
    kept = subprocess.run(
        ["openssl", "x509", "-in", house.folder / "spool/tls/self-signed.pem", "-noout", "-text"], check=True, capture_output=True
    ).stdout
    assert b"prime256v1" in kept


def test_a_reload_that_needs_another_worker_brings_certificates_too(postrider, tmp_path):
    """The new worker begins with what is in use, and gets the new ones when they are found right, before or after."""
    made = [Certificate(tmp_path, NAME, days=90), Certificate(tmp_path, "other.example", days=90)]
    house = postrider({"tls": {"certificates": [made[0].pair()]}})
    house.config["tls"]["certificates"].append(made[1].pair())
    (tmp_path / "else").mkdir()
    house.config["domains"]["new.example"] = {"mailboxes": f"maildir:{tmp_path}/else/{{local}}/", "users": ["*"]}
    house.write()
    house.process.send_signal(signal.SIGHUP)
    house.wait("restarting")
    house.wait("ready", 2)
    house.wait("certificate-loaded", names="other.example")
    assert shown(house, "other.example") == made[1].certificate.serial_number
    assert not house.seen("worker-died")


def test_one_that_ends_soon_is_told(postrider, tmp_path):
    made = [Certificate(tmp_path, f"{days}.example", days=days) for days in (13, 15, -1)]
    house = postrider({"tls": {"certificates": [one.pair() for one in made]}})
    assert house.wait("certificate-expires", names="13.example")["days_left"] in (12, 13)
    assert house.wait("certificate-expires", names="-1.example")["level"] == "error"
    assert not house.seen("certificate-expires", names="15.example")
