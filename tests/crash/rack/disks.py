"""Small file systems of a test's own: a tmpfs that fills, an ext4 in a file that breaks. Needs root."""
import contextlib
import pathlib
import subprocess

import pytest


def _run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"{' '.join(command)}: {done.stderr.strip()} (mounts are not to be had here)")


@contextlib.contextmanager
def mounted(at, *command):
    at.mkdir()
    _run("mount", *command, str(at))
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)


def small(folder, mebibytes):
    """A tmpfs of that size."""
    return mounted(folder / "small", "-t", "tmpfs", "-o", f"size={mebibytes}m", "none")


def mount(at, options):
    """Changes a mount's options."""
    subprocess.run(["mount", "-o", options, str(at)], check=True)


class Breakable:
    """An ext4 in a file, that a word makes read-only as the kernel does when a disk fails."""

    def __init__(self, folder, mebibytes):
        self.image, self.at = folder / "image", folder / "breakable"
        with self.image.open("wb") as file:
            file.truncate(mebibytes << 20)
        _run("mkfs.ext4", "-q", str(self.image))
        self.at.mkdir()
        self._mount()

    def _mount(self):
        _run("mount", "-o", "loop,errors=remount-ro", str(self.image), str(self.at))

    def break_it(self):
        source = subprocess.run(["findmnt", "-no", "SOURCE", str(self.at)], capture_output=True, text=True, check=True)
        device = pathlib.Path(source.stdout.strip()).name
        pathlib.Path(f"/sys/fs/ext4/{device}/trigger_fs_error").write_text("1")

    def heal(self):
        """The same disk in another machine: checked, and written to again. Nobody may have it open."""
        self.done()
        done = subprocess.run(["fsck.ext4", "-fy", str(self.image)], capture_output=True, text=True)
        assert done.returncode in (0, 1), done.stdout + done.stderr
        self._mount()

    def done(self):
        subprocess.run(["umount", str(self.at)], check=True)


class Filler:
    """A file that takes all the space that is left, when told."""

    def __init__(self, folder):
        self.path = folder / "filler"
        self.file = self.path.open("wb", buffering=0)  # its name needs space too

    def fill(self):
        for size in (1 << 20, 4096):
            try:
                while True:
                    self.file.write(b"\0" * size)
            except OSError:
                pass

    def empty(self):
        self.file.close()
        self.path.unlink()
