"""The servers under test, each as its own manual says it is fast, with its default durability.

A server is started in a folder of its own, for one purpose: `queue` (accept, and keep), `relay` (to
the sink), `maildir`. They log as they do by default; no syslog daemon listens, which spares those
that use it that work."""
import atexit
import functools
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile

import machine
import peers

TOOLS = peers.SOURCE / "build-bench" / "bench"
PROGRAM = pathlib.Path(os.environ.get("POSTRIDER", peers.SOURCE / "build-bench" / "postrider"))
DOMAIN = "house.example"
ADDRESS = "127.0.0.1"
SINK_PORT = 7725
DNS_PORT = 7753
WORK = pathlib.Path(os.environ.get("BENCH_FOLDER", tempfile.gettempdir()))


def listens(port, address=ADDRESS, secure=False):
    try:
        with socket.create_connection((address, port), 1) as s:
            s.settimeout(5)
            if secure:
                context = ssl.create_default_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                s = context.wrap_socket(s)
            return s.recv(3) == b"220"
    except OSError:
        return False


LEFT = []  # folders of servers that have ended


def clean_up():
    """Not between the runs, so that removing does not stand in a server's way."""
    while LEFT:
        shutil.rmtree(LEFT.pop(), ignore_errors=True)


@functools.cache
def all_folders():
    """Where the servers' folders are made, in block groups of their own where that is ext4: without a
    journal it looks at each of a group's inodes that was deleted in the last minute before it gives
    out one, and a server would pay for the files of the one before."""
    top = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=WORK))
    top.chmod(0o755)
    atexit.register(shutil.rmtree, top, ignore_errors=True)
    # "Top of hierarchies": what is in it is not kept together. Other file systems refuse, and need not.
    subprocess.run(["chattr", "+T", top], stderr=subprocess.DEVNULL, check=False)
    return top


class Server:
    """Start, stop, and what it costs."""

    name = ""
    port = 7700

    def __init__(self, purpose, **options):
        self.purpose = purpose
        self.options = options
        self.process = None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{self.name}-", dir=all_folders()))
        self.folder.chmod(0o755)
        self.mail = self.folder / "mail"
        self.mail.mkdir()

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.__exit__()
            raise

    def start(self):
        self.prepare()
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder
            )
        machine.until(f"{self.name} listens", self.ready)
        return self

    def certificate(self):
        """Where a run wants TLS from the first octet (option `secure`: the kind of key, "P-256" or
        "RSA-2048"): the files of the key and of a certificate. Else None."""
        kind = self.options.get("secure")
        if not kind:
            return None
        key, chain = self.folder / "key.pem", self.folder / "chain.pem"
        made = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "P-256" else ["rsa:2048"]
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", *made, "-nodes", "-days", "9", "-subj", "/CN=mx.house.example",
             "-addext", "subjectAltName=DNS:mx.house.example", "-keyout", key, "-out", chain], check=True, capture_output=True,
        )  # fmt: skip
        return key, chain

    def ready(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended: " + self.log()[-2000:])
        return listens(self.port, secure="secure" in self.options)

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def __exit__(self, *_):
        self.stop()
        LEFT.append(self.folder)

    def stop(self):
        if self.process and self.process.poll() is None:
            machine.end_tree(self.process.pid)
            self.process.wait()
        machine.until("the port is free", lambda: not listens(self.port, secure="secure" in self.options))

    def cpu(self):
        return machine.cpu_seconds(self.process.pid)

    def memory_kib(self):
        return machine.memory_kib(self.process.pid)

    def recipient(self, boxes):
        """For `load -r`."""
        if self.purpose == "maildir":
            return ["-r", f"box%u@{DOMAIN}", "-R", str(boxes)]
        return ["-r", "box@far.example"]

    def delivered(self):
        """Messages in Maildirs."""
        return sum(len(os.listdir(new)) for new in self.mail.glob("**/new"))


class Null(Server):
    """The sink itself: the protocol's ceiling."""

    name = "null server"

    def prepare(self):
        pass

    def command(self):
        return [str(TOOLS / "sink"), "-j", "2", f"{ADDRESS}:{self.port}"]

    @staticmethod
    def version():
        return "bench/sink.c, two processes"


class Postrider(Server):
    name = "Postrider"

    def prepare(self):
        far = 1 if self.purpose == "queue" else SINK_PORT
        config = {
            "hostname": "mx.house.example",
            "spool": {"path": str(self.folder / "spool")},
            "control": str(self.folder / "control.sock"),
            "log": {"format": "json", "level": "info"},
            "listen": [{"address": f"{ADDRESS}:{self.port}", "mode": "mx"}],
            "domains": {
                DOMAIN: {"mailboxes": f"maildir:{self.mail}/{{local}}/", "users": ["*"]}
            },
            "limits": {"connections": 100000},
            "dns": {"servers": [f"127.0.0.1@{DNS_PORT}"]},
            "transports": [{"match": "*", "to": f"smtp://{ADDRESS}:{far}"}],
        }
        if files := self.certificate():
            config["listen"][0]["tls"] = "implicit"
            config["tls"] = {"certificates": [{"key": str(files[0]), "certificate": str(files[1])}]}
        options = dict(self.options)
        options.pop("processes", 0)  # others need a process a session
        options.pop("secure", 0)
        for key, value in options.items():
            config[key] = {**config[key], **value} if isinstance(config.get(key), dict) else value
        (self.folder / "postrider.yaml").write_text(json.dumps(config))

    def command(self):
        return [str(PROGRAM), "serve", "-c", str(self.folder / "postrider.yaml")]

    def end_gently(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(120)

    @staticmethod
    def version():
        out = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True).stdout.strip()
        head = subprocess.run(
            ["git", "-C", peers.SOURCE, "rev-parse", "--short", "HEAD"], capture_output=True, text=True
        ).stdout.strip()
        return f"{out} ({head})"


class Peer(Server):
    """A server of others: started under the nanny, in its namespace."""

    package = ""
    words = ()

    @classmethod
    def version(cls):
        return peers.version(cls.package)

    def command(self):
        nanny = [sys.executable, "-B", str(pathlib.Path(__file__).with_name("nanny.py"))]
        return [*nanny, *peers.as_installed(self.package, self.folder, *self.words)]


POSTFIX_MAIN = """\
compatibility_level = 3.6
queue_directory = /var/spool/postfix
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.house.example
mydestination =
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
biff = no
alias_maps =
virtual_mailbox_domains = house.example
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = texthash:/etc/postfix/boxes
virtual_uid_maps = static:2005
virtual_gid_maps = static:2005
virtual_minimum_uid = 100
virtual_mailbox_limit = 0
mailbox_size_limit = 0
message_size_limit = 60000000
relayhost = [127.0.0.1]:{sink}
disable_dns_lookups = yes
default_process_limit = {processes}
in_flow_delay = 0
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_tls_security_level = {secure}
smtp_tls_security_level = none
qmgr_message_active_limit = 20000
initial_destination_concurrency = 20
default_destination_concurrency_limit = 50
virtual_destination_concurrency_limit = 50
smtp_connection_cache_on_demand = yes
{more}
"""
POSTFIX_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
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
smtp unix - - n - 100 smtp
relay unix - - n - 100 smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - 100 virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
"""
POSTFIX_QUEUES = "active bounce corrupt defer deferred flush hold incoming maildrop pid private public saved trace"


class Postfix(Peer):
    name = "Postfix"
    package = "postfix"
    words = ("/usr/lib/postfix/sbin/master", "-c", "/etc/postfix", "-s")

    def prepare(self):
        etc, queue = self.folder / "etc/postfix", self.folder / "spool/postfix"
        for path in (etc, self.folder / "data", *(queue / q for q in POSTFIX_QUEUES.split())):
            path.mkdir(parents=True)
            if path.parent == queue and path.name != "pid" or path.name == "data":
                os.chown(path, peers.USERS["postfix"], peers.USERS["postdrop"])
                path.chmod({"maildrop": 0o730, "public": 0o710}.get(path.name, 0o700))
        os.chown(self.mail, peers.USERS["mailer"], peers.USERS["mailer"])
        hold = "smtpd_recipient_restrictions = check_recipient_access static:HOLD, permit"
        more = [hold] if self.purpose == "queue" else []
        files = self.certificate()
        if files:
            more += [f"smtpd_tls_chain_files = {files[0]}, {files[1]}", "smtpd_tls_wrappermode = yes",
                     f"smtpd_tls_session_cache_database = btree:{self.folder}/data/smtpd_scache"]  # fmt: skip
        (etc / "main.cf").write_text(
            POSTFIX_MAIN.format(
                folder=self.folder,
                sink=SINK_PORT,
                processes=self.options.get("processes", 250),
                secure="may" if files else "none",
                more="\n".join(more),
            )
        )
        (etc / "master.cf").write_text(POSTFIX_MASTER.format(port=self.port))
        boxes = "".join(f"box{n}@{DOMAIN} box{n}/\n" for n in range(1000))
        (etc / "boxes").write_text(boxes)
        for name in ("postfix-files", "dynamicmaps.cf"):
            (etc / name).write_text("")


EXIM = """\
primary_hostname = mx.house.example
domainlist local_domains = house.example
hostlist relay_from_hosts = 127.0.0.0/8
spool_directory = /var/spool/exim4
log_file_path = /var/spool/exim4/log/%slog
pid_file_path = {folder}/pid
local_interfaces = <; 127.0.0.1
daemon_smtp_ports = {port}
tls_advertise_hosts =
never_users =
keep_environment =
host_lookup =
rfc1413_query_timeout = 0s
dns_dnssec_ok = -1
acl_smtp_rcpt = acl_any
acl_smtp_data = acl_any
message_size_limit = 60M
queue_only = {queue_only}
smtp_accept_max = 0
smtp_accept_queue_per_connection = 0
smtp_accept_max_per_connection = 0
smtp_connect_backlog = 1000
split_spool_directory = true
message_logs = false
queue_run_max = 20
remote_max_parallel = 20
chunking_advertise_hosts =
begin acl
acl_any:
  accept
begin routers
home:
  driver = accept
  domains = +local_domains
  local_parts = lsearch;/etc/exim4/boxes
  transport = box
away:
  driver = manualroute
  domains = ! +local_domains
  route_list = * 127.0.0.1
  self = send
  transport = smtp
begin transports
box:
  driver = appendfile
  directory = {folder}/mail/$local_part_data
  maildir_format
  create_directory
  user = mailer
  group = mail
smtp:
  driver = smtp
  port = {sink}
  hosts_try_fastopen =
begin retry
* * F,1h,1m
begin rewrite
begin authenticators
"""


class Exim(Peer):
    name = "Exim"
    package = "exim"
    words = ("/usr/sbin/exim4", "-bdf", "-q10s")

    def prepare(self):
        (self.folder / "etc/exim4").mkdir(parents=True)
        (self.folder / "spool/exim4/log").mkdir(parents=True)
        owner = peers.USERS["Debian-exim"]
        for path in (self.folder / "spool/exim4", self.folder / "spool/exim4/log"):
            os.chown(path, owner, owner)
        os.chown(self.mail, peers.USERS["mailer"], peers.USERS["mail"])
        boxes = "".join(f"box{n}: box{n}\n" for n in range(1000))
        (self.folder / "etc/exim4/boxes").write_text(boxes)
        (self.folder / "etc/exim4/exim4.conf").write_text(
            EXIM.format(
                folder=self.folder,
                port=self.port,
                sink=SINK_PORT,
                queue_only="true" if self.purpose == "queue" else "false",
            )
        )


OPENSMTPD = """\
smtp max-message-size 60M
smtp limit max-mails 100000000
smtp limit max-rcpt 1000000
queue ttl 5d
table boxes {{ "@" = "mailer" }}
listen on 127.0.0.1 port {port} hostname mx.house.example no-dsn
action in maildir "{folder}/mail/%{{rcpt.user}}" virtual <boxes>
action out relay host smtp://127.0.0.1:{sink}
match from any for domain house.example action in
match from any for any action out
"""


class OpenSMTPD(Peer):
    name = "OpenSMTPD"
    package = "opensmtpd"
    words = ("/usr/sbin/smtpd", "-d", "-f", "/etc/smtpd.conf")

    def prepare(self):
        etc = self.folder / "etc"
        etc.mkdir(parents=True)
        (self.folder / "spool").mkdir()
        (self.folder / "lib/opensmtpd/empty").mkdir(parents=True)
        os.chown(self.mail, peers.USERS["mailer"], peers.USERS["mailer"])
        (etc / "smtpd.conf").write_text(
            OPENSMTPD.format(folder=self.folder, port=self.port, sink=SINK_PORT)
        )
        if self.purpose == "queue":
            self.words = (*self.words, "-P", "mta", "-P", "mda")


ALL = {"postrider": Postrider, "null": Null, "postfix": Postfix, "exim": Exim, "opensmtpd": OpenSMTPD}
