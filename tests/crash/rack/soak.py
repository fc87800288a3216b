"""soak.py MINUTES [SEED]: a mixed load for so long, with faults at random. In the end nothing that was
acknowledged is missing, and memory, descriptors and disk are where they began. Exit code 1 if not."""
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "e2e"), str(HERE)]

import dns.rcode  # noqa: E402
from books import Arrivals, Senders  # noqa: E402
from house import ground  # noqa: E402
from house.dns import OddDns, respond  # noqa: E402
from house.hostile import Hostile  # noqa: E402
from house.postrider import Postrider  # noqa: E402
from limits import descriptors, memory, processes  # noqa: E402

ATTACKS = ("slow-command", "slow-body", "endless-line", "endless-noop", "endless-recipients", "half-closed", "deaf")


class Soak:
    def __init__(self, folder, seed):
        self.rng = random.Random(seed)
        self.names = OddDns(lambda query: respond(query, rcode=dns.rcode.NXDOMAIN))
        port = ground.port_everywhere()
        self.far = Hostile(ground.address(), port, self.mood)
        self.moody = False
        self.house = Postrider(
            folder / "house",
            {
                "dns": {"servers": [self.names.start()]},
                "log": {"level": "info"},
                "networks": ["127.0.0.0/24"],
                "transports": [{"match": "far.example", "to": f"smtp://{self.far.address}:{port}"}],
                "queue": {"retry": ["500ms", "1s"], "history": "20s"},
            },
            port,
        )
        self.box = self.house.maildir("you")
        self.arrivals = Arrivals([self.box], [self.far])
        self.count = 0
        self.crashes = 0  # that we caused, since it was started

    def mood(self, session, phase, argument):
        """The far server: mostly well, sometimes all of this."""
        if not self.moody or self.rng.random() > 0.05:
            return None
        return self.rng.choice(["451 4.3.0 not now", "DIE", "RESET", 0.2])

    # -- what befalls it ---------------------------------------------------------------------------

    def worker(self):
        return processes(self.house.process.pid)[1]

    def crash_worker(self):
        number = self.rng.choice([signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV])
        before = len(self.house.seen("ready"))
        self.crashes += 1
        ground.os.kill(self.worker(), number)
        self.house.wait("worker-started", 1)
        ground.until("a new worker is ready", lambda: len(self.house.seen("ready")) > before)

    def no_other_crash(self):
        """Before its log's events are forgotten: only we made the worker die."""
        died = self.house.seen("worker-died")
        assert len(died) == self.crashes, f"{self.crashes} crashes were ours, of {died}"
        self.crashes = 0

    def kill_all(self):
        self.no_other_crash()
        self.house.kill()
        self.house.start()

    def restart(self):
        self.no_other_crash()
        self.house.stop()
        self.house.start()

    def reload(self):
        self.house.process.send_signal(signal.SIGHUP)

    def moods(self):
        self.moody = not self.moody

    def attack(self):
        kind = self.rng.choice(ATTACKS)
        command = [sys.executable, "-B", str(HERE / "attack.py"), kind, "200", self.house.address, str(self.house.port)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            process.stdout.readline()
            self.pause(2)
            process.communicate("\n", timeout=60)
            assert process.returncode == 0, f"the attackers ({kind}) failed, not the server: their traceback is above"
        finally:
            process.kill()

    def verbs(self):
        for words in (["queue"], ["queue", "retry", "--domain", "far.example"], ["why", "you@house.example"]):
            self.house.run(*words)

    # -- the run -----------------------------------------------------------------------------------

    def pause(self, seconds):
        """Meanwhile what arrived is looked at and thrown away, as its reader would."""
        end = time.monotonic() + seconds

        def is_over():
            self.read_mail()
            return time.monotonic() >= end

        ground.until("the time is over", is_over, patience=seconds + 60, pause=0.2)

    def read_mail(self):
        self.arrivals.look()
        for path in list(self.arrivals.seen):
            path.unlink(missing_ok=True)
        self.arrivals.seen.clear()

    def load(self, seconds, faults):
        self.count += 1
        to = ("you@house.example", "you@far.example")
        until = time.monotonic() + seconds
        with Senders(self.house, count=3, to=to, name=f"s{self.count}-", pause=0.01, source="127.0.0.9") as senders:
            while time.monotonic() < until:
                self.pause(self.rng.random() * 3)
                if faults:
                    self.rng.choice(FAULTS)(self)
        self.moody = False
        ground.until("all arrives", lambda: self.read_mail() or senders.taken <= self.arrivals.counts.keys(), 120, 0.3)
        ground.until("the queue is empty", lambda: not self.house.json("queue")["messages"], 60, 0.3)
        return len(senders.taken)

    def size(self):
        """After a restart, when all is delivered: KiB of memory, descriptors, MiB of disk."""
        spool = pathlib.Path(self.house.config["spool"]["path"])
        disk = sum(p.stat().st_blocks for p in spool.rglob("*") if p.is_file()) * 512 >> 20
        pid = self.house.process.pid
        return {"memory_MiB": memory(pid) >> 10, "descriptors": descriptors(pid), "disk_MiB": disk}


FAULTS = [Soak.crash_worker, Soak.kill_all, Soak.restart, Soak.reload, Soak.reload, Soak.moods, Soak.moods, Soak.attack, Soak.verbs]


def main(minutes, seed):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="postrider-soak-"))
    soak = Soak(folder, seed)
    soak.far.start()
    soak.house.start()
    try:
        soak.load(20, faults=False)
        soak.pause(25)  # the history of what was delivered goes too
        begin = soak.size()
        taken = 0
        ends = time.monotonic() + minutes * 60
        while time.monotonic() < ends:
            taken += soak.load(min(120, ends - time.monotonic()), faults=True)
            print(f"{max(0, ends - time.monotonic()) / 60:.1f} min left, {taken} acknowledged, none lost, {soak.size()}", flush=True)
        taken += soak.load(20, faults=False)
        soak.pause(25)
        end = soak.size()
        soak.no_other_crash()
        soak.house.stop()
    finally:
        soak.house.process and soak.house.kill()
        soak.far.stop()
        soak.names.stop()
    copies = sum(count - 1 for count in soak.arrivals.counts.values())
    print(f"seed {seed}: {minutes} min, {taken} acknowledged, 0 lost, {copies} second copies\nbegan {begin}\nended {end}")
    shutil.rmtree(folder)
    good = end["memory_MiB"] <= begin["memory_MiB"] + 16 and end["descriptors"] <= begin["descriptors"] + 4 and end["disk_MiB"] <= begin["disk_MiB"] + 192
    print("as it began" if good else "NOT as it began")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 20, int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())))
