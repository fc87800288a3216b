"""Postfix from its unpacked package: as next hop, as sender, and its smtp-source."""
import os
import pathlib
import re
import subprocess

from . import accounts, ground, unpacked
from .mailbox import Maildir

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = {root}/usr/sbin
daemon_directory = {root}/usr/lib/postfix/sbin
shlib_directory = {root}/usr/lib/postfix
meta_directory = {folder}/etc
mail_spool_directory = {folder}/mail
mail_owner = postfix
setgid_group = postdrop
default_privs = nobody
myhostname = {hostname}
mydomain = {domain}
mydestination =
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_bind_address = {address}
mynetworks = 127.0.0.0/8
biff = no
alias_maps =
alias_database =
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = static:box/
virtual_uid_maps = static:2005
virtual_gid_maps = static:2005
virtual_minimum_uid = 100
virtual_mailbox_limit = 0
mailbox_size_limit = 0
message_size_limit = 60000000
smtputf8_enable = yes
default_transport = smtp
relayhost = {relayhost}
maillog_file = /dev/stdout
maillog_file_prefixes = /dev
import_environment = LD_LIBRARY_PATH LD_PRELOAD NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP MAIL_CONFIG LC_ALL TZ
export_environment = LD_LIBRARY_PATH LD_PRELOAD NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP MAIL_CONFIG LC_ALL TZ
smtp_host_lookup = native
disable_dns_lookups = yes
queue_run_delay = 5s
minimal_backoff_time = 5s
maximal_backoff_time = 10s
{more}
"""

MASTER = """\
{address}:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
"""

QUEUES = "active bounce corrupt defer deferred flush hold incoming maildrop pid private public saved trace"


class Postfix:
    def __init__(self, folder, port, domain="postfix.example", relayhost="", more="", address=None, hostname=None, master="", env=None, resolver=None):
        self.folder = pathlib.Path(folder)
        self.address = address or ground.address()
        self.port = port
        self.domain = domain
        self.hostname = hostname or f"mx.{domain}"
        self.master = master  # more services
        self.more_env = env or {}
        self.resolver = resolver  # the resolv.conf of a Resolver
        self.values = {"relayhost": relayhost, "more": more}
        self.process = None

    def start(self):
        for name in ("etc", "data", "mail", *(f"queue/{q}" for q in QUEUES.split())):
            (self.folder / name).mkdir(parents=True)
        values = {
            "folder": self.folder,
            "root": unpacked.root(),
            "hostname": self.hostname,
            "domain": self.domain,
            "address": self.address,
            "port": self.port,
            **self.values,
        }
        # The last setting of a name alone: Postfix would warn of the others, each process of each, and
        # such a flood into a log that nobody reads yet can block its master for good.
        settings = {line.partition("=")[0].strip(): line for line in MAIN.format(**values).splitlines() if line}
        (self.folder / "etc/main.cf").write_text("\n".join(settings.values()) + "\n")
        (self.folder / "etc/master.cf").write_text(MASTER.format(**values) + self.master)
        for name in ("etc/postfix-files", "etc/dynamicmaps.cf"):
            (self.folder / name).write_text("")
        self.env = {
            **unpacked.libraries(),
            **accounts.environment(self.folder),
            "MAIL_CONFIG": str(self.folder / "etc"),
            **self.more_env,
        }
        self.own()
        command = [unpacked.file("usr/lib/postfix/sbin/master"), "-c", str(self.folder / "etc"), "-s"]
        self.process = subprocess.Popen(
            unpacked.with_resolver(self.resolver, *command) if self.resolver else command,
            env={**self.env, "MAIL_LOGTAG": "postfix"},
            stdin=subprocess.DEVNULL,
            stdout=(self.folder / "log").open("wb"),
            stderr=subprocess.STDOUT,
        )
        ground.until("Postfix listens", self.listens)
        return self

    def own(self):
        """Directories belong to whom Postfix expects."""
        for path in (self.folder, *self.folder.parents):
            if path.stat().st_uid == os.getuid() and path != pathlib.Path("/tmp"):
                path.chmod(path.stat().st_mode | 0o011)
        owner = accounts.USERS["postfix"]
        os.chown(self.folder / "data", owner, owner)
        (self.folder / "data").chmod(0o700)
        for queue in QUEUES.split():
            path = self.folder / "queue" / queue
            if queue != "pid":
                os.chown(path, owner, 0)
                path.chmod(0o700)
        for queue in ("maildrop", "public"):
            os.chown(self.folder / "queue" / queue, owner, accounts.GROUPS["postdrop"])
            (self.folder / "queue" / queue).chmod(0o730 if queue == "maildrop" else 0o710)
        os.chown(self.folder / "mail", accounts.USERS["mailer"], accounts.USERS["mailer"])

    def listens(self):
        if self.process.poll() is not None:
            raise AssertionError("Postfix ended: " + (self.folder / "log").read_text())
        return ground.accepts(self.address, self.port)

    def maildir(self):
        """One Maildir takes everybody's mail."""
        return Maildir(self.folder / "mail" / "box")

    def sendmail(self, sender, recipients, message):
        """Hands a message to Postfix, as a local user does."""
        done = subprocess.run(
            [unpacked.file("usr/sbin/sendmail"), "-i", "-f", sender, *recipients],
            input=message,
            env=self.env,
            capture_output=True,
            timeout=ground.PATIENCE,
        )
        assert done.returncode == 0, done.stderr.decode()

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def wait_log(self, pattern):
        return ground.until(f"{pattern} in Postfix's log", lambda: re.search(pattern, self.log()))

    def stop(self):
        ground.end(self.process)
