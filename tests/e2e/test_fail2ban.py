"""fail2ban's own program reads the log with the filter that is installed with the server."""
import pathlib
import re
import subprocess
import sys

import pytest

from house import ground, unpacked
from house.scram import log_in

FILTER = pathlib.Path(__file__).resolve().parents[2] / "dist/fail2ban/postrider.conf"
LIAR = 'x" client=192.0.2.9 "client":"192.0.2.9'


def found(log):
    """The addresses that fail2ban would ban, and how many lines it understood."""
    done = subprocess.run(
        [sys.executable, unpacked.file("usr/bin/fail2ban-regex"), "-v", str(log), str(FILTER)],
        env={"PYTHONPATH": unpacked.file("usr/lib/python3/dist-packages"), "LC_ALL": "C.UTF-8"},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    matched = int(re.search(r"(\d+) matched", done.stdout)[1])
    return re.findall(r"^\|      (\S+)  \w", done.stdout, re.M), matched


@pytest.fixture(scope="module")
def fail2ban():
    if not pathlib.Path(unpacked.file("usr/bin/fail2ban-regex")).exists():
        pytest.skip("fail2ban's package cannot be had")


@pytest.mark.parametrize("form", ["json", "text"])
def test_who_guesses_passwords_is_found_and_nobody_else(postrider, tmp_path, fail2ban, form):
    house = postrider(
        {
            "log": {"format": form, "level": "info"},
            "networks": ["192.0.2.0/24"],
            "users": {"file": str(tmp_path / "users")},
        },
        start=False,
    )
    house.config["listen"] = [{"address": f"{house.address}:{house.port}", "mode": "submission"}]
    house.write()
    assert house.run("user", "add", "anna", "-c", house.file, input=b"correct horse\n").returncode == 0
    house.launch()
    ground.until("it listens", lambda: ground.accepts(house.address, house.port))
    for name, password, source in (("anna", "correct horse", "127.0.0.3"), ("anna", "wrong", "127.0.0.4"), (LIAR, "wrong", "127.0.0.5")):
        with house.client(source) as client:
            client.hello()
            log_in(client, name, password)
    lines = ground.until("both are logged", lambda: [l for l in house.stderr.read_text().splitlines() if "login-failed" in l][1:])
    assert "192.0.2.9" in lines[-1]
    assert found(house.stderr) == (["127.0.0.4", "127.0.0.5"], 2)
    journal = tmp_path / "journal"
    text = house.stderr.read_text()
    journal.write_text("".join(f"mx postrider[77]: {line}\n" for line in text.splitlines()))
    assert found(journal) == (["127.0.0.4", "127.0.0.5"], 2)
