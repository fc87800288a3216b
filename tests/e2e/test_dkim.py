"""Mail that leaves is signed by the domain in its From: judged by dkimpy and by `postrider verify`."""
import copy
import json
import os
import signal
import subprocess

import dkim
import pytest

from house import accounts, ground, unpacked
from house.mailbox import as_sent, fields, to_crlf
from house.postfix import Postfix
from test_keys import in_memory, key_number, root

DOMAIN = "house.example"
HEADER = (b"From: Anna <anna@house.example>\r\nTo: you@far.example\r\nSubject: A  walk,\r\n\t folded\r\n"
          b"Date: Wed, 25 Nov 2026 20:00:00 +0000\r\nMessage-ID: <1@house.example>\r\nMIME-Version: 1.0\r\n"
          b"Content-Type: text/plain; charset=utf-8\r\n")
MESSAGE = HEADER + b"\r\nShall we  walk? \t\r\n\r\n.dot\r\n \r\n\r\n"


class Keys:
    """Keys made by `postrider dkim key`, and the zone that publishes them."""

    def __init__(self, folder, house=DOMAIN):
        self.folder, self.domain, self.records, self.config = folder, house, {}, []

    def add(self, selector, *options, domain=None, **more):
        file = self.folder / f"{selector}.pem"
        done = subprocess.run([ground.program(), "dkim", "key", domain or self.domain, selector, "-f", file, "--json", *options],
                              capture_output=True, check=True)
        facts = json.loads(done.stdout)
        self.records[facts["name"]] = facts["record"]
        self.config.append({"domain": domain or self.domain, "selector": selector, "key": str(file), **more})
        return file

    def zone(self):
        return "\n".join(f'{name}. TXT ' + " ".join(f'"{text[at:at + 200]}"' for at in range(0, len(text), 200))
                         for name, text in self.records.items())

    def verify(self, message, most=9):
        """What dkimpy says of each signature, from the top: {selector: verdict}."""

        def find(name, timeout=5):
            return self.records.get(name.decode().rstrip("."), "").encode() or None

        judge = dkim.DKIM(message)
        count = len(fields(message, "DKIM-Signature"))
        return {(signature_tags(message, i)["s"]): judge.verify(idx=i, dnsfunc=find) for i in range(min(count, most))}


def signature_tags(message, number=0):
    text = fields(message, "DKIM-Signature")[number].decode()
    pairs = (part.split("=", 1) for part in text.split(";"))
    return {name.strip(): "".join(value.split()) for name, value in pairs}


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    made = Keys(tmp_path_factory.mktemp("keys"))
    made.add("s1")
    made.add("ed", "--ed25519")
    return made


@pytest.fixture
def keys(usual, tmp_path):
    """The usual keys; what a test adds or changes is its own."""
    made = copy.deepcopy(usual)
    made.folder = tmp_path
    return made


@pytest.fixture
def far(hostile):
    return hostile()


@pytest.fixture
def near(postrider, keys, far, dns):
    """near(…configuration): a server that signs, and whose mail goes to `far`."""

    def make(**config):
        more = {"dkim": keys.config, "transports": [{"match": "*", "to": f"smtp://{far.address}:{far.port}"}], **config}
        return postrider(more)

    return make


def judged_here(dns, keys, message, code=0):
    server = dns({DOMAIN: keys.zone()})
    done = subprocess.run([ground.program(), "verify", "--json", "--dns", server], input=message, capture_output=True)
    assert done.returncode == code, done.stdout.decode() + done.stderr.decode()
    return {one["selector"]: one["result"] for one in json.loads(done.stdout)["dkim"]}


def test_a_users_mail_has_a_signature_of_each_key_that_dkimpy_and_we_verify(near, keys, far, dns):
    house = near()
    house.submit("you@far.example", MESSAGE, sender="anna@house.example")
    message = far.wait()[0].message
    assert keys.verify(message) == {"s1": True, "ed": True}
    assert {(one["selector"], one["algorithm"]) for one in house.seen("signed", domain=DOMAIN)} == {
        ("s1", "rsa-sha256"), ("ed", "ed25519-sha256")}
    assert judged_here(dns, keys, message) == {"s1": "pass", "ed": "pass"}
    assert judged_here(dns, keys, message.replace(b"walk?", b"talk?"), code=77) == {"s1": "fail", "ed": "fail"}
    tags = signature_tags(message)
    assert (tags["d"], tags["c"], "x" in tags, "l" in tags) == (DOMAIN, "relaxed/relaxed", False, False)
    names = tags["h"].split(":")
    assert all(names.count(name) == 2 for name in ("from", "to", "subject", "date", "message-id", "content-type")), names
    assert names.count("cc") == 1, "none can be added"
    for added in (b"From: mallory@elsewhere.example\r\n", b"Subject: other\r\n", b"Cc: them@elsewhere.example\r\n"):
        assert False in keys.verify(added + message).values(), added
    unsigned = message[message.index(b"Received:"):]
    assert as_sent(unsigned) == MESSAGE


FORMS = [
    ("From: a@house.example\r\n", ""),
    ("From: a@house.example\r\n", "\r\n"),
    ("From: a@house.example\r\n", "\r\n\r\n\r\n"),
    ("FROM:  a@house.example (Anna)\r\nX: y\r\n", "\r\n no end of line \t"),
    ("From: =?utf-8?q?=C3=BC?= <a@House.Example>\r\n", "\r\nGrüße\r\n"),
    ("Subject: a\r\nSubject: b\r\nFrom: a@house.example\r\n", "\r\n" + "x" * 70000 + "\r\n" + "a line\r\n" * 200000),
]


def test_whatever_its_form(near, keys, far):
    house = near()
    for number, (header, body) in enumerate(FORMS, 1):
        house.submit("you@far.example", (header + body).encode(), sender="anna@house.example")
        assert keys.verify(far.wait(number)[-1].message) == {"s1": True, "ed": True}, header


def test_messages_that_others_made(near, keys, far):
    """Real ones, with signatures of their own, which are there afterwards as before."""
    files = sorted((ground.TESTDATA / "dkim").glob("*"))
    if not files:
        pytest.skip(f"no messages in {ground.TESTDATA}/dkim")
    messages = [to_crlf(file.read_bytes()) for file in files]
    domains = {fields(message, "From")[0].decode().rpartition("@")[2].rstrip(">").lower() for message in messages}
    names = {name: text for name, text in keys.records.items()}
    for domain in domains:
        keys.config.append({**keys.config[0], "domain": domain})
        keys.records[f"s1._domainkey.{domain}"] = names["s1._domainkey." + DOMAIN]
    house = near(limits={"received": 1000})
    for number, message in enumerate(messages, 1):
        house.submit("you@far.example", message, sender="anna@house.example")
        signed = far.wait(number)[-1].message
        mine, others = fields(signed, "DKIM-Signature")[0], fields(signed, "DKIM-Signature")[1:]
        assert b"s=s1;" in mine and others == fields(message, "DKIM-Signature")
        assert keys.verify(signed, 1) == {"s1": True}, files[number - 1]


def test_what_a_program_leaves_while_the_server_is_down(near, keys, far):
    house = near()
    house.stop()
    house.run("send", "-f", "anna@house.example", "you@far.example", input=MESSAGE.replace(b"\r\n", b"\n"), check=0)
    house.start()
    assert keys.verify(far.wait()[0].message) == {"s1": True, "ed": True}


def test_what_is_not_ours_is_not_signed(near, far, tmp_path):
    (tmp_path / "aliases").write_text("forward: you@far.example\n")
    house = near(networks=["192.0.2.0/24"], domains={DOMAIN: {"aliases": str(tmp_path / "aliases")}})
    house.submit("forward@house.example", MESSAGE)
    assert b"DKIM-Signature" not in far.wait()[0].message


OTHERS = [
    b"From: a@elsewhere.example\r\n",
    b"From: a@house.example\r\nFrom: b@house.example\r\n",
    b"Subject: nobody's\r\n",
    b"From: a@house.example, b@elsewhere.example\r\n",
    b"From: a@xhouse.example\r\n",
    b"From: a@sub.house.example\r\n",
]


def test_a_from_that_no_key_is_for_is_left_alone(near, keys, far):
    for key in keys.config:
        key["subdomains"] = "never"
    house = near()
    for number, header in enumerate(OTHERS, 1):
        house.submit("you@far.example", header + b"\r\nhello\r\n", sender="anna@house.example")
        message = far.wait(number)[-1].message
        assert b"DKIM-Signature" not in message and message.endswith(header + b"\r\nhello\r\n")


def test_bounces_are_signed_by_the_domain_above_our_host_name(near, keys, far):
    far.script = {"rcpt": ["550 5.1.1 no such user"]}
    near().submit("nobody@far.example", MESSAGE, sender="anna@other.example")
    bounce = far.wait()[0]
    assert bounce.sender == "" and b"MAILER-DAEMON@mx.house.example" in bounce.message
    assert keys.verify(bounce.message) == {"s1": True, "ed": True}


def test_eight_bit_mail_is_converted_before_it_is_signed(near, keys, far):
    far.keywords = ["PIPELINING"]
    house = near()
    with house.client() as client:
        client.hello()
        client.envelope("anna@house.example", "you@far.example", parameters=" BODY=8BITMIME")
        assert client.data(HEADER + "\r\nGrüße\r\n".encode()).code == 250
    message = far.wait()[0].message
    assert b"Gr=C3=BC=C3=9Fe" in message and keys.verify(message) == {"s1": True, "ed": True}


def test_binary_mail_becomes_lines_before_it_is_signed(near, keys, far):
    far.keywords = ["PIPELINING", "8BITMIME", "BINARYMIME", "CHUNKING"]
    house = near()
    with house.client() as client:
        client.hello()
        client.envelope("anna@house.example", "you@far.example", parameters=" BODY=BINARYMIME")
        body = HEADER.replace(b"charset=utf-8", b"charset=utf-8\r\nContent-Transfer-Encoding: binary") + b"\r\na\nb\0\xff\r"
        assert client.bdat(body).code == 250
    message = far.wait()[0]
    assert keys.verify(message.message) == {"s1": True, "ed": True} and "BINARYMIME" not in str(message.parameters)


def test_a_key_may_end_its_signatures_and_choose_its_fields(near, keys, far):
    keys.config[0].update(expire="14d", fields=["From", "X-Campaign"])
    near().submit("you@far.example", b"X-Campaign: 7\r\n" + MESSAGE, sender="anna@house.example")
    message = far.wait()[0].message
    tags = signature_tags(message, [signature_tags(message, i)["s"] for i in (0, 1)].index("s1"))
    assert int(tags["x"]) - int(tags["t"]) == 14 * 86400
    assert tags["h"] == "from:from:x-campaign:x-campaign"
    assert keys.verify(message) == {"s1": True, "ed": True}


def test_a_key_process_that_dies_costs_nothing(near, keys, far):
    house = near()
    os.kill(house.wait("keys-started")["pid"], signal.SIGKILL)
    house.wait("keys-died")
    house.submit("you@far.example", MESSAGE, sender="anna@house.example")
    assert keys.verify(far.wait()[0].message) == {"s1": True, "ed": True}


def test_a_key_process_that_stands_still_costs_a_moment(near, keys, far):
    house = near()
    os.kill(house.wait("keys-started")["pid"], signal.SIGSTOP)
    house.submit("you@far.example", MESSAGE, sender="anna@house.example")
    assert keys.verify(far.wait()[0].message) == {"s1": True, "ed": True}
    house.wait("keys-stuck")


@root
def test_the_workers_memory_gives_no_key(near, keys, far):
    house = near()
    house.submit("you@far.example", MESSAGE, sender="anna@house.example")
    far.wait()
    number = key_number(keys.config[0]["key"], "prime1")
    assert not in_memory(house.worker(), number)
    assert in_memory(house.wait("keys-started")["pid"], number), "the search finds a key that is there"


def test_a_reload_brings_another_key_and_without_one_mail_waits(near, keys, far):
    house = near()
    keys.config[:] = []
    keys.add("next")
    house.config["dkim"] = [{"domain": DOMAIN, "selector": "next", "key": str(keys.folder / "missing.pem")}]
    house.write()
    house.process.send_signal(signal.SIGHUP)
    house.wait("dkim-trouble", domain=DOMAIN, selector="next")
    house.submit("you@far.example", MESSAGE, sender="anna@house.example")
    deferred = house.wait("deferred")
    assert "missing.pem cannot be used" in deferred["text"] and not far.mail
    house.config["dkim"] = keys.config
    house.write()
    house.process.send_signal(signal.SIGHUP)
    house.wait("reloaded", 2)
    house.run("queue", "retry", "--all", check=0)
    assert keys.verify(far.wait()[0].message) == {"next": True}
    old = [event["pid"] for event in house.seen("keys-started")][:-1]
    ground.until("older key processes have ended", lambda: all(map(ground.is_gone, old)))


def test_check_and_the_log_name_a_key_that_is_not_there(postrider, keys):
    keys.config[0]["key"] = str(keys.folder / "missing.pem")
    house = postrider({"dkim": keys.config}, start=False)
    assert b"missing.pem: No such file" in house.run("check", check=1).stderr
    house.start()
    assert house.wait("dkim-trouble")["key"].endswith("missing.pem")
    assert len(house.seen("dkim-trouble")) == 1


def test_keys_and_what_the_dns_says_of_them_are_compared(postrider, keys, dns):
    keys.add("short", "--rsa", "1024")
    keys.add("other")
    keys.add("gone")
    keys.records["other._domainkey." + DOMAIN] = keys.records["s1._domainkey." + DOMAIN]
    del keys.records["gone._domainkey." + DOMAIN]
    house = postrider({"dkim": keys.config, "dns": {"servers": [dns({DOMAIN: keys.zone()})]},
                       "domains": {"sub.house.example": {}, "mute.example": {}}}, start=False)
    found = json.loads(house.run("check", "--security", "--dns", "--json").stdout)["findings"]
    told = " / ".join(one["text"] for one in found if one["subject"] == "dkim")
    for words in ("short.pem is an RSA key of 1024 bits", "other._domainkey.house.example publishes another key",
                  "gone._domainkey.house.example has no record of a key", "mail from mute.example is not signed"):
        assert words in told
    assert told.count("is not signed") == 1 and "s1._domainkey" not in told and "ed._domainkey" not in told
    shown = json.loads(house.run("dkim", "show", "-c", house.file, "--json", check=0).stdout)["keys"]
    assert [(one["selector"], one["algorithm"], one["bits"]) for one in shown][:3] == [
        ("s1", "rsa-sha256", 2048), ("ed", "ed25519-sha256", 256), ("short", "rsa-sha256", 1024)]


def test_a_key_is_for_its_owner_alone_and_never_overwritten(tmp_path):
    def make(*options):
        return subprocess.run([ground.program(), "dkim", "key", "Bücher.example", "s1", *options], cwd=tmp_path, capture_output=True)

    done = make()
    file = tmp_path / "s1.xn--bcher-kva.example.pem"
    assert done.returncode == 0 and file.stat().st_mode & 0o777 == 0o600
    assert b's1._domainkey.xn--bcher-kva.example. IN TXT ( "v=DKIM1; k=rsa; p=' in done.stdout
    assert make().returncode == 73
    assert make("--rsa", "512").returncode == 64


def test_signatures_survive_postfix(near, keys, far, tmp_path, port, postrider):
    if not accounts.available() or unpacked.missing(unpacked.file("usr/lib/postfix/sbin/master")):
        pytest.skip("Postfix is not on this machine")
    there = Postfix(tmp_path / "postfix", port, domain="far.example")
    there.start()
    try:
        house = near(transports=[{"match": "*", "to": f"smtp://{there.address}:{there.port}"}])
        house.submit("you@far.example", MESSAGE, sender="anna@house.example")
        message = there.maildir().one()
        assert keys.verify(message.replace(b"\n", b"\r\n")) == {"s1": True, "ed": True}
    finally:
        there.stop()
