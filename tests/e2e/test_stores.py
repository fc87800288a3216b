"""Users in stores beyond the file: what each answers, and what is said when it gives no answer."""
import base64
import os
import pathlib
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from house import ground
from house.login_desk import PASSWORD, Desk, crypt
from house.postrider import Postrider
from house.scram import log_in as scram

def database(path, rows):
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE users (name TEXT PRIMARY KEY, password TEXT, scram TEXT)")
    db.executemany("INSERT INTO users VALUES (?, ?, ?)", rows)
    db.commit()
    db.close()
    return str(path)


@pytest.fixture
def table(tmp_path):
    return database(tmp_path / "users.db", [("anna", crypt(PASSWORD), None), ("ben", "{CRYPT}" + crypt("b"), "")])


QUERY = "SELECT password, scram FROM users WHERE name = :user"


def test_users_in_sqlite(postrider, table):
    desk = Desk(postrider, [{"sqlite": table, "query": QUERY}])
    desk.judges()
    assert "AUTH PLAIN LOGIN" in desk.offer and "SCRAM" not in desk.offer
    assert desk.plain("ben", "b").code == 235
    desk.withstands()
    os.rename(table, table + ".away")
    assert desk.is_down()["store"] == f"sqlite:{table}"
    checked = desk.server.run("check")
    assert checked.returncode == 0 and b"gives no answer now" in checked.stderr
    os.rename(table + ".away", table)
    desk.is_back()
    assert desk.server.json("check")["stores"] == [{"store": f"sqlite:{table}", "reached": True, "reason": ""}]


def test_keys_of_scram_in_sqlite(postrider, table, tmp_path):
    users = tmp_path / "made"
    desk = Desk(postrider, [{"sqlite": table, "query": QUERY}], mechanisms=["SCRAM-SHA-256", "PLAIN"])
    done = desk.server.run("user", "add", "carl", "-f", users, input=PASSWORD.encode())
    assert done.returncode == 0, done.stderr
    keys = users.read_text().split()[2]
    db = sqlite3.connect(table)  # held open: who reads shares its write-ahead log
    db.execute("PRAGMA journal_mode = wal")
    db.execute("INSERT INTO users VALUES ('carl', NULL, ?)", (keys,))
    db.commit()
    for name, password, code in [("carl", PASSWORD, 235), ("carl", "wrong", 535), ("anna", PASSWORD, 535), ("x", PASSWORD, 535)]:
        with desk.server.client(source=ground.address()) as client:
            client.hello()
            assert scram(client, name, password).code == code, name
    assert desk.plain("carl").code == 535  # there are keys, but no hash of the password


def test_a_query_may_not_write_and_a_slow_one_ends_at_the_time_limit(postrider, table):
    slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n WHERE :user = 'anna'"
    desk = Desk(postrider, [{"sqlite": table, "query": slow, "timeout": "200ms"}])
    assert "interrupt" in desk.is_down()["reason"]
    desk.server.config["users"]["stores"][0]["query"] = "DELETE FROM users WHERE name = :user RETURNING password"
    desk.server.write()
    desk.server.process.send_signal(signal.SIGHUP)
    desk.server.wait("reloaded")
    assert desk.plain("anna").code == 454
    assert "changes what is stored" in desk.server.wait("store-trouble", 2)["reason"]
    assert sqlite3.connect(table).execute("SELECT count(*) FROM users").fetchone() == (2,)


def test_a_store_that_is_slow_holds_nobody_else_up(postrider, tmp_path):
    silent = socket.socket(socket.AF_UNIX)  # it takes connections, and says nothing
    silent.bind(str(tmp_path / "silent"))
    silent.listen(64)
    users = tmp_path / "users"
    desk = Desk(postrider, [{"file": str(users)}, {"dovecot": str(tmp_path / "silent"), "timeout": "1m"}])
    done = desk.server.run("user", "add", "anna", "-f", users, input=PASSWORD.encode())
    assert done.returncode == 0, done.stderr
    waiting = [desk.client() for _ in range(20)]
    for client in waiting:
        client.send("AUTH PLAIN " + base64.b64encode(b"\0nobody\0x").decode() + "\r\n")
    asked = [silent.accept()[0] for _ in range(12)]
    with desk.client() as other:  # a handshake, and commands, on the same loops
        other.expect(250, "NOOP")
        other.expect(530, "MAIL FROM:<anna@house.example>")
        assert desk.plain("anna").code == 235  # by the file, which is not the one that is silent
        early = select.select([client.socket for client in waiting], [], [], 0)[0]
        assert len(early) <= 8  # those are told at once to come back, and nothing is asked for them
    for one in (silent, *asked):
        one.close()
    assert {client.reply().code for client in waiting} == {454}
    assert desk.plain("anna").code == 235
    for client in waiting:
        client.close()


def test_the_first_store_that_knows_a_name_answers_and_none_is_passed_over(postrider, table, tmp_path):
    other = database(tmp_path / "other.db", [("anna", crypt("other"), None), ("dora", crypt("d"), None)])
    stores = [{"sqlite": table, "query": QUERY}, {"sqlite": other, "query": QUERY}]
    desk = Desk(postrider, stores)
    assert desk.plain("dora", "d").code == 235
    assert desk.plain("anna", "other").code == 535 and desk.plain("anna").code == 235
    told = desk.server.run("user", "test", "dora", "-c", desk.server.file, input=b"d\n", check=0)
    assert b"sqlite:" in told.stdout and b"other.db" in told.stdout
    assert desk.server.run("user", "test", "dora", "-c", desk.server.file, input=b"x\n").returncode == 67
    os.remove(table)
    assert desk.plain("dora", "d").code == 454
    down = desk.server.run("user", "test", "dora", "-c", desk.server.file, input=b"d\n")
    assert down.returncode == 75 and b"users.db" in down.stdout


def login_process(server):
    children = subprocess.run(["pgrep", "-P", str(server.process.pid), "-f", "--", "--login"], capture_output=True, text=True)
    return [int(word) for word in children.stdout.split()]


def test_a_login_process_that_dies_is_replaced(postrider, table):
    desk = Desk(postrider, [{"sqlite": table, "query": QUERY}])
    assert desk.plain("anna").code == 235
    with desk.client() as between, desk.client() as fresh:
        between.expect(334, "AUTH LOGIN")
        (process,) = login_process(desk.server)
        os.kill(process, signal.SIGKILL)
        desk.server.wait("login-died", signal=9)
        assert between.ask(base64.b64encode(b"anna").decode()).code == 454
        assert fresh.ask("AUTH PLAIN " + base64.b64encode(b"\0anna\0" + PASSWORD.encode()).decode()).code == 235
        assert login_process(desk.server) not in ([], [process])


def test_a_login_process_that_stands_still_is_replaced_and_holds_up_nobody_but_logins(postrider, table):
    desk = Desk(postrider, [{"sqlite": table, "query": QUERY}])
    assert desk.plain("anna").code == 235
    (process,) = login_process(desk.server)
    with desk.client() as other:
        os.kill(process, signal.SIGSTOP)
        with ThreadPoolExecutor(1) as clients:
            waiting = clients.submit(desk.plain, "anna")
            assert other.ask("NOOP").code == 250  # on whichever loop it is
            assert waiting.result().code == 454
    assert desk.server.wait("login-stuck")["pid"] == process
    assert desk.plain("anna").code == 235
    assert login_process(desk.server) not in ([], [process])


def test_after_a_reload_the_old_login_process_ends_and_the_new_one_has_the_new_users(postrider, table):
    desk = Desk(postrider, [{"sqlite": table, "query": QUERY}])
    assert desk.plain("anna").code == 235
    old = login_process(desk.server)
    with desk.client() as between:
        between.expect(334, "AUTH LOGIN")
        between.expect(334, base64.b64encode(b"anna").decode())
        desk.server.config["users"]["stores"][0]["query"] = "SELECT NULL WHERE :user = ''"
        desk.server.write()
        desk.server.process.send_signal(signal.SIGHUP)
        desk.server.wait("reloaded")
        assert desk.plain("anna").code == 535
        between.expect(235, base64.b64encode(PASSWORD.encode()).decode())
    ground.until("the old process has ended", lambda: not set(old) & set(login_process(desk.server)))
    assert len(login_process(desk.server)) == 1


@pytest.fixture
def open_house():
    """Makes a Postrider in a folder that others than root can reach."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="postrider-stores-"))
    folder.chmod(0o755)
    made = []

    def make(config, start):
        made.append(Postrider(folder / "house", config))
        return made[-1]

    make.folder = folder
    yield make
    for house in made:
        house.clean_up()
    shutil.rmtree(folder, ignore_errors=True)


def test_a_release_started_by_root_lets_users_log_in_from_behind_its_fence(open_house, monkeypatch):
    release = ground.SOURCE / "build" / "postrider"  # the fence of builds with sanitizers has more doors
    if not release.exists():
        pytest.skip("there is no release build")
    monkeypatch.setattr(ground, "program", lambda: release)
    table = database(open_house.folder / "users.db", [("anna", crypt(PASSWORD), None)])
    desk = Desk(open_house, [{"sqlite": table, "query": QUERY}], {"user": "nobody"} if os.geteuid() == 0 else {})
    desk.judges()
    (process,) = login_process(desk.server)
    assert os.stat(f"/proc/{process}/mem").st_uid == 0  # whose memory nobody may look into, that is root's
    assert os.geteuid() != 0 or "\nUid:\t65534\t65534\t65534\t65534\n" in open(f"/proc/{process}/status").read()


def test_the_login_process_is_fenced_in(postrider, table):
    desk = Desk(postrider, [{"sqlite": table, "query": QUERY}])
    assert desk.plain("anna").code == 235
    (process,) = login_process(desk.server)
    status = dict(line.split(":\t", 1) for line in open(f"/proc/{process}/status").read().splitlines() if ":\t" in line)
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2" and int(status["CapEff"], 16) == 0


def test_a_reload_brings_users_where_there_were_none(postrider, table):
    address = ground.address()
    server = postrider({"listen": [], "networks": ["192.0.2.0/24"]}, start=False)
    server.address = address
    server.config["listen"] = [{"address": f"{address}:{server.port}", "mode": "submission"}]
    server.write()
    server.start()
    with server.client() as client:
        assert "AUTH" not in client.hello().text
    server.config["users"] = {"stores": [{"sqlite": table, "query": QUERY}], "mechanisms": ["SCRAM-SHA-256"]}
    server.write()
    server.process.send_signal(signal.SIGHUP)
    server.wait("ready", 2)
    with server.client() as client:
        assert "AUTH SCRAM-SHA-256" in client.hello().text


@pytest.mark.parametrize("store, problem", [
    ({"sqlite": "x.db"}, "this store needs a `query`"),
    ({"file": "x", "query": "SELECT 1"}, "`query` is for"),
    ({"query": "SELECT 1"}, "a store is one of"),
    ({"sqlite": "x.db", "file": "x", "query": "SELECT 1"}, "a store is one of"),
    ({"sqlight": "x.db"}, 'did you mean "sqlite"?'),
])  # fmt: skip
def test_what_no_store_is_gets_told(postrider, store, problem):
    server = postrider({"users": {"stores": [store]}}, start=False)
    assert problem in server.run("check", check=1).stderr.decode()
