"""`postrider trace`: a message, an mbox, a Maildir, one of the queue: told as text, JSON and page."""
import base64
import json
import os
import pty
import re
import subprocess

import dkim
import dns.rcode
import dns.rdatatype
import jsonschema
import nacl.signing
import pytest

from house import ground
from house.dns import OddDns, respond
from house.mailbox import fields, split, to_crlf
from house.postrider import environment

SAMPLE = ground.SOURCE / "dist/suspicious.eml"
SCHEMA = json.loads((ground.SOURCE / "src/cli/trace/trace.schema.json").read_text())
HONEST = b"""Received: from mail.example.net (mail.example.net [203.0.113.7])
\tby mx1.example.org (Postfix) with ESMTPS id 4jYYxH1dTjz8sWd
\tfor <anna@example.org>; Tue, 24 Nov 2026 08:15:31 +0100 (CET)
Received: from desk.example.net (desk.example.net [203.0.113.80])
\tby mail.example.net (Postfix) with ESMTPS id 4jYYxG2LmSz1pQs;
\tTue, 24 Nov 2026 08:15:30 +0100 (CET)
From: ben@example.net
To: anna@example.org
Subject: lunch
Date: Tue, 24 Nov 2026 08:15:29 +0100
Message-ID: <1@example.net>

At one?
"""


def trace(*arguments, message=None, code=0, env=None):
    done = subprocess.run(
        [ground.program(), "trace", *map(str, arguments)],
        input=message,
        stdin=subprocess.DEVNULL if message is None else None,
        capture_output=True,
        env={**environment(), **(env or {})},
        timeout=ground.PATIENCE * 2,
    )
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    assert b"Sanitizer" not in done.stderr, done.stderr
    return done


def facts(*arguments, **options):
    one = json.loads(trace("--json", *arguments, **options).stdout)
    jsonschema.validate(one, SCHEMA)
    return one


def text(*arguments, **options):
    return trace(*arguments, **options).stdout.decode()


# -- what is found -----------------------------------------------------------------------------


def test_the_sample_tells_where_it_came_from_and_what_is_forged():
    said = " ".join(text("--offline", SAMPLE).split())
    assert said.startswith("✗ forged:")
    assert "True origin: 203.0.113.7 (mail.example.net), handed over to mx1.example.org on 2026-11-24 07:15:31" in said
    assert "Everything below line 3 is forged. Line 4: " in said
    assert "Trusted is line 1, the top one" in said and "--trust .example.org" in said


def test_json_has_the_names_that_are_promised():
    one = facts("--offline", SAMPLE)
    assert one["verdict"] == "forged" and one["first_forged"] == 3
    assert one["origin"] == {"ip": "203.0.113.7", "name": "mail.example.net", "hop": 2}
    assert one["boundary"] == {"index": 0, "ip": "192.0.2.30"}
    hop = one["hops"][2]
    assert hop["from"] == {"helo": "mail.example.net", "name": "mail.example.net", "ip": "203.0.113.7"}
    assert hop["by"] == "mx1.example.org" and hop["with"] == "ESMTPS" and hop["id"] == "4jYYxH1dTjz8sWd"
    assert hop["for"] == "anna@example.org" and hop["date"] == 1795504531 and hop["software"] == "Postfix"
    assert [h["delay_s"] for h in one["hops"]] == [1, 4, 149, 2, None]
    assert [h["verdict"] for h in one["hops"]][0] == "proven"
    assert all(set(r) == {"rule", "text", "weight"} for h in one["hops"] for r in h["reasons"])
    assert {r["rule"] for r in one["left_out"]} >= {"rdns-forward", "spf"}


def test_an_honest_message_is_not_called_forged():
    one = facts("--offline", message=HONEST)
    assert one["verdict"] in ("proven", "consistent") and one["first_forged"] is None
    assert one["source"] is None


LOCAL = b"Received: by store.example.org (Postfix, from userid 1000)\n\tid 4jYYxH1dTjz8sWd; Tue, 24 Nov 2026 08:15:31 +0100 (CET)\n"


@pytest.mark.parametrize(
    "message, words, said",
    [
        (LOCAL, [], "True origin: store.example.org itself, where it was submitted on 2026-11-24 07:15:31 UTC (line 1)."),
        (b"Received: gibberish\n", [], "Its origin is not known"),
        (b"Subject: x\n", [], "There are no Received lines"),
        (HONEST, ["--trust", "mx.elsewhere.example"], "No line is by a host that you trust"),
        (HONEST, [], "Trusted is line 1, the top one"),
    ],
    ids=["local", "gibberish", "none", "nobody trusted", "default"],
)
def test_what_is_not_known_is_not_claimed(message, words, said):
    found = " ".join(text("--offline", *words, message=message + b"\nbody\n").split())
    assert said in found
    assert "fact" not in found or message in (LOCAL, HONEST)


def test_lines_may_end_either_way():
    lf, crlf = facts("--offline", message=HONEST), facts("--offline", message=to_crlf(HONEST))
    assert lf == crlf


def test_whoever_is_trusted_moves_the_boundary():
    def boundary(*names):
        words = [w for name in names for w in ("--trust", name)]
        return facts("--offline", SAMPLE, *words)["boundary"]

    assert boundary(".example.org") == {"index": 2, "ip": "203.0.113.7"}
    assert boundary("store.example.org", "filter.example.org") == {"index": 1, "ip": "192.0.2.25"}
    assert boundary("STORE.example.org", "192.0.2.0/24") == {"index": 2, "ip": "203.0.113.7"}
    assert boundary("192.0.2.0/24") == {"index": 2, "ip": "203.0.113.7"}, "the top line writes no address of its own"
    assert boundary("198.51.100.0/24") == {"index": 0, "ip": "192.0.2.30"}
    assert boundary("mx.elsewhere.example") == {"index": None, "ip": None}
    said = text("--offline", SAMPLE, "--trust", ".example.org")
    assert "Trusted are lines 1 to 3, by --trust." in said


@pytest.mark.parametrize(
    "words",
    [
        ["--trust", "1.2.3"], ["--trust", "192.0.2.0/33"], ["--trust", ""], ["--trust", "a b"], ["--trust", "."],
        ["--trust"], ["--nonsense"], ["one", "two"], ["--all", "--html", "x"], ["--offline", "--dns", "127.0.0.1@1"],
        ["--received", "--json"], [str(ground.SOURCE)],
    ],
    ids=" ".join,
)  # fmt: skip
def test_wrong_words_are_told(words):
    assert trace(*words, code=64).stderr


def test_what_is_not_there_or_no_message_is_told(tmp_path):
    assert b"No such file" in trace("--offline", tmp_path / "none", code=66).stderr
    assert b"no header" in trace("--offline", message=b"", code=65).stderr
    assert b"no header" in trace("--offline", message=os.urandom(5000), code=65).stderr


# -- how it is shown ---------------------------------------------------------------------------

HOSTILE = HONEST.replace(b"desk.example.net (desk", "\x1b[2J\u202e<script>alert(1)</script>\x9b (desk".encode())


def on_a_terminal(*arguments, env=None):
    main, side = pty.openpty()
    with subprocess.Popen(
        [ground.program(), "trace", *map(str, arguments)], stdout=side, stderr=side, env={**environment(), **(env or {})}
    ) as process:
        os.close(side)
        said = b""
        try:
            while piece := os.read(main, 65536):
                said += piece
        except OSError:
            pass
        os.close(main)
    return said.decode()


def test_colours_are_for_terminals_that_want_them_and_signs_for_all():
    assert "\x1b[1;31m✗" in on_a_terminal("--offline", SAMPLE)
    for said in (on_a_terminal("--offline", SAMPLE, env={"NO_COLOR": "1"}), text("--offline", SAMPLE)):
        assert "\x1b" not in said and "✗ line 4" in said and "✓ line 1" in said
    assert text("--offline", SAMPLE, env={"LC_ALL": "C"}).isascii()


def test_what_others_wrote_steers_no_terminal():
    said = text("--offline", message=HOSTILE)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", said)


def test_the_page_needs_nothing_else_and_escapes_all(tmp_path):
    page = tmp_path / "page.html"
    trace("--offline", "--html", page, message=HOSTILE)
    html = page.read_text()
    assert "<svg" in html and "prefers-color-scheme: dark" in html and "width=device-width" in html
    assert "<script" not in html and "&lt;script&gt;" in html
    assert not re.search(r"\b(src|href)=\"(?!#line\d+\")|@import|url\(|https?:", html)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", html)
    assert b"cannot write" in trace("--offline", "--html", tmp_path / "no/page", SAMPLE, code=73).stderr


# -- many --------------------------------------------------------------------------------------


def lines(*arguments, **options):
    found = [json.loads(line) for line in trace("--all", "--json", "--offline", *arguments, **options).stdout.splitlines()]
    for one in found:
        jsonschema.validate(one, SCHEMA)
    return found


def as_mbox(*messages):
    return b"".join(b"From a@b.example Tue Nov 24 08:00:00 2026\n" + m + b"\n" for m in messages)


def test_every_message_of_an_mbox_is_a_line(tmp_path):
    mbox = tmp_path / "mbox"
    mbox.write_bytes(as_mbox(SAMPLE.read_bytes(), HONEST, SAMPLE.read_bytes()))
    assert [one["first_forged"] for one in lines(mbox)] == [3, None, 3]
    assert [one["source"] for one in lines(message=mbox.read_bytes())] == [f"message {n}" for n in (1, 2, 3)]
    said = text("--all", "--offline", mbox).splitlines()
    assert len(said) == 3 and said[0].startswith("✗ forged") and said[1].endswith(f"message 2 of {mbox}")
    first = trace("--json", "--offline", mbox)
    assert json.loads(first.stdout)["first_forged"] == 3 and b"--all" in first.stderr


def test_every_message_of_a_maildir_is_a_line(tmp_path):
    for number, folder in enumerate(("cur", "new", "tmp")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{number}.a.host").write_bytes(SAMPLE.read_bytes() if number else HONEST)
    assert [one["source"] for one in lines(tmp_path)] == [f"{tmp_path}/cur/0.a.host", f"{tmp_path}/new/1.a.host"]


def test_progress_is_for_terminals_only(tmp_path):
    mbox = tmp_path / "mbox"
    mbox.write_bytes(as_mbox(SAMPLE.read_bytes(), HONEST))
    assert "2 messages: 1 forged" in on_a_terminal("--all", "--offline", mbox)
    assert trace("--all", "--offline", mbox).stderr == b""


# -- the queue ---------------------------------------------------------------------------------


def test_a_message_of_the_queue_is_judged_where_it_lies(postrider):
    house = postrider({"transports": [{"match": "*", "to": f"smtp://127.0.0.1:{ground.port_everywhere()}"}]})
    big = HONEST + b"x" * 60 + (b"\n" + b"y" * 70) * 3000
    queue_id = house.submit("anna@far.example", to_crlf(big), source="127.0.0.1")
    one = house.json("trace", queue_id, "--offline")
    jsonschema.validate(one, SCHEMA)
    assert one["source"] == f"message {queue_id} of the queue"
    assert [hop["by"] for hop in one["hops"]] == ["mx.house.example", "mx1.example.org", "mail.example.net"]
    assert one["hops"][0]["id"] == queue_id and one["boundary"]["ip"] == "127.0.0.1"
    assert b"No such" in house.run("trace", "0" * 12 + "1", "--offline", check=66).stderr


# -- in the server -----------------------------------------------------------------------------


def received_by(postrider, policy, message):
    """The log line and the message that was delivered."""
    house = postrider({"networks": ["192.0.2.0/24"], "policy": {"trace": policy}})
    queue_id = house.submit("anna@house.example", to_crlf(message), source="127.0.0.9")
    return house.wait("queued", id=queue_id), house.maildir("anna").wait(1)[0]


FORGED = SAMPLE.read_bytes().split(b"Received: from filter", 1)[1].split(b"Received: from mail", 1)[1]
FORGED = b"Received: from mail" + FORGED


def test_the_server_notes_the_verdict_and_writes_it_where_told(postrider):
    line, message = received_by(postrider, "header", FORGED)
    assert line["trace"] == "forged" and line["trace_first_forged"] == 1 and line["trace_origin"] == "127.0.0.9"
    assert fields(message, "Authentication-Results") == [
        b'mx.house.example;\tx-trace=forged policy.origin="127.0.0.9" policy.first-forged=1'
    ]
    line, message = received_by(postrider, "note", FORGED)
    assert line["trace"] == "forged" and b"x-trace" not in message
    line, message = received_by(postrider, "off", FORGED)
    assert "trace" not in line and b"x-trace" not in message


def test_the_server_believes_no_header_that_says_it_is_fine(postrider):
    claim = b"Authentication-Results: mx.house.example; x-trace=proven\n"
    _, message = received_by(postrider, "header", claim + b"Subject: x\n\n")
    assert [f for f in fields(message, "Authentication-Results") if b"proven" in f and b"origin" not in f] == []
    assert len(fields(message, "Authentication-Results")) == 1


def test_what_our_own_hosts_send_is_not_judged(postrider):
    house = postrider({"policy": {"trace": "header"}})
    queue_id = house.submit("anna@house.example", to_crlf(FORGED))
    assert "trace" not in house.wait("queued", id=queue_id)


def test_a_header_of_any_length_is_judged_by_its_beginning(postrider):
    long = FORGED.replace(b"From:", b"X-Long: " + b"y" * 900 + (b"\n z" * 300) * 100 + b"\nFrom:", 1)
    line, message = received_by(postrider, "note", long)
    assert line["trace"] == "forged"
    assert split(message)[0].count(b" z") == 30000


# -- the DNS -----------------------------------------------------------------------------------

def test_the_dns_is_asked_unless_told_not_to():
    server = OddDns(lambda query: respond(query, rcode=dns.rcode.NXDOMAIN))
    message = b"Return-Path: <ben@example.net>\n" + HONEST
    at = server.start()
    trace("--dns", at, message=message)
    server.stop()
    asked = {(name.lower(), dns.rdatatype.to_text(kind)) for name, kind in server.asked}
    assert asked >= {
        ("mail.example.net.", "A"), ("mail.example.net.", "AAAA"), ("desk.example.net.", "A"),
        ("7.113.0.203.in-addr.arpa.", "PTR"), ("example.net.", "TXT"),
    }  # fmt: skip


ZONES = {
    "example.org": "mx1 A 192.0.2.25\n",
    "example.net": "mail A 203.0.113.7\ndesk A 203.0.113.80\n"
    '@ TXT "v=spf1 ip4:203.0.113.7 -all"\ns._domainkey TXT "v=DKIM1; k=ed25519; p={key}"\n',
    "113.0.203.in-addr.arpa": "7 PTR mail.example.net.\n80 PTR desk.example.net.\n",
}


def signed(message):
    """The message with a signature of example.net, and the zones that tell its key."""
    secret = nacl.signing.SigningKey.generate()
    seed = base64.b64encode(bytes(secret))
    key = base64.b64encode(bytes(secret.verify_key)).decode()
    top = dkim.sign(to_crlf(message), b"s", b"example.net", seed, signature_algorithm=b"ed25519-sha256")
    return top + to_crlf(message), {name: zone.replace("{key}", key) for name, zone in ZONES.items()}


def rules(one):
    found = one["reasons"] + [reason for hop in one["hops"] for reason in hop["reasons"]]
    return {reason["rule"] for reason in found}


def test_what_the_dns_says_counts_for_and_against(dns):
    below = HONEST.index(b"From: ben")
    signature, zones = signed(HONEST[below:])
    message = b"Return-Path: <ben@example.net>\r\n" + to_crlf(HONEST[:below]) + signature
    at = dns(zones)
    one = facts("--dns", at, message=message)
    assert rules(one) >= {"rdns-confirmed", "spf", "dkim"} and not one["left_out"]
    one = facts("--dns", at, message=message.replace(b"At one?", b"At two?"))
    assert "dkim" not in rules(one) and "spf" in rules(one)
    one = facts("--dns", at, message=message.replace(b"203.0.113.7", b"203.0.113.8"))
    assert "spf-fail" in rules(one)


def test_many_are_asked_about_together_and_told_in_their_order(tmp_path):
    server = OddDns(lambda query: respond(query, rcode=dns.rcode.NXDOMAIN))
    mbox = tmp_path / "mbox"
    mbox.write_bytes(as_mbox(*(HONEST.replace(b"desk", b"desk%d" % n) for n in range(70))))
    done = trace("--all", "--json", "--dns", server.start(), mbox)
    server.stop()
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["hops"][1]["from"]["name"] for one in found] == [f"desk{n}.example.net" for n in range(70)]
    assert {name for name, _ in server.asked} >= {f"desk{n}.example.net." for n in range(70)}
    assert all("rdns-forward" not in {rule["rule"] for rule in one["left_out"]} for one in found)


def test_the_configuration_names_the_dns(postrider):
    server = OddDns(lambda query: respond(query, rcode=dns.rcode.NXDOMAIN))
    house = postrider({"dns": {"servers": [server.start()]}}, start=False)
    house.run("trace", SAMPLE, check=0)
    server.stop()
    assert server.asked


def test_a_dns_that_does_not_know_leaves_rules_out():
    server = OddDns(lambda query: respond(query, rcode=dns.rcode.SERVFAIL))
    at = server.start()
    one = facts("--dns", at, message=HONEST)
    said = text("--dns", at, message=HONEST)
    server.stop()
    assert "rdns-forward" in {rule["rule"] for rule in one["left_out"]}
    assert "Left out, as the DNS did not answer:" in said
