"""A resolver that validates (Unbound, unpacked), where programs look for one: on port 53 of a loopback
address, named by a resolv.conf that is bound over the system's in a namespace of the program's own."""
import pathlib
import socket
import subprocess

import dns.exception
import dns.flags
import dns.message
import dns.query
import pytest

from . import ground, unpacked

CONFIG = """\
server:
  interface: {address}@53
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/pid"
  use-syslog: no
  num-threads: 1
  do-not-query-localhost: no
  access-control: 127.0.0.0/8 allow
  trust-anchor-file: "{folder}/anchor"
  module-config: "validator iterator"
remote-control:
  control-enable: no
"""
STUB = 'stub-zone:\n  name: "{zone}"\n  stub-addr: {server}\n'


class Resolver:
    """`server`: the authority of `zones`, "ADDRESS@PORT"; `anchor`: the signed ones' keys."""

    def __init__(self, folder, server, zones, anchor):
        self.folder = pathlib.Path(folder)
        self.server = server
        self.zones = zones
        self.anchor = anchor
        self.address = ground.address()
        self.text = f"nameserver {self.address}\noptions trust-ad edns0\n"
        self.file = self.folder / "resolv.conf"
        self.process = None

    def start(self):
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.bind((self.address, 53))
        except OSError as error:
            pytest.skip(f"port 53 cannot be had for a resolver here: {error}")
        self.folder.mkdir(parents=True)
        self.file.write_text(self.text)
        (self.folder / "anchor").write_text(self.anchor)
        stubs = "".join(STUB.format(zone=zone, server=self.server) for zone in self.zones)
        config = self.folder / "unbound.conf"
        config.write_text(CONFIG.format(address=self.address, folder=self.folder) + stubs)
        self.process = subprocess.Popen(
            [unpacked.file("usr/sbin/unbound"), "-d", "-c", str(config)],
            stdin=subprocess.DEVNULL, stdout=(self.folder / "out").open("wb"), stderr=subprocess.STDOUT,
        )  # fmt: skip
        ground.until("the resolver validates", self.validates)
        return self

    def validates(self):
        if self.process.poll() is not None:
            raise AssertionError("Unbound ended: " + (self.folder / "out").read_text())
        try:
            query = dns.message.make_query(self.zones[0], "SOA", want_dnssec=True)
            return dns.query.udp(query, self.address, 1).flags & dns.flags.AD
        except (dns.exception.Timeout, OSError):
            return False

    def stop(self):
        ground.end(self.process)
