"""What is measured. A workload is a function that yields its runs; each run gives a row of numbers."""
import contextlib
import json
import mmap
import os
import resource
import statistics
import struct
import subprocess
import tempfile
import threading
import time

import machine
import servers
import peers
import vm
from servers import ADDRESS, SINK_PORT, TOOLS


def load(server, *options):
    """Runs the load generator and returns what it reports."""
    words = [TOOLS / "load", *map(str, options), f"{ADDRESS}:{server.port}"]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"load against {server.name}: {done.stderr}")
    report = json.loads(done.stdout)
    if report["refused"] or report["broken"]:
        print(f"   {server.name}: {report['refused']} refused, {report['broken']} broken connections: "
              f"{report['complaint']}")  # fmt: skip
    return report


class Sink:
    """The next hop, and how much it has taken."""

    def __init__(self, port=SINK_PORT, address=ADDRESS, delay=0, processes=1):
        self.file = servers.WORK / f"bench-sink-{os.getpid()}-{port}"
        words = ["-f", self.file, "-j", processes, "-d", delay, f"{address}:{port}"]
        self.process = subprocess.Popen([TOOLS / "sink", *map(str, words)])
        machine.until("the sink listens", lambda: servers.listens(port))
        with self.file.open("rb") as f:
            self.counts = mmap.mmap(f.fileno(), 4096, prot=mmap.PROT_READ)

    def count(self, which):
        at = {"messages": 0, "recipients": 8, "bytes": 16, "connections": 24, "first_ns": 32}[which]
        return struct.unpack_from("Q", self.counts, at)[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        machine.end_tree(self.process.pid)
        self.process.wait()
        self.counts.close()
        self.file.unlink()


class Bench:
    """How long, how often, which servers."""

    def __init__(self, quick, rounds, names):
        self.quick = quick
        self.seconds = 1 if quick else 2
        self.rounds = rounds or (1 if quick else 2)
        self.names = names

    def interleaved(self, shape, measured, purpose, names=None, **options):
        """A B A B: each server in turn, as often as there are rounds, fresh each time; `measured` makes
        the row of one run. What fails for one server is told in its row, and the others go on."""
        for turn in range(self.rounds):
            for name in names or [n for n in self.names if n != "null"]:
                row = {"shape": shape}
                try:
                    with servers.ALL[name](purpose, **options) as server:
                        row.update(measured(server))
                except (RuntimeError, OSError, ValueError, subprocess.SubprocessError) as error:
                    row["failed"] = str(error).strip().splitlines()[0][:200]
                yield turn, servers.ALL[name].name, row

    def own(self, shape, measured, purpose, **options):
        """The same of Postrider alone, where there is one to compare it with only by itself."""
        return self.interleaved(shape, measured, purpose, names=["postrider"], **options)


@contextlib.contextmanager
def cost(server, row):
    """Processor seconds per 1,000 messages of what runs inside, into row; `row["messages"]` is set
    there."""
    before = server.cpu() if server.process else 0
    yield
    row["cpu_s_per_1000"] = round((server.cpu() - before) * 1000 / max(1, row["messages"]), 4)


def accept_and_queue(bench):
    """(a)"""
    shapes = [(each, connections) for each in ("one", "many") for connections in (1, 20, 200)]
    for each, connections in [("one", 20), ("many", 200)] if bench.quick else shapes:

        def measured(server, each=each, connections=connections):
            row = {}
            keep = ["-k", 1] if each == "one" else ["-k", 0]
            common = ["-c", connections, *keep, "-p", *server.recipient(1)]
            load(server, "-m", 50 + connections, *common)
            machine.settle(server.process.pid)
            with cost(server, row):
                got = load(server, "-m", 3000000, "-t", bench.seconds, *common)
                row["messages"] = got["messages"]
            return {**row, "rate": got["rate"], "p50_us": got["p50_us"], "p99_us": got["p99_us"]}

        shape = f"{connections} connections, {each} per connection"
        yield from bench.interleaved(shape, measured, "queue", bench.names)


def relay(bench):
    """(b)"""
    for connections in (20,) if bench.quick else (1, 20):
        with Sink() as sink:

            def measured(server, connections=connections, sink=sink):
                return through(bench, server, connections, lambda: sink.count("messages"))

            yield from bench.interleaved(f"{connections} connections", measured, "relay")


def maildirs(bench):
    """(c)"""

    def measured(server):
        return through(bench, server, 20, server.delivered, pause=0.05)

    yield from bench.interleaved("20 connections", measured, "maildir")


def through(bench, server, connections, arrived, pause=0.002):
    """Messages go in, and come out at the other end: rate over the whole way."""
    row = {}
    common = ["-c", connections, "-k", 0, "-p", *server.recipient(100)]
    start = arrived()
    warm = load(server, "-m", 100 + connections, *common)["messages"]
    machine.until("the warm-up arrives", lambda: arrived() >= start + warm, 120, pause)
    start += warm
    machine.settle(server.process.pid)
    began = time.monotonic()
    with cost(server, row):
        got = load(server, "-m", 3000000, "-t", bench.seconds, *common)
        goal = start + got["messages"]
        last, stuck = arrived(), time.monotonic()
        while (now := arrived()) < goal and time.monotonic() - stuck < 60:
            if now > last:
                last, stuck = now, time.monotonic()
            time.sleep(pause)
        took = (stuck if now < goal else time.monotonic()) - began
        row["messages"] = now - start
    row.update(rate=round((now - start) / took, 1), accept_rate=got["rate"], missing=goal - now)
    return row


def idle_sessions(bench):
    """(d)"""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 1000  # 50,000 where that many are allowed
    for count in (1000,) if bench.quick else (1000, 10000, min(50000, most)):
        names = [n for n in bench.names if n != "null"]
        if count > 1000:  # a process per session: 1,000 tell enough
            names = [n for n in names if n not in ("postfix", "exim")]

        def measured(server, count=count):
            return hold(server, count)

        yield from bench.interleaved(
            f"{count:,} idle sessions", measured, "queue", names, processes=count + 50
        )
    for count in (1000,) if bench.quick else (1000, 10000):
        for version, words in (("1.3", ["-s"]), ("1.2", ["-s", "-2"])):
            compared = ("postrider", "postfix") if count == 1000 and version == "1.3" else ("postrider",)
            names = [n for n in bench.names if n in compared]

            def secured(server, count=count, words=words):
                return hold(server, count, words)

            yield from bench.interleaved(
                f"{count:,} idle sessions, TLS {version}", secured, "queue", names, processes=count + 50, secure="P-256"
            )
    if most < 50000 and not bench.quick:
        yield 0, "Postrider", {"shape": "50,000 idle sessions, in a (slow) virtual machine", **vm.run(50000)}


def handshakes(bench):
    """(k)"""
    names = [n for n in bench.names if n in ("postrider", "postfix")]
    shapes = [(kind, *way) for kind in ("P-256", "RSA-2048") for way in (("full", "TLS 1.3"), ("full", "TLS 1.2", "-2"))]
    shapes += [("P-256", "resumed", "TLS 1.3", "-r"), ("P-256", "resumed", "TLS 1.2", "-2", "-r")]
    for kind, what, version, *options in shapes[::2] if bench.quick else shapes:

        def measured(server, options=options, what=what):
            return shake_hands(bench, server, what, options)

        yield from bench.interleaved(f"{kind}, {what}, {version}", measured, "queue", names, secure=kind)


def shake_hands(bench, server, what, options):
    """Rate of handshakes, up to the greeting."""
    row = {}
    words = [TOOLS / "handshake", "-c", "20", *options, f"{ADDRESS}:{server.port}"]
    subprocess.run([*words, "-t", "1"], capture_output=True, check=True)
    machine.settle(server.process.pid)
    with cost(server, row):
        done = subprocess.run([*words[:-1], "-t", str(bench.seconds), words[-1]], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"handshakes with {server.name}: {done.stderr}")
        got = json.loads(done.stdout)
        row["messages"] = got["handshakes"]
    if got["failed"] or (what == "resumed" and got["resumed"] < got["handshakes"] * 0.9):
        raise RuntimeError(f"of {got['handshakes']} handshakes {got['resumed']} resumed, {got['failed']} failed")
    del row["messages"]
    return {**row, **{key: got[key] for key in ("rate", "p50_us", "p99_us", "generator")}}


def hold(server, count, secure=()):
    """`secure`: options for TLS; the rate of mail beside them is measured without."""
    row = {}
    if secure:
        subprocess.run([TOOLS / "handshake", "-t", "1", f"{ADDRESS}:{server.port}"], capture_output=True, check=True)
    else:
        load(server, "-m", 500, "-c", 20, *server.recipient(1))
    before = server.memory_kib()
    holders, held = [], 0
    try:
        for left in range(count, 0, -15000):
            words = [TOOLS / "hold", *secure, str(min(left, 15000)), f"{ADDRESS}:{server.port}"]
            holders.append(
                subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            timer = threading.Timer(60, holders[-1].kill)  # it tells after 45 s at the latest
            timer.start()
            line = holders[-1].stdout.readline()
            timer.cancel()
            held += json.loads(line)["held"] if line else 0
        after = server.memory_kib()
        row.update(held=held)
        if held:
            row.update(bytes_per_session=round((after - before) * 1024 / held))
        if held and not secure:
            got = load(server, "-m", 3000000, "-t", 1, "-c", 20, "-k", 0, "-p", *server.recipient(1))
            row["rate"] = got["rate"]
    finally:
        for holder in holders:
            holder.stdin.close()
            holder.wait()
    return row


def large(bench):
    """(e)"""
    count = 4 if bench.quick else 16
    yield from bench.interleaved(
        "25 MiB", lambda server: relayed_large(server, 25 << 20, count), "relay"
    )
    for size, number in ((1 << 20, 200), (100 << 20, 4)):

        def measured(server, size=size, number=number):
            return relayed_large(server, size, number)

        if not bench.quick:
            yield from bench.own(f"{size >> 20} MiB", measured, "relay", limits={"message": "200MiB"})


def relayed_large(server, size, count):
    row, stop = {}, threading.Event()
    with Sink() as sink:
        load(server, "-m", 200, "-c", 4, *server.recipient(1))
        machine.until("the warm-up arrives", lambda: sink.count("messages") >= 200)
        before = server.memory_kib()
        peak = [before]

        def watch():
            while not stop.wait(0.02):
                peak[0] = max(peak[0], server.memory_kib())

        watcher = threading.Thread(target=watch)
        watcher.start()
        start = sink.count("bytes")
        began = time.monotonic()
        try:
            with cost(server, row):
                got = load(server, "-m", count, "-c", 4, "-s", size, *server.recipient(1))
                machine.until("all arrives", lambda: sink.count("bytes") >= start + count * size, 180)
                took = time.monotonic() - began
                row["messages"] = got["messages"]
        finally:
            stop.set()
            watcher.join()
    row.update(rate=round(count * size / 1e6 / took, 1), accept_MB_s=round(got["rate"] * size / 1e6, 1),
               idle_MiB=round(before / 1024, 1), peak_MiB=round(peak[0] / 1024, 1))  # fmt: skip
    return row


def baseline_and(bench, server, obstacle, repeats=3):
    """The rate of mail to far.example: first alone, then with `obstacle` in the queue, each the median
    of `repeats` runs. Returns both."""
    rates, costs = [], []
    with Sink() as sink:
        for step in (None, obstacle):
            if step:
                step()
            got = [
                through(bench, server, 20, lambda: sink.count("messages")) for _ in range(repeats)
            ]
            rates.append(statistics.median(r["rate"] for r in got))
            costs.append(statistics.median(r["cpu_s_per_1000"] for r in got))
    return {
        "cpu_alone": costs[0],
        "cpu_s_per_1000": costs[1],
        "alone": rates[0],
        "rate": rates[1],
        "kept_percent": round(100 * rates[1] / rates[0], 1),
    }


def far_and(*others):
    """Ways: far.example to the sink, others elsewhere."""
    ways = [{"match": "far.example", "to": f"smtp://{ADDRESS}:{SINK_PORT}"}, *others]
    return {"transports": ways, "limits": {"connections": 1000, "recipients": 200000}}


def long_queue(bench):
    """(g)"""
    count = 50000 if bench.quick else int(os.environ.get("BENCH_LONG_QUEUE", "1000000"))

    def measured(server):
        load(server, "-m", 10000, "-c", 100, "-k", 0, "-p", *server.recipient(1))
        machine.until("it rests", lambda: quiet(server), 60)
        before = server.memory_kib()
        load(server, "-m", count, "-c", 100, "-k", 0, "-p", *server.recipient(1))
        machine.until("it rests", lambda: quiet(server), 300)
        row = {"messages": count}
        row["bytes_per_message"] = round((server.memory_kib() - before) * 1024 / count)
        server.end_gently()
        with Sink() as sink:
            server.purpose = "relay"
            began = time.monotonic()
            server.start()
            row["started_s"] = round(time.monotonic() - began, 2)
            row["start_cpu_s"] = server.cpu()
            machine.until("the first delivery", lambda: sink.count("first_ns"), 300)
            row["first_delivery_s"] = round(sink.count("first_ns") / 1e9 - began, 2)
            row["MiB_after_start"] = round(server.memory_kib() / 1024, 1)
        return row

    rounds, bench.rounds = bench.rounds, 1
    yield from bench.own(f"{count:,} messages queued", measured, "queue")
    bench.rounds = rounds


def quiet(server):
    """Whether it does nothing any more."""
    before = server.cpu()
    time.sleep(0.5)
    return server.cpu() - before < 0.03


def slow_site(bench):
    """(h)"""
    count = 5000 if bench.quick else 100000
    slow = {"match": "slow.example", "to": f"smtp://{ADDRESS}:{SINK_PORT + 1}"}
    dead = {"match": "dead.example", "to": f"smtp://{ADDRESS}:1"}
    for name, way in (("a site that takes 1 s a message", slow), ("a dead site", dead)):
        to = ["-r", "box@" + way["match"]]

        def measured(server, to=to):
            with Sink(SINK_PORT + 1, delay=1000000):
                return baseline_and(
                    bench, server, lambda: load(server, "-m", count, "-c", 50, "-k", 0, "-p", *to)
                )

        yield from bench.own(f"{name} has {count:,} messages", measured, "relay", **far_and(way))


def many_recipients(bench):
    """(i)"""
    count, domains = (5000, 500) if bench.quick else (100000, 10000)
    far = SINK_PORT + 1
    options = {**far_and({"match": "*", "to": "mx"}), "deliver": {"port": far}}
    options["transports"].pop()

    def send(server, count, domains):
        return load(server, "-m", 1, "-s", 4096, "-n", count, "-r", "box%u@site%d.example", "-R", count, "-D", domains)

    def measured(server):
        peaks, began = [0], [0.0]  # of memory: with the other mail alone, and with the list beside it
        stop = threading.Event()

        def watch():
            while not stop.wait(0.1):
                peaks[-1] = max(peaks[-1], server.memory_kib())

        watcher = threading.Thread(target=watch)
        watcher.start()

        def obstacle():
            peaks.append(0)
            send(server, count, domains)
            began[0] = time.monotonic()

        with Sink(far, "0.0.0.0") as sites:
            try:
                send(server, 100, 10)  # what the first of its kind takes is not the list's
                machine.until("the warm-up arrives", lambda: sites.count("recipients") >= 100)
                row = baseline_and(bench, server, obstacle, repeats=1)
                machine.until("all of them arrive", lambda: sites.count("recipients") >= 100 + count, 300, 0.1)
            finally:
                stop.set()
                watcher.join()
        took = time.monotonic() - began[0]
        return {
            **row,
            "recipients_per_s": round(count / took),
            "bytes_per_recipient": round((peaks[1] - peaks[0]) * 1024 / count),
        }

    yield from bench.own(f"{count:,} recipients in {domains:,} domains", measured, "relay", **options)


def limits(bench):
    """What the disk gives."""
    for turn in range(bench.rounds):
        done = subprocess.run([TOOLS / "disk", servers.WORK, "1"], capture_output=True, text=True, check=True)
        yield turn, "disk", {"shape": "disk", **json.loads(done.stdout)}


def trace(bench):
    """Judges true chains by what is in them, on one core."""
    chains = peers.SOURCE / "tests/data/trace/chains.mbox"
    for turn in range(bench.rounds):
        done = subprocess.run([TOOLS / "trace", chains, "2"], capture_output=True, text=True, check=True)
        yield turn, "Postrider", {"shape": "offline, one core", **json.loads(done.stdout)}


SENDERS = "client.example"  # From of the load's messages
KEYS = {"rsa": ("--rsa", "2048"), "ed25519": ("--ed25519",)}


def signed(bench):
    """Relayed with signatures (DKIM) of each kind of key, and of both."""
    with tempfile.TemporaryDirectory() as folder:
        for name, options in KEYS.items():
            subprocess.run([servers.PROGRAM, "dkim", "key", SENDERS, name, "-f", f"{folder}/{name}", *options],
                           stdout=subprocess.DEVNULL, check=True)  # fmt: skip
        for names in ((), ("ed25519",), ("rsa",), tuple(KEYS)):
            keys = [{"domain": SENDERS, "selector": name, "key": f"{folder}/{name}"} for name in names]
            with Sink() as sink:

                def measured(server, sink=sink):
                    return through(bench, server, 20, lambda: sink.count("messages"))

                yield from bench.own(" and ".join(names) or "unsigned", measured, "relay", dkim=keys)


ALL = {
    "limits": limits,
    "a": accept_and_queue,
    "b": relay,
    "c": maildirs,
    "d": idle_sessions,
    "e": large,
    "g": long_queue,
    "h": slow_site,
    "i": many_recipients,
    "k": handshakes,
    "s": signed,
    "t": trace,
}
