"""A machine of the bench's own, where this one does not give a process enough descriptors: qemu,
without the processor's help (slow, but memory is memory), Debian's kernel, and a first file system
made of what the bench needs. Nothing of it touches the network."""
import gzip
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import peers
import servers

PYTHON = pathlib.Path("/usr/bin/python3")
INIT = """\
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
ip link set lo up
ulimit -n 300000
echo "1024 65000" >/proc/sys/net/ipv4/ip_local_port_range
export PATH=/usr/bin:/bin LC_ALL=C.UTF-8
{python} -B {bench}/guest.py {words}
poweroff -f
"""
NAMES = {
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "hosts": "127.0.0.1 localhost\n",
    "passwd": "root:x:0:0::/:/bin/sh\n",
    "group": "root:x:0:\n",
}


def libraries(program):
    out = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    return {word for line in out.splitlines() for word in line.split() if word.startswith("/")}


def copied(root, file):
    place = root / str(file).lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(file, place)


def furnish(root, words):
    """The machine's files: busybox, Python with its library, the server, the bench."""
    for folder in ("proc", "sys", "dev", "tmp", "bin", "etc"):
        (root / folder).mkdir()
    library = pathlib.Path(os.__file__).parent
    left_out = shutil.ignore_patterns("__pycache__", "test", "idlelib", "tkinter")
    shutil.copytree(library, root / str(library).lstrip("/"), ignore=left_out)
    shutil.copytree(peers.SOURCE / "bench", root / str(peers.SOURCE / "bench").lstrip("/"))
    shutil.copy2("/bin/busybox", root / "bin")
    programs = [PYTHON, servers.PROGRAM, *(servers.TOOLS / t for t in ("load", "hold", "dns", "sink"))]
    for program in programs:
        copied(root, program)
    for file in set().union(*map(libraries, [*programs, *library.glob("lib-dynload/*.so")])):
        copied(root, file)
    for name, text in NAMES.items():
        (root / "etc" / name).write_text(text)
    (root / "init").write_text(INIT.format(python=PYTHON, bench=peers.SOURCE / "bench", words=words))
    (root / "init").chmod(0o755)


def first_file_system(root, image):
    names = "\n".join(str(path.relative_to(root)) for path in root.rglob("*"))
    done = subprocess.run(
        ["cpio", "-o", "-H", "newc"], input=names.encode(), cwd=root, capture_output=True, check=True
    )
    with gzip.open(image, "wb", compresslevel=1) as f:
        f.write(done.stdout)


def kernel():
    """Debian's, by the name that its package has today."""
    out = subprocess.run(["apt-cache", "depends", "linux-image-cloud-amd64"], capture_output=True, text=True)
    names = [line.split()[1] for line in out.stdout.splitlines() if line.strip().startswith("Depends: ")]
    peers.PACKAGES["kernel"] = names[:1]
    root = peers.unpacked("kernel") if names else None
    found = sorted(root.glob("boot/vmlinuz-*")) if root else []
    if not found:
        raise RuntimeError("no kernel for the machine (linux-image-cloud-amd64)")
    return found[-1]


def run(count, patience=900):
    """Holds so many idle sessions in the machine; the row that bench/guest.py prints."""
    if not shutil.which("qemu-system-x86_64"):
        raise RuntimeError("no qemu-system-x86_64")
    with tempfile.TemporaryDirectory(prefix="bench-vm-", dir=servers.WORK) as folder:
        root, image = pathlib.Path(folder, "root"), pathlib.Path(folder, "image.gz")
        root.mkdir()
        furnish(root, str(count))
        first_file_system(root, image)
        words = ["-accel", "tcg,thread=multi", "-m", "4096", "-smp", "2", "-nographic", "-no-reboot"]
        words += ["-nic", "none", "-kernel", kernel(), "-initrd", image]
        words += ["-append", "console=ttyS0 quiet panic=-1"]
        done = subprocess.run(
            ["qemu-system-x86_64", *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True,
            timeout=patience,
        )  # fmt: skip
    told = done.stdout.decode(errors="replace")
    rows = [line for line in told.splitlines() if line.startswith('{"')]
    if not rows:
        print(told[-2000:], file=sys.stderr)
        raise RuntimeError("the machine told nothing")
    return json.loads(rows[-1])
