"""Makes true chains: starts the street's servers in a network namespace of its own, sends mail through
them, and writes what arrived. To make the recorded corpus anew, as root in tests/e2e:

    python3 -B -m workshop.record --all ../data/trace

writes chains.mbox, stuffed.mbox (the same ways, but the client has put false lines into its header),
chains.json (what is true of each) and the zones."""
import argparse
import concurrent.futures
import email.utils
import json
import os
import pathlib
import smtplib
import ssl
import subprocess
import sys
import tempfile
import time

from house import ground, unpacked
from house.dns import Dns

from . import mbox, stuffing
from .hosts import PASSWORD, Street
from .routes import FEW, ROUTES
from .street import HOSTS, zones

INSIDE = "ip link set lo up; mount --make-rprivate /; mount --bind {resolv} /etc/resolv.conf; exec \"$@\""
RESOLVER = "127.0.0.53"


def enter(words):
    """Runs this module again in namespaces of its own: network, mounts, processes. All that it
    starts there ends with it."""
    unpacked.root()  # there is no way to the packages from inside
    with tempfile.TemporaryDirectory(prefix="workshop-") as work:
        os.chmod(work, 0o755)
        resolv = pathlib.Path(work) / "resolv.conf"
        resolv.write_text(f"nameserver {RESOLVER}\n")
        resolv.chmod(0o644)
        command = ["unshare", "-n", "-m", "-p", "-f", "--kill-child", "--mount-proc", "sh", "-ec",
                   INSIDE.format(resolv=resolv), "sh", sys.executable, "-B", "-m", "workshop.record",
                   "--inside", work, *words]  # fmt: skip
        return subprocess.run(command, cwd=ground.E2E).returncode


def addresses():
    for host in HOSTS.values():
        for address in host.addresses:
            words = ["ip", "addr", "add", f"{address}/{128 if ':' in address else 32}", "dev", "lo"]
            subprocess.run([*words, "nodad"] if ":" in address else words, check=True)


def compose(route, stuffed):
    """What the client sends: (Message-ID, message)."""
    client = HOSTS[route.client] if route.client else HOSTS[route.hosts[0]]
    host = client.name.strip("[]")
    ident = f"<{'s' if stuffed else 'r'}{route.number}.{os.getpid()}@{host}>"
    header = [
        f"From: Anna <{route.sender or 'mailer-daemon@' + host}>",
        f"To: Bo <bo@{next(route.legs())[0]}>",
        f"Subject: way {route.number}",
        f"Date: {email.utils.formatdate(localtime=False)}",
        f"Message-ID: {ident}",
    ]
    if stuffed:
        header = stuffing.stuff(header, route.number)
    return ident, "\r\n".join(header) + "\r\n\r\nA message on its way.\r\n"


def submit(street, route, message):
    recipients = [f"bo@{next(route.legs())[0]}"]
    if route.how == "many":
        recipients.append(recipients[0].replace("bo@", "carl@"))
    if not route.client:
        street.servers[route.hosts[0]].sendmail(route.sender, recipients, message.replace("\r\n", "\n").encode())
        return
    client, first = HOSTS[route.client], HOSTS[route.hosts[0]]
    server = first.also if ":" in client.address else first.address
    with smtplib.SMTP(server, 25, local_hostname=client.name, source_address=(client.address, 0), timeout=60) as smtp:
        if route.how == "auth":
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            smtp.starttls(context=context)
            smtp.login("anna", PASSWORD)
        smtp.sendmail(route.sender, recipients, message.encode())


def arrived(street, host, ident):
    """The message of that id in the host's mailboxes."""
    folder = street.folder / host / "mail" if HOSTS[host].software in ("postfix", "dovecot") else street.folder / host / "box"
    needle = ident.encode()
    for path in folder.glob("**/new/*"):
        text = path.read_bytes()
        if needle in text:
            return text
    return None


def wait_for(street, host, ident):
    try:
        return ground.until(f"{ident} at {host}", lambda: arrived(street, host, ident), patience=60, pause=0.1)
    except AssertionError:
        for name, server in street.servers.items():
            log = server.tail() if hasattr(server, "tail") else server.log()
            print(f"{name}: " + "\n  ".join(log.splitlines()[-6:]), file=sys.stderr)
        raise


def send_on(street, route, text):
    """What a list manager, or a user who fetches mail, does with a message that has arrived."""
    header, body = text.replace(b"\r\n", b"\n").split(b"\n\n", 1)
    lines = header.split(b"\n")
    while lines[0].split(b":")[0].lower() in (b"return-path", b"delivered-to", b"x-original-to", b"envelope-to"):
        del lines[0]
    domain = list(route.legs())[1][0]
    sender = route.sender
    if route.turn == "list":
        org = HOSTS[route.hosts[-1]].domain
        sender = f"walks-bounces@{org}"
        lines += [b"List-Id: Walks in the woods <walks.%s>" % org.encode(), b"Precedence: list"]
    message = b"\n".join(lines) + b"\n\n" + body
    street.servers[route.hosts[-1]].sendmail(sender, [f"bo@{domain}"], message)


def travel(street, route, stuffed):
    """One message all its way; (what is true of it, the message as it lies in the last mailbox)."""
    ident, message = compose(route, stuffed)
    submit(street, route, message)
    final = route.hosts[-1]
    text = None
    if route.turn != "forward":
        text = wait_for(street, final, ident)
    if route.turn in ("list", "fetched"):
        send_on(street, route, text)
    if route.turn:
        final = route.onward[-1]
        text = wait_for(street, final, ident)
    text = text.replace(b"\r\n", b"\n")
    false = mbox.received_of(message.replace("\r\n", "\n").encode())
    lines = mbox.received_of(text)
    client = HOSTS[route.client] if route.client else None
    truth = {
        "route": route.number,
        "hosts": [*route.hosts, *route.onward],
        "turn": route.turn,
        "true": len(lines) - len(false),
        "false": len(false),
        "client": client.address if client else None,
    }
    return truth, text


def record(work, folder, routes):
    addresses()
    Dns(work / "nsd", zones(everything=True), RESOLVER, 53).start()
    street = Street(work, routes, RESOLVER)
    street.prepare()
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(street.start, [HOSTS[name] for name in street.plan.hosts]))
        print(f"{len(street.servers)} servers after {time.monotonic() - began:.1f} s", file=sys.stderr)
        jobs = [(route, False) for route in routes] + [(route, True) for route in routes]
        done = list(pool.map(lambda job: (job[1], *travel(street, *job)), jobs))
    print(f"{len(done)} messages after {time.monotonic() - began:.1f} s", file=sys.stderr)
    folder.mkdir(parents=True, exist_ok=True)
    for stuffed, name in ((False, "chains"), (True, "stuffed")):
        rows = [(truth, text) for is_stuffed, truth, text in done if is_stuffed == stuffed]
        mbox.write(folder / f"{name}.mbox", [text for _, text in rows])
        lines = ",\n".join(json.dumps(truth) for truth, _ in rows)
        (folder / f"{name}.json").write_text(f"[\n{lines}\n]\n")
    for zone, text in zones().items():
        (folder / f"{zone}.zone").write_text(text + "\n")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--inside", type=pathlib.Path, help=argparse.SUPPRESS)
    options.add_argument("--all", action="store_true", help="all ways, not a few")
    options.add_argument("folder", type=pathlib.Path)
    chosen = options.parse_args()
    if not chosen.inside:
        words = ["--all"] if chosen.all else []
        return enter([*words, str(chosen.folder.resolve())])
    record(chosen.inside, chosen.folder, ROUTES if chosen.all else FEW)
    return 0


if __name__ == "__main__":
    sys.exit(main())
