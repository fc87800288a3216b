"""PostgreSQL from its unpacked package, with a cluster of its own."""
import os
import pathlib
import shutil
import subprocess
import tempfile

from . import accounts, ground, unpacked


class Postgresql:
    """Listens at `address`:`port`; its superuser is `mail`, with the password `secret`."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="postrider-postgresql-"))  # where others may reach it
        self.address = ground.address()
        self.port = ground.port_everywhere()
        self.user = accounts.USERS["nobody"] if os.geteuid() == 0 else os.geteuid()
        self.process = None
        self.starts = 0

    def command(self, program, *arguments):
        """It refuses to run as root, and nobody else may reach where it is unpacked."""
        words = [f"usr/lib/postgresql/15/bin/{program}", *map(str, arguments)]
        as_nobody = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"]
        if os.geteuid() != 0 or not unpacked.can_be_installed():
            return [*(as_nobody if os.geteuid() == 0 else []), unpacked.file(words[0]), *words[1:]]
        return unpacked.as_installed(self.folder / "machine", *as_nobody, "/" + words[0], *words[1:])

    def run(self, *command, input=None):
        done = subprocess.run(self.command(*command), capture_output=True, text=True, input=input, cwd=self.folder)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def make(self, script):
        """The cluster, with what `script` (SQL, a command a line) makes."""
        (self.folder / "password").write_text("secret\n")
        os.chown(self.folder, self.user, -1)
        data = self.folder / "data"
        self.run(
            "initdb", "-D", data, "-U", "mail", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "-N",
            "--pwfile", self.folder / "password",
        )  # fmt: skip
        self.run("postgres", "--single", "-D", data, "-F", "postgres", input=script)
        return self

    def start(self):
        self.process = subprocess.Popen(
            self.command("postgres", "-D", self.folder / "data", "-F", "-h", self.address, "-p", self.port, "-k", ""),
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

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
