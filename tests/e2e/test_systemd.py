"""The units that are installed, under a real systemd: started, reloaded, killed, stopped, and woken by a client."""
import json
import shutil

import dns.rcode
import pytest

from house import ground
from house.dns import OddDns, respond
from house.mailbox import Maildir
from house.systemd import Machine

CONFIG = {
    "hostname": "mx.house.example",
    "log": {"format": "json"},
    "listen": [{"address": "0.0.0.0:25"}, {"address": "[::]:25"}, {"address": "127.0.0.1:587", "mode": "submission"}],
    "users": {"file": "/etc/postrider/users"},
    "domains": {
        "house.example": {"mailboxes": "maildir:/srv/mail/{domain}/{local}/", "users": ["*"]},
        "piped.example": {"mailboxes": "pipe:/usr/bin/tee /srv/mail/piped", "users": ["*"]},
    },
}
PASSWORD = "correct horse battery"
# What the journal would get, to a file; and no search for leaks where the build has one: the unit forbids its ptrace.
DROP_IN = """[Service]
StandardError=append:/run/postrider-log
Environment=ASAN_OPTIONS=detect_leaks=0
"""


@pytest.fixture(scope="module")
def machine():
    if not shutil.which("swaks"):
        pytest.skip("swaks is not installed")
    one = Machine()
    try:
        names = one.within(lambda: OddDns(lambda query: respond(query, rcode=dns.rcode.NXDOMAIN)))
        one.names = names.start()
        install(one)
        yield one
        names.stop()
    finally:
        one.end()


def install(machine):
    units, etc = machine.root / "run/units", machine.root / "etc/postrider"
    for name in ("postrider.service", "postrider.socket"):
        shutil.copy(ground.SOURCE / "dist" / name, units)
    (units / "postrider.service.d").mkdir()
    (units / "postrider.service.d/trial.conf").write_text(DROP_IN)
    shutil.copy(ground.program(), machine.root / "usr/local/bin/postrider")
    etc.mkdir(parents=True, exist_ok=True)
    configure(machine)
    shutil.copy(ground.SOURCE / "dist/postrider.sysusers", machine.root / "run/postrider.conf")
    machine.run("systemd-sysusers", "/run/postrider.conf", check=0)
    machine.run("install", "-d", "-o", "postrider", "/srv/mail", check=0)
    machine.run("systemctl", "daemon-reload", check=0)


def configure(machine, **more):
    """`more`: further domains."""
    config = {**CONFIG, "dns": {"servers": [machine.names]}, "domains": {**CONFIG["domains"], **more}}
    (machine.root / "etc/postrider/postrider.yaml").write_text(json.dumps(config))


def start(machine, *units):
    machine.run("systemctl", "reset-failed")
    done = machine.run("systemctl", "start", *units)
    log = machine.root / "run/postrider-log"
    assert done.returncode == 0, done.stderr + (log.read_text()[-2000:] if log.exists() else "")


def swaks(machine, to, *words):
    machine.run("swaks", "--server", "127.0.0.1", "--from", "anna@house.example", "--to", to, *words, check=0)


def send(machine, box, *words):
    swaks(machine, f"{box}@house.example", *words)
    Maildir(machine.root / "srv/mail/house.example" / box).one()


def test_the_units_are_sound_and_as_closed_as_the_readme_says(machine):
    verified = machine.run("env", "SYSTEMD_UNIT_PATH=/run/units", "systemd-analyze", "verify", "postrider.service", "postrider.socket")
    assert (verified.returncode, verified.stderr) == (0, "")
    told = machine.run("systemd-analyze", "security", "--offline=true", "/run/units/postrider.service", check=0).stdout
    score = told.rpartition("postrider.service: ")[2].split()[0]
    assert f": {score}, \"OK\"" in (ground.SOURCE / "README.md").read_text(), score


def test_the_service_says_when_it_is_ready_and_has_no_more_rights_than_it_needs(machine):
    start(machine, "postrider.service")
    send(machine, "ready")
    send(machine, "six", "--server", "::1")
    pid = machine.show("postrider.service", "MainPID")
    status = dict(line.split(":\t", 1) for line in machine.run("cat", f"/proc/{pid}/status", check=0).stdout.splitlines()
                  if ":\t" in line)
    user = machine.run("id", "-u", "postrider", check=0).stdout.strip()
    assert status["Uid"].split() == [user] * 4
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert int(status["CapBnd"], 16) == int(status["CapEff"], 16) == 1 << 10  # CAP_NET_BIND_SERVICE
    for path, writable in (("/usr/x", False), ("/etc/x", False), ("/home/x", False), ("/srv/mail/x", True),
                           ("/var/spool/postrider/x", True)):
        done = machine.run("nsenter", "-t", pid, "-m", "-r", "touch", path)
        assert (done.returncode == 0) == writable, path


def test_its_helpers_log_in_sign_and_run_programs_under_the_same_restrictions(machine):
    (machine.root / "run/password").write_text(PASSWORD + "\n")
    machine.run("sh", "-c", "postrider user add anna -c /etc/postrider/postrider.yaml < /run/password", check=0)
    machine.run("chgrp", "postrider", "/etc/postrider/users", check=0)
    machine.run("chmod", "640", "/etc/postrider/users", check=0)
    start(machine, "postrider.service")
    send(machine, "submitted", "-p", "587", "-tls", "--auth", "PLAIN", "--auth-user", "anna", "--auth-password", PASSWORD)
    swaks(machine, "x@piped.example", "--header", "Subject: piped")
    piped = machine.root / "srv/mail/piped"
    ground.until("the program has it", lambda: piped.exists() and "Subject: piped" in piped.read_text())


def test_with_the_drop_in_users_of_the_host_get_mail_as_themselves(machine):
    drop_in = machine.root / "run/units/postrider.service.d/system-users.conf"
    machine.run("useradd", "--create-home", "--uid", "40001", "ann", check=0)
    machine.run("systemctl", "stop", "postrider.service", check=0)
    shutil.copy(ground.SOURCE / "dist/system-users.conf", drop_in)
    configure(machine, **{"host.example": {"mailboxes": "system"}})
    machine.run("systemctl", "daemon-reload", check=0)
    start(machine, "postrider.service")
    swaks(machine, "ann@host.example")
    new = machine.root / "home/ann/Maildir/new"
    ground.until("she has mail", lambda: new.exists() and list(new.iterdir()))
    assert {file.stat().st_uid for file in new.iterdir()} == {40001}
    machine.run("systemctl", "stop", "postrider.service", check=0)
    drop_in.unlink()
    configure(machine)
    machine.run("systemctl", "daemon-reload", check=0)


def test_a_reload_is_carried_out_or_refused_and_mail_goes_on(machine):
    start(machine, "postrider.service")
    machine.run("systemctl", "reload", "postrider.service", check=0)
    (machine.root / "etc/postrider/postrider.yaml").write_text("nonsense: [\n")
    assert machine.run("systemctl", "reload", "postrider.service").returncode != 0
    assert machine.show("postrider.service", "ActiveState") == "active"
    send(machine, "reloaded")
    machine.run("systemctl", "stop", "postrider.service", check=0)
    assert machine.show("postrider.service", "Result") == "success"
    assert machine.run("systemctl", "start", "postrider.service").returncode != 0
    ground.until("it is not tried again", lambda: machine.show("postrider.service", "SubState") == "failed")
    configure(machine)


def test_a_kill_is_followed_by_a_start_and_the_socket_waits_meanwhile(machine):
    machine.run("systemctl", "stop", "postrider.service")
    start(machine, "postrider.socket", "postrider.service")
    machine.run("systemctl", "kill", "-s", "KILL", "postrider.service", check=0)
    send(machine, "killed")
    assert int(machine.show("postrider.service", "NRestarts")) == 1


def test_a_client_wakes_a_service_that_is_stopped(machine):
    machine.run("systemctl", "stop", "postrider.service", "postrider.socket")
    start(machine, "postrider.socket")
    assert machine.show("postrider.service", "ActiveState") == "inactive"
    send(machine, "woken")
    assert machine.show("postrider.service", "ActiveState") == "active"
    machine.run("systemctl", "stop", "postrider.socket", "postrider.service", check=0)
    assert machine.show("postrider.service", "Result") == "success"
