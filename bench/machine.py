"""What the machine says: processor time and memory of a tree of processes, and what it is made of."""
import ctypes
import os
import pathlib
import platform
import signal
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")


def until(what, condition, patience=60, pause=0.005):
    deadline = time.monotonic() + patience
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {patience} s: {what}")
        time.sleep(pause)


def parents():
    """pid: (parent, ticks of its own and of the children that it has buried)."""
    found = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                fields = pathlib.Path(entry.path, "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            found[int(entry.name)] = (int(fields[1]), sum(map(int, fields[11:15])))
    return found


def tree(root, known=None):
    known = known or parents()
    members, grown = {root}, True
    while grown:
        more = {p for p, (parent, _) in known.items() if parent in members} - members
        grown = bool(more)
        members |= more
    return members & set(known)


def cpu_seconds(root):
    """Of the whole tree, the dead included."""
    known = parents()
    return sum(known[p][1] for p in tree(root, known)) / TICK


def memory_kib(root, key="Pss"):
    """Memory of the tree's processes; pages that they share count once."""
    total = 0
    for process in tree(root):
        try:
            text = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith(key + ":"))
    return total


def written_bytes(root):
    """What the tree's living processes wrote so far."""
    total = 0
    for process in tree(root):
        try:
            lines = pathlib.Path(f"/proc/{process}/io").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(l.split()[1]) for l in lines if l.startswith("wchar"))
    return total


def settle(root, patience=15):
    """Waits until the tree writes nothing: what a start prepares is not part of what is measured."""
    deadline = time.monotonic() + patience
    before = -1
    while time.monotonic() < deadline and (now := written_bytes(root)) != before:
        before = now
        time.sleep(0.3)


def end_tree(root):
    """Ends a tree of processes that we started: SIGTERM to its root, SIGKILL for what stays."""
    members = tree(root)
    for process in members:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            pass


def be_subreaper():
    """Orphans among our descendants become our children: their time is not lost."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)


def description():
    model = [l for l in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if "model name" in l]
    mount = subprocess.run(["df", "-T", "/tmp"], capture_output=True, text=True).stdout.splitlines()
    memory = pathlib.Path("/proc/meminfo").read_text().split()[1]
    return {
        "processor": model[0].split(":")[1].strip() if model else platform.machine(),
        "cores": os.cpu_count(),
        "memory_GiB": round(int(memory) / 2**20),
        "kernel": platform.release(),
        "file_system": " ".join(mount[-1].split()[:2]) if mount else "",
        "date": time.strftime("%Y-%m-%d %H:%M"),
    }
