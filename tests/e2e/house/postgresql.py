"""PostgreSQL from its unpacked package, with a cluster of its own."""
import os
import pathlib
import subprocess

from . import accounts, ground, unpacked


class Postgresql:
    """Listens at `address`:`port`; its superuser is `mail`, with the password `secret`."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.address = ground.address()
        self.port = ground.port_everywhere()
        self.programs = pathlib.Path(unpacked.file("usr/lib/postgresql/15/bin"))
        # It refuses to run as root.
        self.user = accounts.USERS["nobody"] if os.geteuid() == 0 else os.geteuid()
        self.process = None
        self.starts = 0

    def run(self, *command, input=None):
        done = subprocess.run(
            [str(word) for word in command], user=self.user, capture_output=True, text=True, input=input, cwd=self.folder
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def make(self, script):
        """The cluster, with what `script` (SQL, a command a line) makes."""
        self.folder.mkdir()
        (self.folder / "password").write_text("secret\n")
        if os.geteuid() == 0:
            os.chown(self.folder, self.user, -1)
            for path in self.folder.parents:
                if path.stat().st_uid == 0 and str(path).startswith("/tmp/"):
                    path.chmod(path.stat().st_mode | 0o055)
        data = self.folder / "data"
        self.run(
            self.programs / "initdb", "-D", data, "-U", "mail", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "-N",
            "--pwfile", self.folder / "password",
        )  # fmt: skip
        self.run(self.programs / "postgres", "--single", "-D", data, "-F", "postgres", input=script)
        return self

    def start(self):
        self.process = subprocess.Popen(
            [str(self.programs / "postgres"), "-D", str(self.folder / "data"), "-F", "-h", self.address, "-p", str(self.port), "-k", ""],
            user=self.user,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=(self.folder / "log").open("ab"),
            stderr=subprocess.STDOUT,
        )
        self.starts += 1
        log = self.folder / "log"
        ground.until("PostgreSQL is ready", lambda: log.read_text().count("ready to accept connections") == self.starts)
        return self

    def connection(self):
        return f"host={self.address} port={self.port} dbname=postgres user=mail password=secret"

    def stop(self):
        """At once: connections are broken."""
        if self.process:
            self.process.send_signal(3)
            self.process.wait(10)
            self.process = None
