"""What is no file where one is configured: an error that names it, at once, and nothing waits or is read without end."""
import os
import subprocess

import pytest

from house import ground
from house.certificates import Certificate

KINDS = ["fifo", "device", "folder", "huge", "circle", "missing"]


def make(folder, kind):
    path = folder / kind
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        return "/dev/zero"
    elif kind == "folder":
        path.mkdir()
    elif kind == "huge":
        with path.open("wb") as file:
            file.truncate(1 << 40)
    elif kind == "circle":
        path.symlink_to(path)
    return str(path)


@pytest.fixture
def pair(tmp_path):
    return Certificate(tmp_path, "mx.house.example")


QUERY = "SELECT password FROM users WHERE name = :user"
PLACES = {
    "certificate": lambda f, pair: {"tls": {"certificates": [{"certificate": f, "key": pair.key_file}]}},
    "key": lambda f, pair: {"tls": {"certificates": [{"certificate": pair.file, "key": f}]}},
    "authorities": lambda f, _: {"tls": {"authorities": f}},
    "trust anchor": lambda f, _: {"dns": {"trust_anchor": f}},
    "aliases": lambda f, _: {"domains": {"house.example": {"aliases": f}}},
    "users of a domain": lambda f, _: {"domains": {"house.example": {"users": f}}},
    "dkim": lambda f, _: {"dkim": [{"domain": "house.example", "selector": "s", "key": f}]},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", PLACES)
def test_check_names_what_is_no_file(postrider, tmp_path, pair, place, kind):
    file = make(tmp_path, kind)
    house = postrider(PLACES[place](file, pair), start=False)
    told = house.run("check").stderr.decode()
    assert "error: " in told and file in told and str(house.file) in told, told


@pytest.mark.parametrize("place", ["authorities", "trust anchor", "certificate"])
@pytest.mark.parametrize("kind", ["fifo", "device"])
def test_a_server_does_not_start_by_what_is_no_file_and_says_so(postrider, tmp_path, pair, place, kind):
    file = make(tmp_path, kind)
    house = postrider(PLACES[place](file, pair), start=False).launch()
    assert house.process.wait(ground.PATIENCE) == 71
    house.reader.join()
    house.process = None
    assert file in house.stderr.read_text()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("store", ["sqlite", "file", "password_file"])
def test_a_store_that_is_no_file_gives_no_answer(postrider, tmp_path, store, kind):
    file = make(tmp_path, kind)
    if (store, kind) == ("file", "missing"):
        pytest.skip("a file of no users")
    stores = {
        "sqlite": {"sqlite": file, "query": QUERY}, "file": {"file": file},
        "password_file": {"ldap": "ldap://127.0.0.1:1", "base": "dc=x", "filter": "(uid={user})", "bind_dn": "cn=x",
                          "password_file": file},
    }  # fmt: skip
    house = postrider({"users": {"stores": [stores[store]]}}, start=False)
    done = house.run("user", "test", "anna", "-c", house.file, input=b"x\n", check=75)
    assert (file if store != "password_file" else "no password") in (done.stdout + done.stderr).decode()


def test_trace_of_a_device_comes_to_an_end():
    done = subprocess.run([ground.program(), "trace", "/dev/zero"], capture_output=True, timeout=ground.PATIENCE)
    assert done.returncode in (0, 1, 65), done
