"""Debian packages that must not be installed side by side, or at all, unpacked into a folder of
their own. Nothing of them is ever started by the system."""
import fcntl
import functools
import os
import subprocess

import pytest

from . import accounts
from .ground import CACHE

PACKAGES = [
    "postfix",
    "exim4-base",
    "exim4-daemon-light",
    "dovecot-core",
    "dovecot-lmtpd",
    "nullmailer",
    "unbound",
    "gsasl",
    "opensmtpd",
    "libfaketime",
    "node-nodemailer",
    "golang-blitiri-go-spf-dev",
    "postgresql-15",
    "slapd",
    "fail2ban",
]
ROOT = CACHE / "root"


@functools.cache
def root():
    """The folder they lie in; downloaded once, then kept."""
    done = CACHE / "unpacked"
    wanted = "\n".join(PACKAGES)
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.read_text() != wanted:
            fetch()
            done.write_text(wanted)
    return ROOT


def fetch():
    debs = CACHE / "debs"
    debs.mkdir(exist_ok=True)
    for old in debs.glob("*.deb"):
        old.unlink()
    got = subprocess.run(
        ["apt-get", "download", *PACKAGES], cwd=debs, capture_output=True, text=True, timeout=300
    )
    if got.returncode != 0:
        pytest.skip("peers cannot be downloaded (apt-get update?): " + got.stderr[-300:])
    for deb in sorted(debs.glob("*.deb")):
        subprocess.run(["dpkg", "-x", str(deb), str(ROOT)], check=True, timeout=120)


def file(path):
    return str(root() / path)


def libraries():
    """The environment in which unpacked programs find their own libraries."""
    paths = [file("usr/lib/postfix"), file("usr/lib/dovecot")]
    return {**os.environ, "LD_LIBRARY_PATH": ":".join(paths), "LC_ALL": "C"}


def missing(program):
    """The libraries that the machine lacks for it."""
    out = subprocess.run(["ldd", program], env=libraries(), capture_output=True, text=True).stdout
    return [line.split()[0] for line in out.splitlines() if "not found" in line]


INSTALLED = """
set -e
mount --make-rprivate /
mount -t overlay overlay -o lowerdir="$1/usr:/usr" /usr
mount -t overlay overlay -o lowerdir="$2/etc:/etc" /etc
mount --bind "$2/spool" /var/spool
if [ -d "$2/lib" ]; then mount --bind "$2/lib" /var/lib; fi
if [ -d "$2/run" ]; then mount --bind "$2/run" /run; fi
shift 2
exec "$@"
"""


WITH_RESOLVER = """
mount --make-rprivate /
mount --bind "$1" /etc/resolv.conf
shift
exec "$@"
"""


def with_resolver(file, *command):
    """The command that runs `command` in a mount namespace of its own, where /etc/resolv.conf is that file."""
    return ["unshare", "-m", "sh", "-ec", WITH_RESOLVER, "sh", str(file), *map(str, command)]


def add_files(folder, files):
    """`files`: {path below /etc: text} of a machine for as_installed()."""
    for name, text in files.items():
        path = folder / "etc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def as_installed(folder, *command):
    """The command that runs `command` in a mount namespace of its own, where the packages lie under
    /usr, and users, /etc and /var/spool are what `folder` has more (/var/lib and /run too, where it has them): for
    programs that find their parts nowhere else. Their process id is that of what is started."""
    for name in ("etc", "spool"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    accounts.environment(folder / "etc")
    return ["unshare", "-m", "sh", "-c", INSTALLED, "sh", str(root()), str(folder), *map(str, command)]


@functools.cache
def can_be_installed():
    """Whether this machine lets us: it takes root, and a kernel that mounts in a namespace."""
    script = "mount --make-rprivate / && mount -t overlay overlay -o lowerdir=/etc:/usr /usr"
    return subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True).returncode == 0
