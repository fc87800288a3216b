"""Mail to users of this host: delivered as each of them, by the one process that stays root."""
import os
import pathlib
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile

import pytest
from house import ground
from house.postrider import Postrider
from house.smtp_client import queue_id

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
MESSAGE = b"From: s@client.example\r\nSubject: x\r\n\r\nhello\r\n"
ANN, BOB, LOW = 40001, 40002, 900
# Users of a mount namespace's own: /etc/passwd and /var/mail are others there.
NAMESPACE = """
mount --make-rprivate / && mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/group" /etc/group
mount --bind "$1/var-mail" /var/mail
shift; exec setpriv --groups 4,6 --bounding-set "$CAPABILITIES" "$@"  # groups that no user shall get
"""


def capabilities():
    """What the systemd drop-in leaves to root."""
    text = (ground.SOURCE / "dist/system-users.conf").read_text()
    (names,) = [line.split("=")[1] for line in text.splitlines() if line.startswith("CapabilityBoundingSet=CAP")]
    return ",".join(["-all", *("+" + name.removeprefix("CAP_").lower() for name in names.split())])


def can_mount():
    words = ["unshare", "-m", "sh", "-c", "mount --make-rprivate / && mount --bind /tmp /mnt"]
    return subprocess.run(words, capture_output=True).returncode == 0


class Host:
    """A host with users, and a Postrider on it."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="postrider-users-"))
        self.folder.chmod(0o755)
        users = {"ann": ANN, "bob": BOB, "low": LOW, "toor": 0}
        lines = [
            f"{name}:x:{number}:{number}::{self.home(name)}:/bin/sh\n"
            for name, number in users.items()
        ]
        lines.append(f"shy:x:40003:40003::{self.home('shy')}:/usr/sbin/nologin\n")
        (self.folder / "passwd").write_text(pathlib.Path("/etc/passwd").read_text() + "".join(lines))
        (self.folder / "group").write_text(pathlib.Path("/etc/group").read_text())
        (self.folder / "var-mail").mkdir(mode=0o755)
        for name, number in [*users.items(), ("shy", 40003)]:
            self.home(name).mkdir(parents=True, mode=0o755)
            os.chown(self.home(name), number, number)

    def home(self, name):
        return self.folder / "home" / name

    def start(self):
        domains = {"house.example": "system", "var.example": "system:/var/mail/{user}", "box.example": "system:~/box"}
        self.server = Postrider(self.folder / "server", env={"CAPABILITIES": capabilities()}, config={"user": "nobody", "transports": [{"match": "*", "to": "smtp://127.0.0.1:1"}], "deliver": {"timeouts": {"pipe": "3s"}}})
        self.server.config["domains"] = {name: {"mailboxes": place} for name, place in domains.items()}
        self.server.write()
        program = [str(ground.program()), "serve", "-c", str(self.server.file)]
        self.server.launch(["unshare", "-m", "sh", "-ec", NAMESPACE, "sh", str(self.folder), *program])
        self.server.wait("ready")
        self.client = self.server.client()
        self.client.hello()
        return self

    def clear(self):
        for name in ("ann", "bob", "shy"):
            for entry in self.home(name).iterdir():
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()

    def put(self, name, path, text, owner=None, mode=0o600):
        file = self.home(name) / path
        file.write_text(text)
        file.chmod(mode)
        owner = os.stat(self.home(name)).st_uid if owner is None else owner
        os.chown(file, owner, owner)
        return file

    def send(self, name, message=MESSAGE, event="delivered", domain="house.example"):
        self.client.envelope("sender@client.example", f"{name}@{domain}")
        reply = self.client.data(message)
        assert reply.code == 250, reply
        return self.server.wait(event, id=queue_id(reply))

    def new(self, name):
        return sorted((self.home(name) / "Maildir" / "new").glob("*"))


@pytest.fixture(scope="module")
def one_host():
    if not can_mount():
        pytest.skip("no mount namespaces here")
    made = Host()
    try:
        yield made.start()
    finally:
        made.client.ask("QUIT")
        made.server.clean_up()
        shutil.rmtree(made.folder, ignore_errors=True)


@pytest.fixture
def host(one_host):
    one_host.clear()
    return one_host


def owned(path, owner, mode):
    st = path.stat()
    return (st.st_uid, st.st_gid, stat.S_IMODE(st.st_mode)) == (owner, owner, mode)


def test_a_message_lies_in_the_users_maildir_and_is_the_users_alone(host):
    host.send("ann")
    (file,) = host.new("ann")
    assert file.read_bytes().endswith(b"Subject: x\n\nhello\n")
    assert file.read_bytes().startswith(b"Return-Path: <sender@client.example>\nDelivered-To: ann@house.example\n")
    assert owned(file, ANN, 0o600)
    for folder in ("", "tmp", "new", "cur"):
        assert owned(host.home("ann") / "Maildir" / folder, ANN, 0o700)
    assert list((host.home("ann") / "Maildir" / "tmp").iterdir()) == []


def test_root_system_users_and_unknown_ones_are_refused_at_once(host):
    host.client.expect(250, "MAIL FROM:<s@client.example>")
    for name in ("root", "toor", "low", "daemon", "nobody", "nosuch"):
        host.client.expect(550, f"RCPT TO:<{name}@house.example>")
    host.client.expect(250, "RSET")


def test_an_mbox_in_var_mail_is_made_for_the_user_and_grows(host):
    host.send("ann", MESSAGE + b"From here\r\n", domain="var.example")
    host.send("ann", domain="var.example")
    file = host.folder / "var-mail" / "ann"
    assert owned(file, ANN, 0o600)
    text = file.read_bytes()
    assert text.count(b"\nhello\n") == 2 and text.count(b"\n\nFrom sender@client.example ") == 1
    assert b"\n>From here\n" in text


def test_forward_keeps_a_copy_and_sends_one_to_another_user(host):
    host.put("ann", ".forward", "\\ann, bob\n# a comment\n")
    queued = host.send("ann", event="expanded")["id"]
    host.server.wait("delivered", id=queued, rcpt="bob@house.example")
    assert len(host.new("ann")) == 1
    (file,) = host.new("bob")
    assert owned(file, BOB, 0o600)


def test_forwards_that_lead_in_a_circle_end(host):
    host.put("ann", ".forward", "bob\n")
    host.put("bob", ".forward", "ann\n")
    host.send("ann", event="bounced")
    assert host.new("ann") == host.new("bob") == []


def test_a_program_runs_as_the_user_with_the_message_as_its_input(host):
    host.put("ann", ".forward", '"|id -u >got; id -G >>got; grep NoNewPrivs /proc/self/status >>got; cat >>got"\n')
    host.send("ann")
    lines = (host.home("ann") / "got").read_text().splitlines()
    assert lines[0] == lines[1] == str(ANN)
    assert lines[2].split() == ["NoNewPrivs:", "1"] and lines[-1] == "hello"


def test_a_programs_exit_code_decides_and_who_has_no_shell_runs_none(host):
    host.put("ann", ".forward", '"|echo no thanks; exit 77"\n')
    assert "no thanks" in host.send("ann", event="bounced")["text"]
    host.put("shy", ".forward", '"|touch ran"\n')
    host.send("shy", event="bounced")
    assert not (host.home("shy") / "ran").exists()


def test_a_program_that_does_not_end_is_ended_with_its_children_and_the_mail_waits(host):
    host.put("ann", ".forward", '"|echo $$ >pid; sleep 1000"\n')
    assert "took longer than 3 seconds" in host.send("ann", event="deferred")["text"]
    ground.until("it is gone", lambda: ground.is_gone(int((host.home("ann") / "pid").read_text())))


def test_a_postman_that_stands_still_or_dies_is_replaced_and_the_mail_arrives(host):
    host.send("ann")
    stopped = host.server.wait("postman-started")["pid"]
    os.kill(stopped, signal.SIGSTOP)
    late = host.send("ann", event="deferred")
    assert "took longer" in late["text"]
    with host.server.client() as other:
        other.hello()  # no loop waits for it
    host.server.run("queue", "retry", late["id"], check=0)
    host.server.wait("delivered", id=late["id"])
    assert host.server.wait("postman-stuck")["pid"] == stopped
    os.kill(host.server.wait("postman-started", 2)["pid"], signal.SIGKILL)
    host.server.wait("postman-died", 2)
    host.send("ann")
    assert len(host.new("ann")) == 3


def test_files_and_maildirs_of_a_forward_are_written_as_the_user(host):
    folder = host.home("ann")
    host.put("ann", ".forward", f"{folder}/box, {folder}/Lists/\n")
    host.send("ann")
    assert owned(folder / "box", ANN, 0o600)
    assert len(list((folder / "Lists" / "new").iterdir())) == 1
    host.put("ann", ".forward", "/etc/passwd\n")
    host.send("ann", event="deferred")
    assert "hello" not in (host.folder / "passwd").read_text()


@pytest.mark.parametrize("trick", ["link", "hard link", "writable", "another's", "syntax", "fifo"])
def test_a_forward_that_cannot_be_trusted_is_not_followed(host, trick):
    folder = host.home("ann")
    if trick == "link":
        host.put("ann", "real", "bob\n")
        (folder / ".forward").symlink_to("real")
    elif trick == "fifo":
        os.mkfifo(folder / ".forward")
        os.chown(folder / ".forward", ANN, ANN)
    else:
        text = ":include:/etc/shadow\nbob\n" if trick == "syntax" else "bob\n"
        owner = BOB if trick == "another's" else ANN
        file = host.put("ann", ".forward", text, owner, 0o666 if trick == "writable" else 0o644)
        if trick == "hard link":
            os.link(file, folder / "second")
    assert "ignored" in host.send("ann")["text"]
    assert len(host.new("ann")) == 1 and host.new("bob") == []


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_mailbox_that_is_a_link_to_another_users_file_is_not_written(host, link):
    secret = host.put("bob", "secret", "secret\n", mode=0o666)
    link(secret, host.home("ann") / "box")
    host.send("ann", event="deferred", domain="box.example")
    assert secret.read_text() == "secret\n"


def test_without_root_check_and_serve_say_why_it_cannot_be():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="postrider-users-"))
    folder.chmod(0o777)
    try:
        house = Postrider(folder / "house", {"domains": {"house.example": {"mailboxes": "system"}}})
        del house.config["domains"]["house.example"]["users"]
        house.write()
        user = pwd.getpwnam("nobody")
        for verb in ("check", "serve"):
            words = [str(ground.program()), verb, "-c", str(house.file)]
            done = subprocess.run(words, user=user.pw_uid, group=user.pw_gid, capture_output=True, text=True)
            assert done.returncode != 0
            assert "only a server that root starts" in done.stderr
    finally:
        shutil.rmtree(folder)
