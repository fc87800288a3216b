"""Other mail servers from Debian's packages, unpacked beside the system and run in a mount namespace
in which they seem to be installed. Nothing of them is ever started by the system."""
import pathlib
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent
CACHE = SOURCE / "build-peers" / "bench"
PACKAGES = {
    "postfix": ["postfix"],
    "exim": ["exim4-base", "exim4-daemon-light"],
    "opensmtpd": ["opensmtpd"],
}
NAME_SERVER = "127.77.0.1"  # port 53: bench/dns.c answers there too
USERS = {
    "root": 0, "daemon": 1, "mail": 8, "postfix": 2001, "postdrop": 2006, "Debian-exim": 2002,
    "opensmtpd": 2007, "opensmtpq": 2008, "mailer": 2005, "nobody": 65534, "nogroup": 65534,
}  # fmt: skip
INSTALLED = """
set -e
mount --make-rprivate /
mount -t overlay overlay -o lowerdir="$1/usr:/usr" /usr
mount -t overlay overlay -o lowerdir="$2/etc:/etc" /etc
mount --bind "$2/spool" /var/spool
mount --bind "$2/lib" /var/lib
mount -t tmpfs tmpfs /run
shift 2
exec "$@"
"""


def missing_libraries(program):
    out = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    return [line.split()[0] for line in out.splitlines() if "not found" in line]


def unpacked(name):
    """The folder in which a peer lies; None if it cannot be had."""
    root = CACHE / name
    if not (root / "whole").exists():
        debs = CACHE / f"{name}-debs"
        debs.mkdir(parents=True, exist_ok=True)
        got = subprocess.run(["apt-get", "download", *PACKAGES[name]], cwd=debs, capture_output=True)
        if got.returncode != 0:
            print(f"{name} cannot be downloaded (apt-get update?)", file=sys.stderr)
            return None
        for deb in debs.glob("*.deb"):
            subprocess.run(["dpkg", "-x", str(deb), str(root)], check=True)
        (root / "whole").touch()
    return root


def version(name):
    debs = (CACHE / f"{name}-debs").glob(PACKAGES[name][-1] + "_*.deb")
    return next((deb.name.split("_")[1].replace("%3a", ":") for deb in debs), "?")


def as_installed(name, folder, *command):
    """The command that runs `command` where the peer seems installed; /etc has `folder`/etc on top,
    /var/spool is `folder`/spool."""
    for part in ("etc", "spool", "lib"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "etc/passwd").write_text(
        "".join(f"{n}:x:{i}:{i}::/var/empty:/bin/sh\n" for n, i in USERS.items())
    )
    (folder / "etc/group").write_text("".join(f"{n}:x:{i}:\n" for n, i in USERS.items()))
    (folder / "etc/shadow").write_text("".join(f"{n}:*:19000:0:99999:7:::\n" for n in USERS))
    (folder / "etc/resolv.conf").write_text(f"nameserver {NAME_SERVER}\n")
    (folder / "etc/hosts").write_text("127.0.0.1 localhost\n")
    return ["unshare", "-m", "sh", "-c", INSTALLED, "sh", str(unpacked(name)), str(folder), *command]
