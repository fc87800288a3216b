"""A systemd of the test's own: the first process of namespaces made for it (processes, mounts, network, control
groups), over a copy-on-write view of this host's files. It knows no unit but those that the test gives it."""
import ctypes
import os
import pathlib
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from . import ground

PROGRAM = "/usr/lib/systemd/systemd"
# In namespaces of its own; what it mounts is gone with them. "$1": a folder of the test's.
BOOT = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do cp -a "/dev/$device" dev/; done
ln -s /proc/self/fd dev/fd
mkdir dev/shm dev/pts run/units
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
for target in sysinit basic shutdown sockets network-online nss-lookup multi-user trial; do
    printf '[Unit]\\nDefaultDependencies=no\\n' > "run/units/$target.target"
done
ip link set lo up
pivot_root . mnt
cd /
umount -l /mnt
exec env -i container=trial PATH=/usr/bin:/usr/sbin SYSTEMD_UNIT_PATH=/run/units \
    "$2" --system --unit=trial.target --log-target=null --show-status=no
"""


def control_groups():
    """Where the second version of control groups is mounted."""
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind == "cgroup2":
            return pathlib.Path(where)
    return None


class Machine:
    def __init__(self):
        groups = control_groups()
        if os.geteuid() != 0 or not os.path.exists(PROGRAM) or not groups:
            pytest.skip("a systemd of the test's own needs root, systemd and control groups of the second version")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="postrider-systemd-"))
        self.group = groups / self.folder.name
        self.process = self.pid = None
        try:
            self.group.mkdir()
            self.boot()
        except OSError as trouble:
            self.end()
            pytest.skip(f"no systemd of the test's own here: {trouble}")

    def boot(self):
        words = ["unshare", "-m", "-p", "-u", "-i", "-n", "-C", "--fork", "--kill-child", "sh", "-c", BOOT, "boot",
                 str(self.folder), PROGRAM]
        self.process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            preexec_fn=lambda: (self.group / "cgroup.procs").write_text(str(os.getpid())),
        )
        ground.until("systemd runs, or cannot", lambda: self.process.poll() is not None or self.is_up())
        if self.process.poll() is not None:
            raise OSError(self.process.stderr.read().decode(errors="replace").strip()[-300:] or "it ended")
        self.root = pathlib.Path(f"/proc/{self.pid}/root")

    def is_up(self):
        """Its control socket is there last."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        self.pid = int(children[0]) if children else None
        return self.pid is not None and self.run("systemctl", "is-active", "trial.target").stdout == "active\n"

    def run(self, *words, check=None):
        """A command on that machine."""
        done = subprocess.run(["nsenter", "-t", str(self.pid), "-m", "-p", "-u", "-n", "-r", "--", *words],
                              capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        assert check is None or done.returncode == check, (words, done.stdout, done.stderr)
        return done

    def within(self, make):
        """What `make` gives, whose sockets are of that machine's network: a thread can be in one of its own."""

        def enter():
            libc = ctypes.CDLL(None, use_errno=True)
            with open(f"/proc/{self.pid}/ns/net") as network:
                if libc.setns(network.fileno(), 0) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            return make()

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(enter).result()

    def show(self, unit, name):
        return self.run("systemctl", "show", "-P", name, unit, check=0).stdout.strip()

    def end(self):
        if self.process:
            self.process.kill()  # and systemd with it, and with that all of its namespace
            self.process.wait()
            self.process.stderr.close()
        if self.group.exists():
            ground.until("its processes are gone", self.groups_go)
        shutil.rmtree(self.folder, ignore_errors=True)

    def groups_go(self):
        for folder, _, _ in os.walk(self.group, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                return False
        return True
