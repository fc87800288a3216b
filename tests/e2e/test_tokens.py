"""Users who log in by a token: OAUTHBEARER (RFC 7628), XOAUTH2, and the server that knows the tokens (RFC
7662)."""
import base64
import json
import smtplib
import ssl
import subprocess
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest

from house import ground
from house.certificates import Certificate
from house.login_desk import Desk
from house.web import Web

TOKEN = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg=="


class Issuer:
    """Says of tokens what `facts` has of them, at https://localhost."""

    def __init__(self, folder):
        self.authority = Certificate(folder, "Authority", authority=True)
        certificate = Certificate(folder, "localhost", issuer=self.authority)
        self.port = ground.port_everywhere()
        self.facts, self.credentials, self.misbehave = {}, [], None
        self.web = Web("127.0.0.1", self.port, certificate.context(), "", self.answer)
        self.web.start()

    def answer(self, handler, body):
        form = urllib.parse.parse_qs(body.decode())
        self.credentials.append(base64.b64decode(handler.headers["Authorization"].split()[1]).decode())
        if self.misbehave:
            self.misbehave(handler)
        else:
            handler.give(json.dumps(self.facts.get(form["token"][0], {"active": False})))

    def asked(self):
        return len(self.web.posts)


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    one = Issuer(tmp_path_factory.mktemp("issuer"))
    yield one
    one.web.stop()


@pytest.fixture
def desk(postrider, issuer, tmp_path):
    issuer.misbehave = None
    issuer.facts = {TOKEN: {"active": True, "username": "anna", "scope": "openid mail", "aud": ["x", "mail.example"]}}
    (tmp_path / "secret").write_text("s3:cret &\n")
    store = {
        "introspection": f"https://localhost:{issuer.port}/introspect", "authorities": issuer.authority.file,
        "client_id": "post rider", "password_file": str(tmp_path / "secret"), "scope": "mail",
        "audience": "mail.example", "openid_configuration": "https://id.example/.well-known/openid-configuration",
        "timeout": "2s",
    }  # fmt: skip
    one = Desk(postrider, [store])
    yield one
    told = one.server.stderr.read_text()
    assert not [word for word in (*issuer.facts, "s3:cret", "s3%3Acret") if word in told]


def bearer(token=TOKEN, user="anna", more=""):
    return base64.b64encode(f"n,a={user},\x01host=x\x01port=587\x01auth=Bearer {token}\x01{more}\x01".encode()).decode()


def xoauth2(token=TOKEN, user="anna"):
    return base64.b64encode(f"user={user}\x01auth=Bearer {token}\x01\x01".encode()).decode()


def log_in(desk, line, then=None):
    with desk.client() as client:
        reply = client.ask(f"AUTH {line}")
        return client.ask(then) if then is not None and reply.code == 334 else reply


def refused(desk, line, answer="AQ=="):
    """What the client is told, after which it must give up."""
    with desk.client() as client:
        told = client.expect(334, f"AUTH {line}").text
        last = client.ask(answer)
        assert last.code == 535 and last.status == "5.7.8"
        return json.loads(base64.b64decode(told))


def test_a_token_logs_in(desk, issuer):
    assert log_in(desk, "OAUTHBEARER " + bearer()).code == 235
    assert "AUTH OAUTHBEARER XOAUTH2" in desk.offer.split("\n")
    assert log_in(desk, "OAUTHBEARER", bearer()).code == 235
    assert log_in(desk, "OAUTHBEARER " + bearer(user="ANNA")).code == 235
    nobody = base64.b64encode(f"y,,\x01auth=bearer {TOKEN}\x01\x01".encode()).decode()
    assert log_in(desk, "OAUTHBEARER " + nobody).code == 235
    assert log_in(desk, "XOAUTH2 " + xoauth2()).code == 235
    assert log_in(desk, "XOAUTH2", xoauth2()).code == 235
    assert desk.server.wait("login", 6)["user"] == "anna"
    assert set(issuer.credentials) == {"post%20rider:s3%3Acret%20%26"}
    with desk.server.client() as plain:
        assert "OAUTH" not in plain.hello().text
        plain.expect(503, "AUTH OAUTHBEARER " + bearer())


BAD = [
    ({"active": False}, "anna"), ({"username": "ben"}, "anna"), ({"username": ""}, "anna"), ({"username": None}, "anna"),
    ({"username": "a\nb"}, ""), ({"username": 7}, ""), ({"scope": "openid mails"}, "anna"), ({"scope": None}, "anna"),
    ({"aud": "other.example"}, "anna"), ({"exp": 1}, "anna"), ({"nbf": 1e11}, "anna"),
]  # fmt: skip


def test_a_token_that_is_not_good_is_refused_with_a_reason(desk, issuer):
    issuer.facts = {f"bad{i}": {**issuer.facts[TOKEN], **facts} for i, (facts, _) in enumerate(BAD)}
    with ThreadPoolExecutor(4) as clients:
        told = clients.map(lambda i: refused(desk, "OAUTHBEARER " + bearer(f"bad{i}", BAD[i][1])), range(len(BAD)))
        for (facts, _), reason in zip(BAD, told):
            assert reason == {
                "status": "invalid_token", "schemes": "bearer", "scope": "mail",
                "openid-configuration": "https://id.example/.well-known/openid-configuration",
            }, facts  # fmt: skip
    assert refused(desk, "XOAUTH2 " + xoauth2("bad0"), "")["status"] == "401"


MALFORMED = [
    "", "n,,\x01\x01", f"p=tls-exporter,,\x01auth=Bearer {TOKEN}\x01\x01", f"n,a=an=na,\x01auth=Bearer {TOKEN}\x01\x01",
    f"n,,\x01auth=Bearer {TOKEN}\x01", f"n,,\x01auth=Bearer {TOKEN}\x01\x01x", "n,,\x01auth=Bearer a b\x01\x01",
    "n,,\x01auth=Bearer \x01\x01", "n,,\x01auth=Basic YTpi\x01\x01", "n,,\x01auth=Bearer a\x01auth=Bearer b\x01\x01",
    "n,,\x01auth=Bearer a&token=b\x01\x01", f"n,,\x01auth=Bearer {'a' * 8300}\x01\x01",
]  # fmt: skip
def test_what_is_no_token_is_malformed_and_asked_of_nobody(desk, issuer):
    before = issuer.asked()
    with desk.client() as client:
        for message in MALFORMED:
            coded = base64.b64encode(message.encode()).decode()
            if not message:
                client.expect(334, "AUTH OAUTHBEARER")
            reply = client.ask(f"AUTH OAUTHBEARER {coded}" if message else "")
            assert reply.code in (500, 501), message
    assert issuer.asked() == before


def test_an_answer_that_is_none_is_no_refusal(desk, issuer):
    said = threading.Event()

    def late(handler):
        said.wait(60)  # until the client was told to come back later
        handler.give('{"active": true, "username": "anna"}')

    ways = [
        lambda handler: handler.give("oops", 500), lambda handler: handler.give("{}"), lambda handler: handler.give("[1"),
        lambda handler: handler.give('{"active": "true"}'), lambda handler: handler.give('{"active": true, "active": true}'),
        lambda handler: handler.give(" " * 70000 + '{"active": true}'),
        lambda handler: handler.give("", 302, Location="https://localhost/"), late,
    ]  # fmt: skip
    for number, way in enumerate(ways):
        issuer.misbehave = way
        later = log_in(desk, f"OAUTHBEARER {bearer(f'{TOKEN[:-2]}{number}')}")
        assert later.code == 454 and later.status == "4.7.0", number
    said.set()
    assert desk.server.wait("store-trouble")["store"].startswith("introspection:https://localhost")
    issuer.misbehave = None
    assert log_in(desk, "OAUTHBEARER " + bearer()).code == 235
    desk.server.wait("store-back")


def test_a_server_that_nobody_vouches_for_is_not_believed(desk):
    desk.server.config["users"]["stores"][0].pop("authorities")
    desk.server.write()
    (checked,) = desk.server.json("check")["stores"]
    assert not checked["reached"] and "certificate" in checked["reason"].lower()


def test_a_good_token_is_asked_for_once_in_a_while_and_never_past_its_end(desk, issuer):
    issuer.facts = {"short": {**issuer.facts[TOKEN], "exp": time.time() + 1.5}, TOKEN: issuer.facts[TOKEN]}
    before = issuer.asked()
    for _ in range(3):
        assert log_in(desk, "OAUTHBEARER " + bearer()).code == 235
    assert issuer.asked() == before + 1
    assert log_in(desk, "OAUTHBEARER " + bearer("short")).code == 235
    ground.until("the token has ended", lambda: time.time() > issuer.facts["short"]["exp"])
    assert refused(desk, "OAUTHBEARER " + bearer("short"))["status"] == "invalid_token"


def test_clients_that_know_tokens(desk, tmp_path):
    message = tmp_path / "message"
    message.write_bytes(b"Subject: hello\r\n\r\nhello\r\n")
    done = subprocess.run(
        ["curl", "-sSkv", "--ssl-reqd", "--user", "anna", "--oauth2-bearer", TOKEN, "--mail-from", "anna@house.example",
         "--mail-rcpt", "ben@house.example", "-T", str(message), f"smtp://{desk.address}:{desk.server.port}"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    desk.server.wait("login", mechanism="OAUTHBEARER")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with smtplib.SMTP(desk.address, desk.server.port) as client:
        client.starttls(context=context)
        client.ehlo()
        client.auth("XOAUTH2", lambda challenge=None: f"user=anna\x01auth=Bearer {TOKEN}\x01\x01")
        client.sendmail("anna@house.example", ["ben@house.example"], "Subject: hello\r\n\r\nhello\r\n")
    desk.server.wait("login", mechanism="XOAUTH2")
    assert len(desk.server.maildir("ben").wait(2)) == 2


def test_who_goes_before_he_hears_that_he_failed_has_failed(desk, issuer):
    source = ground.address()
    before = issuer.asked()
    for _ in range(2):
        with desk.client(source) as client:
            for _ in range(10):
                client.expect(334, "AUTH OAUTHBEARER " + bearer("guess"))
                client.expect(501, "*")
    assert issuer.asked() == before + 20
    with desk.client(source) as client:
        assert client.expect(454, "AUTH OAUTHBEARER " + bearer()).status == "4.7.0"
    assert issuer.asked() == before + 20
    assert log_in(desk, "OAUTHBEARER " + bearer()).code == 235


@pytest.mark.parametrize("users, problem", [
    ({"stores": [{"introspection": "http://x.example/"}]}, "begins with https://"),
    ({"stores": [{"introspection": "https://x.example/", "client_id": "x"}]}, "need each other"),
    ({"stores": [{"pam": "x", "claim": "email"}]}, "are for introspection"),
    ({"file": "users", "mechanisms": ["OAUTHBEARER"]}, "need a store that is"),
])  # fmt: skip
def test_what_no_server_of_tokens_is_gets_told(postrider, users, problem):
    assert problem in postrider({"users": users}, start=False).run("check", check=1).stderr.decode()
