"""Exim from its unpacked package: as next hop and as sender."""
import os
import pathlib
import subprocess

from . import accounts, ground, unpacked
from .mailbox import Maildir

CONFIG = """\
primary_hostname = {hostname}
domainlist local_domains = {domain}
hostlist relay_from_hosts = 127.0.0.0/8
spool_directory = {folder}/spool
log_file_path = {folder}/spool/log/%slog
pid_file_path = {folder}/pid
local_interfaces = <; {address}
daemon_smtp_ports = {port}
tls_advertise_hosts =
never_users =
keep_environment =
add_environment = PATH=/usr/bin:/bin
host_lookup =
dns_dnssec_ok = -1
acl_smtp_rcpt = acl_any
acl_smtp_data = acl_any
message_size_limit = 60M
qualify_domain = {domain}
queue_only = false
smtp_accept_max = 50
chunking_advertise_hosts = *
prdr_enable = false
dsn_advertise_hosts = *
begin acl
acl_any:
  accept
begin routers
home:
  driver = accept
  domains = +local_domains
  transport = box
away:
  driver = manualroute
  domains = ! +local_domains
  route_list = * {next_hop}
  self = send
  transport = smtp
begin transports
box:
  driver = appendfile
  directory = {folder}/box
  maildir_format
  create_directory
  user = mailer
  group = mail
  envelope_to_add
  return_path_add
  delivery_date_add = false
smtp:
  driver = smtp
  port = {port}
  interface = {address}
  hosts_try_fastopen =
  message_linelength_limit = 1G
begin retry
* * F,1h,1s
begin rewrite
begin authenticators
"""


class Exim:
    def __init__(self, folder, port, domain="exim.example", next_hop="127.0.0.1", address=None, hostname=None, config=CONFIG, more=None, queue_run="1m", files=None):
        self.folder = pathlib.Path(folder)
        self.address = address or ground.address()
        self.port = port
        self.domain = domain
        self.next_hop = next_hop
        self.hostname = hostname or f"mx.{domain}"
        self.config = config  # a template
        self.more = more or {}  # what it takes beside
        self.queue_run = queue_run
        self.files = files or {}  # more of /etc: {path: text}
        self.process = None

    def start(self):
        for name in ("spool/log", "spool/input", "box"):
            (self.folder / name).mkdir(parents=True)
        for path in (self.folder, *self.folder.parents):
            if path.stat().st_uid == 0 and str(path).startswith("/tmp/"):
                path.chmod(path.stat().st_mode | 0o011)
        owner = accounts.USERS["Debian-exim"]
        for path in (self.folder / "spool", *(self.folder / "spool").rglob("*")):
            os.chown(path, owner, owner)
        os.chown(self.folder / "box", accounts.USERS["mailer"], accounts.GROUPS["mail"])
        config = self.folder / "machine/etc/exim4/exim4.conf"
        unpacked.add_files(self.folder / "machine", self.files)
        config.parent.mkdir(parents=True)
        config.write_text(
            self.config.format(
                folder=self.folder,
                hostname=self.hostname,
                address=self.address,
                port=self.port,
                domain=self.domain,
                next_hop=self.next_hop,
                **self.more,
            )
        )
        self.process = subprocess.Popen(
            self.command("-bdf", f"-q{self.queue_run}"),
            stdin=subprocess.DEVNULL,
            stdout=(self.folder / "out").open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        ground.until("Exim listens", self.listens)
        return self

    def command(self, *arguments):
        return unpacked.as_installed(self.folder / "machine", "/usr/sbin/exim4", *arguments)

    def listens(self):
        if self.process.poll() is not None:
            raise AssertionError("Exim ended: " + (self.folder / "out").read_text() + self.log())
        return ground.accepts(self.address, self.port)

    def maildir(self):
        return Maildir(self.folder / "box")

    def sendmail(self, sender, recipients, message):
        done = subprocess.run(
            self.command("-i", "-f", sender, *recipients),
            input=message,
            capture_output=True,
            timeout=ground.PATIENCE,
        )
        assert done.returncode == 0, done.stderr.decode()

    def log(self):
        return "\n".join(p.read_text(errors="replace") for p in (self.folder / "spool/log").glob("*log"))

    def stop(self):
        ground.end(self.process)
