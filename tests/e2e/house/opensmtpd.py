"""OpenSMTPD from its unpacked package."""
import os
import pathlib
import subprocess

from . import accounts, ground, unpacked
from .mailbox import Maildir

CONFIG = """\
{first}
smtp max-message-size 60M
table boxes {{ "@" = "mailer" }}
listen on {address} port {port} {tls} hostname {hostname}
action in maildir "{folder}/box" virtual <boxes>
{routes}
match from any for domain {{ {local} }} action in
"""


class OpenSMTPD:
    """`routes`: {domain: address of its next hop, or URL and options}; `local`: the domains that are
    delivered here. `tls`: how it listens; `first`: lines before; `files`: more of /etc, {path: text}."""

    def __init__(self, folder, port, hostname, local, routes=None, address=None, env=None, tls="", first="", files=None):
        self.folder = pathlib.Path(folder)
        self.port = port
        self.hostname = hostname
        self.local = local
        self.routes = routes or {}
        self.address = address or ground.address()
        self.env = env or {}
        self.tls = tls
        self.first = first
        self.files = files or {}
        self.process = None

    def start(self):
        machine = self.folder / "machine"
        for path in (machine / "etc", machine / "spool", machine / "lib/opensmtpd/empty", machine / "run", self.folder / "box"):
            path.mkdir(parents=True, exist_ok=True)
        for path in (self.folder, *self.folder.parents):
            if path.stat().st_uid == 0 and str(path).startswith("/tmp/"):
                path.chmod(path.stat().st_mode | 0o011)
        os.chown(self.folder / "box", accounts.USERS["mailer"], accounts.USERS["mailer"])
        routes = "".join(
            f'action out{n} relay host {hop if "://" in hop else "smtp://" + hop} src {self.address} helo {self.hostname}\n'
            f'match from any for domain "{domain}" action out{n}\n'
            for n, (domain, hop) in enumerate(self.routes.items())
        )
        unpacked.add_files(machine, self.files)
        (machine / "etc/smtpd.conf").write_text(
            CONFIG.format(
                folder=self.folder,
                address=self.address,
                port=self.port,
                hostname=self.hostname,
                local=" ".join(f'"{domain}"' for domain in self.local or ["nowhere.invalid"]),
                routes=routes,
                tls=self.tls,
                first=self.first,
            )
        )
        (machine / "etc/smtpd.conf").chmod(0o600)
        self.process = subprocess.Popen(
            unpacked.as_installed(machine, "/usr/sbin/smtpd", "-d", "-f", "/etc/smtpd.conf"),
            env={**os.environ, **self.env},
            stdin=subprocess.DEVNULL,
            stdout=(self.folder / "log").open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        ground.until("OpenSMTPD listens", self.listens)
        return self

    def listens(self):
        if self.process.poll() is not None:
            raise AssertionError("OpenSMTPD ended: " + self.log())
        return ground.accepts(self.address, self.port)

    def maildir(self):
        return Maildir(self.folder / "box")

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def stop(self):
        ground.end(self.process)
