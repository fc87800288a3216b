"""Who lives in the workshop's little Internet: hosts, their software, names and addresses. It exists
in a network namespace alone, so that its addresses can look public, and are nobody's there.

The addresses are of blocks that are allocated and announced nowhere; documentation and private ones
would rightly be called impossible in a public hop."""
import dataclasses
import ipaddress


@dataclasses.dataclass(frozen=True)
class Host:
    """`name`: what it calls itself; `rdns`: what its address is named, None: not at all."""

    name: str
    address: str
    software: str = ""  # of house/; empty: a client
    zone: str = "UTC"  # its time zone
    rdns: str | None = ""
    tls: bool = False
    also: str = ""  # an IPv6 address
    clock: int = 0  # seconds by which its clock is wrong
    inside: bool = False  # a private address: the public DNS knows nothing of it

    @property
    def reverse(self):
        return self.name if self.rdns == "" else self.rdns

    @property
    def addresses(self):
        return [a for a in (self.address, self.also) if a]

    @property
    def domain(self):
        """Of the organisation."""
        return ".".join(self.name.split(".")[-2:])


HOSTS = {
    host.name: host
    for host in (
        Host("smtp.alder.example", "21.4.16.25", "exim", "Europe/Berlin", tls=True),
        Host("out3.alder.example", "21.4.16.83", "postfix", "Europe/Berlin", tls=True),
        Host("mx.birch.example", "26.88.3.10", "postrider", "America/New_York", tls=True),
        Host("box.birch.example", "10.20.0.7", "dovecot", "America/New_York", inside=True),
        Host("mail.cedar.example", "28.9.200.4", "opensmtpd", "UTC"),
        Host("mx1.dogwood.example", "29.130.7.20", "postfix", "Asia/Tokyo"),
        Host("store.dogwood.example", "10.7.7.2", "exim", "Asia/Tokyo", inside=True),
        Host("mx.elm.example", "30.66.1.5", "exim", "Europe/London", also="2a1f:30::25"),
        Host("lists.fir.example", "33.40.2.2", "postfix", "America/Los_Angeles", tls=True, clock=170),
        Host("mta.gum.example", "55.17.8.8", "postrider", "Australia/Sydney", also="2a1f:5::25"),
        Host("gw.hazel.example", "214.3.90.1", "opensmtpd", "Asia/Kolkata"),
        # Behind a gateway, with a name that nobody outside knows.
        Host("hub01.corp.hazel.local", "192.168.5.10", "postfix", "Asia/Kolkata", rdns=None, inside=True),
        # An office: a server that calls itself by its name inside, at an address of its provider.
        Host("srv01.ivy.lan", "22.1.2.3", "postfix", "America/Chicago", rdns="static-22-1-2-3.juniper.example", clock=95),
        Host("www.kapok.example", "11.77.20.6", "exim", "UTC"),
        Host("mx.larch.example", "215.8.1.9", "postrider", "Europe/Paris", rdns=None),
        Host("relay.maple.example", "6.42.0.9", "opensmtpd", "America/Sao_Paulo"),
        # Clients.
        Host("laptop", "22.90.12.7", rdns="dsl-22-90-12-7.pool.juniper.example"),
        Host("[192.168.1.23]", "22.90.13.80", rdns="dsl-22-90-13-80.pool.juniper.example"),
        Host("DESKTOP-4QK2J1", "7.5.5.5", rdns=None),
        Host("app.nutmeg.example", "214.60.4.4"),
        Host("phone.local", "2a1f:5:1::99", rdns=None),
        Host("mta.oak.example", "2a1f:77::25"),
    )
}
CLIENTS = [host for host in HOSTS.values() if not host.software]


def zones(everything=False):
    """Zone texts for house/dns.py. `everything`: what the hosts themselves see, private addresses too."""
    forward, reverse = [], []
    for host in HOSTS.values():
        if host.inside and not everything:
            continue
        for address in host.addresses:
            kind = "AAAA" if ":" in address else "A"
            for name in {host.name, host.reverse}:
                if name and name.endswith(".example"):
                    forward.append(f"{name}. {kind} {address}")
            if host.reverse:
                reverse.append(f"{ipaddress.ip_address(address).reverse_pointer}. PTR {host.reverse}.")
    for domain in sorted({host.domain for host in HOSTS.values() if host.name.endswith(".example")}):
        of_it = [a for h in HOSTS.values() if h.domain == domain and not h.inside for a in h.addresses]
        terms = " ".join(f"{'ip6' if ':' in a else 'ip4'}:{a}" for a in of_it)
        forward.append(f'{domain}. TXT "v=spf1 {terms} -all"')
        forward.append(f"{domain}. MX 10 {next(h.name for h in HOSTS.values() if h.domain == domain)}.")
    return {"example": "\n".join(sorted(forward)), "arpa": "\n".join(sorted(reverse))}
