"""Users in the keeping of other programs: PostgreSQL, OpenLDAP, PAM, Dovecot. Each the same way: right,
wrong and unknown, hostile names, and no answer while it is down."""
import os
import pathlib
import signal
import subprocess

import pytest

from house import ground, unpacked
from house.certificates import Certificate
from house.dovecot import Dovecot
from house.login_desk import PASSWORD, Desk, crypt
from house.postgresql import Postgresql
from house.slapd import Slapd

ANNA = {"query": "SELECT password FROM users WHERE name = $1"}


@pytest.fixture
def stopped_after():
    """stopped_after(server) is stopped at the end of the test."""
    made = []
    yield lambda server: made.append(server) or server
    for server in made:
        server.stop()


@pytest.fixture
def postgresql():
    one = Postgresql()
    yield one
    one.remove()


def test_users_in_postgresql(postrider, postgresql):
    script = (
        "CREATE TABLE users (name text PRIMARY KEY, password text)\n"
        f"INSERT INTO users VALUES ('anna', '{crypt(PASSWORD)}')\n"
        f"INSERT INTO users VALUES ('ben@house.example', '{crypt('b')}')\n"
    )
    pg = postgresql.make(script).start()
    desk = Desk(postrider, [{"postgresql": pg.connection(), **ANNA}])
    desk.judges()
    desk.withstands()
    pg.stop()
    trouble = desk.is_down()
    assert trouble["store"] == "postgresql" and "secret" not in trouble["reason"]
    assert b"postgresql gives no answer now" in desk.server.run("check").stderr
    pg.start()
    desk.is_back()
    pg.stop()
    pg.start()
    assert desk.plain("anna").code == 235  # a connection that broke meanwhile is replaced
    test = lambda: desk.server.run("user", "test", "ben@house.example", "-c", desk.server.file, input=b"b\n")
    for query, code in [
        ("SELECT password FROM users WHERE name = $2 || '@' || $3 AND length($1) > 1", 0),
        ("UPDATE users SET password = '' WHERE name = $1 RETURNING password", 75),
        ("SELECT pg_sleep(60)::text WHERE $1 <> ''", 75),
        ("SELECT nonsense", 75),
    ]:
        desk.server.config["users"]["stores"] = [{"postgresql": pg.connection(), "query": query, "timeout": "500ms"}]
        desk.server.write()
        assert test().returncode == code, query


LDIF = f"""\
dn: dc=house,dc=example
objectClass: domain
dc: house

dn: cn=reader,dc=house,dc=example
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: reads

dn: uid=anna,dc=house,dc=example
objectClass: inetOrgPerson
uid: anna
cn: Anna
sn: A
userPassword: {PASSWORD}

dn: cn=twin,dc=house,dc=example
objectClass: inetOrgPerson
uid: anna2
uid: twin
cn: twin
sn: T
userPassword: {PASSWORD}

dn: cn=twin2,dc=house,dc=example
objectClass: inetOrgPerson
uid: twin
cn: twin2
sn: T
userPassword: {PASSWORD}
"""


def test_users_in_a_directory(postrider, tmp_path, stopped_after):
    if missing := unpacked.missing(unpacked.file("usr/sbin/slapd")):
        assert set(missing) <= {"libslapi-2.5.so.0"}, missing
    authority = Certificate(tmp_path, "Authority", authority=True)
    certificate = Certificate(tmp_path, "localhost", issuer=authority)
    (tmp_path / "reader").write_text("reads\n")
    slapd = stopped_after(Slapd(tmp_path / "slapd", certificate).make(LDIF).start())
    search = {
        "ldap": f"ldap://{slapd.address}:{slapd.port}", "base": "dc=house,dc=example", "filter": "(uid={user})",
        "bind_dn": "cn=reader,dc=house,dc=example", "password_file": str(tmp_path / "reader"), "timeout": "2s",
    }  # fmt: skip
    desk = Desk(postrider, [search])
    desk.judges()
    desk.withstands()
    assert desk.plain("twin").code == 535  # two entries: nobody
    slapd.stop()
    assert "Can't contact" in desk.is_down()["reason"]
    slapd.start()
    desk.is_back()

    template = {"ldap": search["ldap"], "dn": "uid={user},dc=house,dc=example"}
    private = {**search, "authorities": authority.file}
    for store, name, code in [
        (template, "anna", 0), (template, "anna,dc=house,dc=example+uid=anna", 67), (template, "", 67),
        ({**private, "ldap": f"ldaps://{slapd.address}:{slapd.tls_port}"}, "anna", 75),  # not its name
        ({**private, "ldap": f"ldap://{slapd.address}:{slapd.port}", "starttls": "yes"}, "anna", 75),
        ({**search, "bind_dn": "cn=nobody,dc=house,dc=example"}, "anna", 75),
        ({**search, "filter": "(uid={user}"}, "anna", 75),
    ]:  # fmt: skip
        desk.server.config["users"]["stores"] = [store]
        desk.server.write()
        done = desk.server.run("user", "test", name, "-c", desk.server.file, input=PASSWORD.encode())
        assert done.returncode == code, (store, name, done.stdout)
        assert desk.server.json("check")["stores"][0]["reached"] == (code != 75)


def test_users_in_a_directory_by_tls(postrider, tmp_path, stopped_after):
    authority = Certificate(tmp_path, "Authority", authority=True)
    slapd = stopped_after(Slapd(tmp_path / "slapd", None))
    slapd.certificate = Certificate(tmp_path, slapd.address, issuer=authority)
    slapd.make(LDIF).start()
    common = {"dn": "uid={user},dc=house,dc=example", "authorities": authority.file}
    ways = [
        {"ldap": f"ldaps://{slapd.address}:{slapd.tls_port}", **common},
        {"ldap": f"ldap://{slapd.address}:{slapd.port}", "starttls": "yes", **common},
    ]
    for way in ways:
        server = postrider({"users": {"stores": [way]}}, start=False)
        server.write()
        for password, code in [(PASSWORD, 0), ("wrong", 67)]:
            done = server.run("user", "test", "anna", "-c", server.file, input=password.encode())
            assert done.returncode == code, done.stdout + pathlib.Path(slapd.folder / "log").read_bytes()[-500:]


def pam_service(folder, script):
    """A service whose one module asks `script`: the password on its standard input, the user in PAM_USER."""
    program = folder / "judge"
    program.write_text("#!/bin/sh\n" + script)
    program.chmod(0o755)
    service = folder / "postrider"
    service.write_text(
        f"auth [success=1 default=ignore] pam_exec.so quiet expose_authtok {program}\n"
        "auth requisite pam_deny.so\nauth required pam_permit.so\naccount required pam_permit.so\n"
    )
    return service


def test_users_of_pam(postrider, tmp_path):
    service = pam_service(tmp_path, f'[ "$PAM_USER" = anna ] && [ "$(tr -d "\\000")" = "{PASSWORD}" ]\n')
    desk = Desk(postrider, [{"pam": str(service), "timeout": "1s"}])
    desk.judges()
    desk.withstands()
    hanging = tmp_path / "hangs"
    pam_service(tmp_path, f"echo $$ > {hanging}\nexec sleep 600\n")
    assert "no answer in time" in desk.is_down()["reason"]
    os.kill(int(hanging.read_text()), signal.SIGKILL)
    pam_service(tmp_path, "true\n")
    desk.is_back()
    service.unlink()
    assert b"there is no" in desk.server.run("check").stderr


def test_users_of_the_system_by_pam(postrider, tmp_path):
    if not unpacked.can_be_installed():
        pytest.skip("a file of users for the system takes the right to mount")
    server = postrider({"users": {"stores": [{"pam": "postrider"}]}}, start=False)
    server.write()
    machine = tmp_path / "machine"
    ask = unpacked.as_installed(machine, ground.program(), "user", "test", "anna", "-c", server.file)
    (machine / "etc" / "pam.d").mkdir()
    (machine / "etc" / "pam.d" / "postrider").write_text("auth required pam_unix.so\naccount required pam_unix.so\n")
    with (machine / "etc" / "passwd").open("a") as passwd:
        passwd.write("anna:x:3001:3001::/:/bin/sh\n")
    (machine / "etc" / "shadow").write_text(f"anna:{crypt(PASSWORD)}:19000:0:99999:7:::\n")
    for password, code in [(PASSWORD, 0), ("wrong", 67)]:
        done = subprocess.run(ask, input=password.encode(), capture_output=True)
        assert done.returncode == code, (done.stdout, done.stderr)


DOVECOT = """
service auth {{
  unix_listener {folder}/login.sock {{
    mode = 0666
  }}
}}
"""


def test_users_of_dovecot(postrider, tmp_path, port, stopped_after):
    if not unpacked.can_be_installed():
        pytest.skip("Dovecot finds its parts only where it may mount")
    folder = tmp_path / "dovecot"
    (tmp_path / "passwd").write_text(f"anna:{{CRYPT}}{crypt(PASSWORD)}::::::\nlate:{{CRYPT}}{crypt(PASSWORD)}::::::\n")
    passdb = f"passdb {{\n driver = passwd-file\n args = {tmp_path}/passwd\n}}\n"
    dovecot = Dovecot(folder, port, more="auth_failure_delay = 0\n" + DOVECOT.format(folder=folder), passdb=passdb)
    stopped_after(dovecot.start())
    desk = Desk(postrider, [{"dovecot": str(folder / "login.sock"), "timeout": "5s"}])
    desk.judges()
    desk.withstands()
    dovecot.stop()
    assert desk.is_down()["store"] == f"dovecot:{folder}/login.sock"
    assert b"gives no answer now" in desk.server.run("check").stderr


@pytest.mark.parametrize("store, problem", [
    ({"ldap": "ldaps://x", "base": "dc=x"}, "{user} or {local} must stand"),
    ({"ldap": "ldaps://x"}, "this store needs `base` and `filter`, or `dn`"),
    ({"ldap": "ldaps://x", "dn": "cn=all"}, "{user} or {local} must stand"),
    ({"ldap": "ldaps://x", "dn": "cn={user}", "bind_dn": "cn=x"}, "need each other"),
    ({"ldap": "x", "dn": "cn={user}"}, "expected a URL"),
    ({"pam": "x", "starttls": "yes"}, "are for ldap"),
])  # fmt: skip
def test_what_no_store_elsewhere_is_gets_told(postrider, store, problem):
    server = postrider({"users": {"stores": [store]}}, start=False)
    assert problem in server.run("check", check=1).stderr.decode()
