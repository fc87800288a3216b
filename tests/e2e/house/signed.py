"""Zones signed by DNSSEC (RFC 4034), and spoiled on request."""
import time

import dns.dnssec
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec

HEAD = "$TTL 60\n@ IN SOA ns.invalid. root.invalid. 1 60 60 60 60\n@ IN NS ns.invalid.\n"
DAY = 86400


class Signed:
    """The zone `text` (without SOA and NS) of `name`, signed. `spoil`: owner names and types whose
    records are changed after they were signed. `age`: seconds since the signatures ran out."""

    def __init__(self, name, text, spoil=(), age=None):
        self.origin = dns.name.from_text(name)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.dnskey = dns.dnssec.make_dnskey(self.key.public_key(), "ECDSAP256SHA256", flags=257)
        self.until = time.time() - age if age else time.time() + DAY
        self.zone = dns.zone.from_text(HEAD + text, self.origin, relativize=False)
        self.add(self.origin, self.dnskey)
        self.link()
        self.sign()
        for owner, kind, data in spoil:
            self.spoil(dns.name.from_text(owner, self.origin), kind, data)
        self.text = self.zone.to_text(relativize=False)
        self.anchor = f"{self.origin} 60 IN DNSKEY {self.dnskey}\n"

    def add(self, owner, data):
        self.zone.find_rdataset(owner, data.rdtype, data.covers(), create=True).add(data, ttl=60)

    def link(self):
        """NSEC records: what there is, so that the rest is known not to be."""
        names = sorted(self.zone.nodes)
        for at, name in enumerate(names):
            kinds = {data.rdtype for data in self.zone.nodes[name]} | {dns.rdatatype.NSEC, dns.rdatatype.RRSIG}
            kinds = " ".join(dns.rdatatype.to_text(kind) for kind in sorted(kinds))
            after = names[(at + 1) % len(names)]
            self.add(name, dns.rdata.from_text("IN", "NSEC", f"{after} {kinds}"))

    def sign(self):
        for name, node in list(self.zone.nodes.items()):
            for data in list(node):
                rrset = dns.rrset.RRset(name, dns.rdataclass.IN, data.rdtype)
                rrset.update(data)
                self.add(name, dns.dnssec.sign(rrset, self.key, self.origin, self.dnskey,
                                               inception=self.until - 30 * DAY, expiration=self.until))

    def spoil(self, owner, kind, data):
        fresh = dns.rdataset.from_text("IN", kind, 60, data)
        self.zone.replace_rdataset(owner, fresh)
