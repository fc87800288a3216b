"""Dovecot's LMTP server from its unpacked package."""
import os
import pathlib
import subprocess

from . import accounts, ground, unpacked
from .mailbox import Maildir

CONFIG = """\
protocols = lmtp
base_dir = {folder}/run
state_dir = {folder}/state
stats_writer_socket_path =
default_internal_user = dovecot
default_internal_group = dovecot
default_login_user = dovenull
log_path = {folder}/log
ssl = no
listen = {address}
mail_location = maildir:{folder}/mail/%Lu
mail_uid = 2005
mail_gid = 8
first_valid_gid = 1
lmtp_save_to_detail_mailbox = no
import_environment = LD_LIBRARY_PATH LC_ALL
{passdb}userdb {{
  driver = static
  args = uid=2005 gid=8 home={folder}/mail/%Lu allow_all_users=yes
}}
service lmtp {{
  chroot =
  inet_listener lmtp {{
    address = {address}
    port = {port}
  }}
  unix_listener {folder}/lmtp.sock {{
    mode = 0666
  }}
}}
service stats {{
  chroot =
}}
service anvil {{
  chroot =
}}
"""


ANY_PASSWORD = "passdb {\n  driver = static\n  args = nopassword=y\n}\n"


class Dovecot:
    def __init__(self, folder, port, address=None, more="", env=None, passdb=ANY_PASSWORD):
        self.folder = pathlib.Path(folder)
        self.address = address or ground.address()
        self.more = more
        self.passdb = passdb
        self.env = env or {}
        self.port = port
        self.process = None

    def start(self):
        for name in ("run", "state", "mail"):
            (self.folder / name).mkdir(parents=True)
        for path in (self.folder, *self.folder.parents):
            if path.stat().st_uid == 0 and str(path).startswith("/tmp/"):
                path.chmod(path.stat().st_mode | 0o055)
        os.chown(self.folder / "mail", accounts.USERS["mailer"], accounts.GROUPS["mail"])
        config = self.folder / "dovecot.conf"
        config.write_text(
            CONFIG.format(
                folder=self.folder, address=self.address, port=self.port, passdb=self.passdb
            )
            + self.more
        )
        self.process = subprocess.Popen(
            unpacked.as_installed(self.folder / "machine", "/usr/sbin/dovecot", "-F", "-c", config),
            env={**os.environ, "LD_LIBRARY_PATH": "/usr/lib/dovecot", "LC_ALL": "C", **self.env},
            stdin=subprocess.DEVNULL,
            stdout=(self.folder / "out").open("wb"),
            stderr=subprocess.STDOUT,
        )
        ground.until("Dovecot listens", self.listens)
        return self

    def listens(self):
        if self.process.poll() is not None:
            raise AssertionError("Dovecot ended: " + (self.folder / "out").read_text() + self.log())
        return ground.accepts(self.address, self.port)

    def log(self):
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def maildir(self, user):
        return Maildir(self.folder / "mail" / user)

    def stop(self):
        ground.end(self.process)
