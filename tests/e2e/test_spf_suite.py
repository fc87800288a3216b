"""The test suite of RFC 7208 (openspf.org, release 2014.04, as a Debian package carries it): every case, by
`postrider verify` and a name server of its zones."""
import concurrent.futures
import json
import subprocess

import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rrset
import yaml

from house import ground, unpacked
from house.dns import OddDns, respond

SUITE = "usr/share/gocode/src/blitiri.com.ar/go/spf/testdata/rfc7208-tests.yml"


def rdata(kind, value):
    if kind == "TXT":
        strings = [value] if isinstance(value, str) else value or [""]
        octets = [part.encode("latin-1")[at:at + 255] for part in strings for at in range(0, len(part) or 1, 255)]
        return dns.rdata.from_wire("IN", "TXT", b"".join(bytes([len(one)]) + one for one in octets), 0,
                                   sum(1 + len(one) for one in octets))
    text = f"{value[0]} {value[1] or '.'}" if kind == "MX" else value
    if kind in ("MX", "PTR", "CNAME") and not text.endswith("."):
        text += "."
    return dns.rdata.from_text("IN", kind, text)


def records(entries, kind):
    """Of that kind, in the suite's shape: SPF stands for TXT too, unless the name has TXT of its own."""
    found = [one for entry in entries if isinstance(entry, dict) for one in entry.items()]
    if kind == "TXT" and not any(key == "TXT" for key, _ in found):
        found = [("TXT", value) for key, value in found if key == "SPF"]
    return [value for key, value in found if key == kind and value != "NONE"]


def labels(name):
    return tuple(label.encode("latin-1") for label in name.lower().rstrip(".").split("."))


def find(names, reply, name, kind):
    """Fills the answer with what stands at the name, or behind its CNAME."""
    entries = names.get(name)
    if entries is None:
        exists = any(other[-len(name):] == name for other in names)
        reply.set_rcode(dns.rcode.NOERROR if exists else dns.rcode.NXDOMAIN)
        return
    owner = dns.name.Name(name + (b"",))
    values, cnames = records(entries, kind), records(entries, "CNAME")
    silent = any(entry == "TIMEOUT" or (isinstance(entry, dict) and "TIMEOUT" in entry) for entry in entries)
    if values:
        reply.answer.append(dns.rrset.from_rdata_list(owner, 60, [rdata(kind, one) for one in values]))
    elif silent:
        reply.set_rcode(dns.rcode.SERVFAIL)  # as time-outs end, without the wait
    elif cnames and len(reply.answer) < 5:
        reply.answer.append(dns.rrset.from_rdata_list(owner, 60, [rdata("CNAME", cnames[0])]))
        find(names, reply, labels(cnames[0]), kind)


def server_of(zone):
    names = {labels(name): entries for name, entries in zone.items()}

    def answer(query):
        question = query.question[0]
        reply = respond(query)
        name = tuple(label.lower() for label in question.name.labels if label)
        find(names, reply, name, dns.rdatatype.to_text(question.rdtype))
        return reply

    return OddDns(answer)


def run(server, case):
    done = subprocess.run(
        [ground.program(), "verify", "--json", "--dns", server, "--ip", str(case["host"]),
         "--helo", str(case["helo"]), "--mail-from", str(case.get("mailfrom") or "")],
        input=b"X: y\r\n\r\n", capture_output=True, timeout=60)
    assert done.returncode in (0, 75, 77), done.stderr.decode()
    return json.loads(done.stdout)["spf"][0]


def test_every_case_of_the_suite():
    scenarios = list(yaml.safe_load_all(open(unpacked.file(SUITE), encoding="utf-8")))
    servers = [server_of(one["zonedata"]) for one in scenarios]
    wrong, count = [], 0
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        jobs = {}
        for scenario, server in zip(scenarios, servers):
            address = server.start()
            for name, case in scenario["tests"].items():
                jobs[pool.submit(run, address, case)] = (name, case)
        for job in concurrent.futures.as_completed(jobs):
            name, case = jobs[job]
            expected = case["result"] if isinstance(case["result"], list) else [case["result"]]
            got = job.result()
            count += 1
            words = case.get("explanation")
            if got["result"] not in expected or (words not in (None, "DEFAULT") and words != got.get("explanation")):
                wrong.append((name, expected, got["result"], got["reason"], words, got.get("explanation")))
    for server in servers:
        server.stop()
    assert count > 200
    assert not wrong, "\n".join(map(str, wrong))
