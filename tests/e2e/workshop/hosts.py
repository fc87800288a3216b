"""The street's servers, each configured for the legs that pass through it."""
import pathlib
import subprocess

from house import accounts, unpacked
from house.dovecot import Dovecot
from house.exim import Exim
from house.opensmtpd import OpenSMTPD
from house.postfix import Postfix
from house.postrider import Postrider

from .street import HOSTS, Host

PASSWORD = "correct horse battery"
LMTP = {host.address for host in HOSTS.values() if host.software == "dovecot"}
FILTERED = "mx1.dogwood.example"  # hands all mail to a filter on its own machine, and takes it back

POSTFIX = """\
mynetworks = 0.0.0.0/0 [::]/0
virtual_mailbox_domains = {local}
virtual_alias_maps = inline:{{ {aliases} {{postmaster=postmaster}} }}
transport_maps = inline:{{ {routes} {{nowhere.invalid=discard:}} }}
smtp_bind_address_enforce = no
smtpd_peername_lookup = yes
smtp_tls_security_level = {out_tls}
smtpd_tls_security_level = {in_tls}
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_received_header = yes
smtpd_tls_loglevel = 0
enable_long_queue_ids = {long_ids}
import_environment = LD_LIBRARY_PATH LD_PRELOAD NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP MAIL_CONFIG LC_ALL TZ FAKETIME DONT_FAKE_MONOTONIC NO_FAKE_STAT
"""
FILTER_MASTER = """\
127.0.0.1:10025 inet n - n - - smtpd -o content_filter= -o myhostname={hostname}
filter unix - - n - - smtp -o smtp_bind_address=127.0.0.1
"""

EXIM = """\
primary_hostname = {hostname}
domainlist local_domains = {domain}
hostlist relay_from_hosts = *
spool_directory = {folder}/spool
log_file_path = {folder}/spool/log/%slog
pid_file_path = {folder}/pid
local_interfaces = <; {interfaces}
daemon_smtp_ports = {port}
tls_advertise_hosts = {tls_hosts}
tls_certificate = {certificate}
tls_privatekey = {key}
timezone = {zone}
never_users =
keep_environment =
add_environment = PATH=/usr/bin:/bin
host_lookup = *
dns_dnssec_ok = -1
rfc1413_query_timeout = 0s
acl_smtp_rcpt = acl_any
acl_smtp_data = acl_any
untrusted_set_sender = *
queue_only = false
begin acl
acl_any:
  accept
begin routers
{aliases}
home:
  driver = accept
  domains = +local_domains
  transport = box
away:
  driver = manualroute
  domains = ! +local_domains
  route_list = {next_hop}
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
  port = {out_port}
  interface = {interface}
  hosts_try_fastopen =
begin retry
* * F,1h,1s
begin rewrite
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if eq{{$auth3}}{{{password}}}}}
  server_set_id = $auth2
"""


class Plan:
    """What the routes ask of each host."""

    def __init__(self, routes):
        self.next = {}  # host: {domain: next host}
        self.local = {}  # host: [domain]
        self.forwarded = {}  # host: {domain: domain}
        for route in routes:
            legs = list(route.legs())
            for domain, hosts in legs:
                for host, after in zip(hosts, hosts[1:]):
                    self.next.setdefault(host, {})[domain] = after
                self.local.setdefault(hosts[-1], []).append(domain)
            if route.turn == "forward":
                self.forwarded.setdefault(route.hosts[-1], {})[legs[0][0]] = legs[1][0]
        self.hosts = sorted({*self.next, *self.local})

    def hops(self, host):
        return {domain: HOSTS[after].address for domain, after in self.next.get(host, {}).items()}


class Street:
    def __init__(self, folder, routes, resolver):
        self.folder = pathlib.Path(folder)
        self.plan = Plan(routes)
        self.resolver = resolver
        self.servers = {}
        self.pair = (self.folder / "street.crt", self.folder / "street.key")

    def prepare(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
             "2", "-subj", "/CN=street.example", "-keyout", self.pair[1], "-out", self.pair[0]],
            check=True, capture_output=True,
        )  # fmt: skip
        self.pair[1].chmod(0o644)

    def start(self, host):
        """Starts one, and returns it."""
        folder = self.folder / host.name
        make = getattr(self, host.software)
        one = make(host, folder, self.plan.local.get(host.name, []), self.plan.hops(host.name))
        if host.name == FILTERED:
            self.filter().start()
        self.servers[host.name] = one
        return one.start()

    def names(self, folder):
        """The machine's own /etc, for servers that run as if they were installed."""
        etc = folder / "machine/etc"
        etc.mkdir(parents=True)
        (etc / "resolv.conf").write_text(f"nameserver {self.resolver}\n")
        (etc / "hosts").write_text("127.0.0.1 localhost\n")
        for server in (folder, *folder.parents):
            if str(server).startswith("/tmp/"):
                server.chmod(server.stat().st_mode | 0o055)

    def clock(self, host):
        """The environment in which a server has its time zone, and a clock that is wrong."""
        if not host.clock:
            return {"TZ": host.zone}
        (library,) = unpacked.root().glob("usr/lib/*/faketime/libfaketime.so.1")
        return {"TZ": host.zone, "LD_PRELOAD": f"{accounts.LIBRARY}:{library}", "FAKETIME": f"{host.clock:+d}s",
                "DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}  # fmt: skip

    def postfix(self, host, folder, local, hops):
        filtered = host.name == FILTERED
        more = POSTFIX.format(
            local=" ".join(local),
            routes=" ".join(f"{{{d}=smtp:[{a}]}}" for d, a in hops.items()),
            aliases=" ".join(f"{{@{d}=bo@{e}}}" for d, e in self.plan.forwarded.get(host.name, {}).items()),
            in_tls="may" if host.tls else "none",
            out_tls="may" if host.tls else "none",
            certificate=self.pair[0],
            key=self.pair[1],
            long_ids="yes" if host.tls else "no",
        )
        if filtered:
            more += "content_filter = filter:[127.0.0.1]:10024\n"
        return Postfix(
            folder, 25, domain=host.domain, hostname=host.name, address=host.address, more=more,
            master=FILTER_MASTER.format(hostname=host.name) if filtered else "", env=self.clock(host),
        )  # fmt: skip

    def exim(self, host, folder, local, hops):
        aliases = "".join(
            f"alias{n}:\n  driver = redirect\n  domains = {d}\n  data = bo@{e}\n"
            for n, (d, e) in enumerate(self.plan.forwarded.get(host.name, {}).items())
        )
        next_hop = "; ".join(f"{d} {a}" for d, a in hops.items()) or "nowhere.invalid 127.0.0.1"
        return self.some_exim(host, folder, 25, local, next_hop, aliases)

    def filter(self):
        """What stands behind a mail server to look into its mail, on the same machine."""
        host = Host("localhost", "127.0.0.1", "exim", HOSTS[FILTERED].zone)
        return self.some_exim(host, self.folder / "filter", 10024, [], "* 127.0.0.1", out_port=10025)

    def some_exim(self, host, folder, port, local, next_hop, aliases="", out_port=25):
        self.names(folder)
        more = {
            "interfaces": "; ".join(a for a in (host.address, host.also) if a),
            "interface": host.address,
            "out_port": out_port,
            "tls_hosts": "*" if host.tls else "",
            "certificate": self.pair[0],
            "key": self.pair[1],
            "zone": host.zone,
            "password": PASSWORD,
            "aliases": aliases,
        }
        return Exim(
            folder, port, " : ".join(local), next_hop, host.address, host.name, EXIM, more, queue_run="5s"
        )

    def opensmtpd(self, host, folder, local, hops):
        self.names(folder)
        # Without TLS: Debian's cannot sign with the OpenSSL that it is built with.
        return OpenSMTPD(folder, 25, host.name, local, hops, host.address, {"TZ": host.zone})

    def postrider(self, host, folder, local, hops):
        addresses = [host.address] + ([f"[{host.also}]"] if host.also else [])
        config = {
            "hostname": host.name,
            "relay": "open-relay-i-know",
            "dns": {"servers": [f"{self.resolver}@53"]},
            "listen": [
                {"address": f"{a}:25", "mode": "mx", **({} if host.tls else {"tls": "none"})} for a in addresses
            ],
            "domains": {d: {"mailboxes": f"maildir:{folder}/box/", "users": ["*"]} for d in local},
            "transports": [
                {"match": d, "to": f"{'lmtp' if a in LMTP else 'smtp'}://{a}:25"} for d, a in hops.items()
            ],
            "deliver": {"port": 25, "source": [host.address]},
            "queue": {"retry": ["2s"]},
        }
        return Postrider(folder, config, 25, host.address, env={"TZ": host.zone})

    def dovecot(self, host, folder, local, hops):
        self.names(folder)
        return Dovecot(folder, 25, host.address, f"hostname = {host.name}\n", {"TZ": host.zone})
