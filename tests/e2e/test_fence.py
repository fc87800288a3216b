"""The fence: what a worker cannot do, tried from inside, and that mail still flows."""
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import tempfile

import pytest
from house import ground
from house.postrider import Postrider

REFUSALS = {1, 13}  # EPERM, EACCES
root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
MESSAGE = b"Subject: x\r\n\r\nhello\r\n"


def trial_is_built():
    return b"fence-trial" in ground.program().read_bytes()


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """A file that no configuration names, and one more that may be removed."""
    folder = tmp_path / "outside"
    folder.mkdir()
    for name in ("secret", "secret.spare"):
        (folder / name).write_text("secret\n")
    monkeypatch.setenv("POSTRIDER_FENCE_TRIAL", str(folder / "secret"))
    return folder


def attempts(house):
    return {e["attempt"]: e["errno"] for e in house.seen("fence-trial")}


@pytest.fixture
def open_house():
    """Makes Postriders in a folder that others than root can reach."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="postrider-fence-"))
    folder.chmod(0o755)
    made = []

    def make(config):
        made.append(Postrider(folder / "house", {"deliver": {"port": 1}, **config}))
        return made[-1].start()

    make.folder = folder
    yield make
    for house in made:
        house.clean_up()
    shutil.rmtree(folder, ignore_errors=True)


def status(process):
    lines = pathlib.Path(f"/proc/{process}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def test_a_fenced_worker_can_do_none_of_what_it_must_not(postrider, outside):
    if not trial_is_built():
        pytest.skip("this build has no trial in it")
    house = postrider()
    ended = attempts(house)
    assert len(ended) == 15
    assert {name: error for name, error in ended.items() if error not in REFUSALS} == {}
    house.submit("you@house.example", MESSAGE)
    house.maildir("you").one()


@root
def test_the_trial_shows_what_is_not_fenced(postrider, outside, monkeypatch):
    """The attempts are real ones: without the fence they are let."""
    if not trial_is_built():
        pytest.skip("this build has no trial in it")
    monkeypatch.setenv("POSTRIDER_FENCE_TRIAL_BEFORE", "1")
    house = postrider()
    assert {name for name, error in attempts(house).items() if error} <= {"open a packet socket", "open a raw socket"}
    assert not (outside / "secret.spare").exists()


def test_a_release_has_no_trial_in_it():
    release = ground.SOURCE / "build" / "postrider"
    if not release.exists():
        pytest.skip("there is no release build")
    program = release.read_bytes()
    assert b"worker-started" in program
    assert b"fence-trial" not in program and b"POSTRIDER_FENCE_TRIAL" not in program


def test_a_worker_has_no_privileges(house):
    worker = status(house.worker())
    assert worker["NoNewPrivs"] == "1" and worker["Seccomp"] == "2"
    for kind in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        assert int(worker[kind], 16) == 0, kind
    assert house.seen("fenced")[0]["no_new_privs"] == "yes"


@root
def test_root_becomes_the_user_that_is_configured(open_house):
    house = open_house({"user": "nobody"})
    worker = status(house.worker())
    assert set(worker["Uid"].split()) == {"65534"} and set(worker["Gid"].split()) == {"65534"}
    assert worker["Groups"].split() in ([], ["65534"])
    house.submit("you@house.example", MESSAGE)
    house.maildir("you").one()
    assert house.json("queue", "list")["messages"] == []
    os.kill(house.worker(), signal.SIGKILL)
    house.wait("ready", 2)
    assert os.stat(house.control).st_uid == 65534


@root
def test_a_key_that_is_roots_is_used_and_cannot_be_read(open_house, tmp_path, monkeypatch):
    """Its folder is the configuration's, which the worker may read: but the key process read it before."""
    if not trial_is_built():
        pytest.skip("this build has no trial in it")
    pair = {"certificate": str(tmp_path / "c.pem"), "key": str(tmp_path / "k.pem")}
    subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-keyout", pair["key"], "-out", pair["certificate"],
         "-subj", "/CN=x", "-days", "9"], check=True, capture_output=True)
    folder = open_house.folder
    for name, mode in (("certificate", 0o644), ("key", 0o600)):
        pair[name] = shutil.copy(pair[name], folder)
        os.chmod(pair[name], mode)
    monkeypatch.setenv("POSTRIDER_FENCE_TRIAL", pair["key"])
    house = open_house({"user": "nobody", "tls": {"certificates": [pair]}})
    assert attempts(house)["read a file outside"] in REFUSALS
    with house.client() as client:
        client.hello()
        client.expect(220, "STARTTLS")
        context = ssl.create_default_context(cafile=pair["certificate"])
        context.check_hostname = False
        with context.wrap_socket(client.socket) as private:
            assert private.version() == "TLSv1.3"


@root
def test_a_user_that_is_not_there_is_told(postrider):
    house = postrider({"user": "nobody-of-that-name"}, start=False)
    done = house.run("serve", "-c", house.file)
    assert done.returncode == 67 and b"nobody-of-that-name" in done.stderr


def test_a_reload_that_needs_more_than_the_fence_leaves_gets_a_new_worker(house):
    other = house.folder / "other"
    house.config["domains"]["other.example"] = {"mailboxes": f"maildir:{other}/{{local}}/", "users": ["*"]}
    house.write()
    house.process.send_signal(signal.SIGHUP)
    house.wait("restarting")
    house.wait("ready", 2)
    assert not house.seen("worker-died")
    house.submit("you@other.example", MESSAGE)
    ground.until("it is delivered there", lambda: list(other.glob("you/new/*")))
