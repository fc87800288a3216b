"""Name servers: NSD with given zones, and one in Python that answers late, wrongly or not at all."""
import pathlib
import socket
import socketserver
import struct
import subprocess
import threading

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset

from . import ground
from .signed import HEAD, Signed


class Dns:
    """NSD on a loopback address. `zones`: {"example.org": "@ MX 10 mx\\nmx A 127.0.0.2\\n"}, or
    the zone as Signed."""

    def __init__(self, folder, zones, address=None, port=None):
        self.folder = pathlib.Path(folder)
        self.zones = zones
        self.address = address or ground.address()
        self.port = port or ground.port_everywhere()
        self.process = None

    def start(self):
        self.folder.mkdir(parents=True)
        lines = [
            "server:",
            f"  ip-address: {self.address}@{self.port}",
            '  username: ""',
            '  chroot: ""',
            f'  zonesdir: "{self.folder}"',
            f'  database: ""',
            f'  pidfile: "{self.folder}/pid"',
            f'  zonelistfile: "{self.folder}/zone.list"',
            f'  xfrdfile: "{self.folder}/xfrd.state"',
            f'  xfrdir: "{self.folder}"',
            "  server-count: 1",
            "  rrl-ratelimit: 0",
            "remote-control:",
            "  control-enable: no",
        ]
        for number, (zone, text) in enumerate(self.zones.items()):
            whole = text.text if isinstance(text, Signed) else f"$ORIGIN {zone}.\n" + HEAD + text + "\n"
            (self.folder / f"zone{number}").write_text(whole)
            lines += ["zone:", f'  name: "{zone}"', f'  zonefile: "zone{number}"']
        (self.folder / "nsd.conf").write_text("\n".join(lines) + "\n")
        self.process = subprocess.Popen(
            ["nsd", "-d", "-c", str(self.folder / "nsd.conf")],
            stdin=subprocess.DEVNULL,
            stdout=(self.folder / "out").open("wb"),
            stderr=subprocess.STDOUT,
        )
        zone = next(iter(self.zones))
        ground.until("NSD answers", lambda: self.answers(zone))
        return f"{self.address}@{self.port}"

    def answers(self, zone):
        if self.process.poll() is not None:
            raise AssertionError("NSD ended: " + (self.folder / "out").read_text())
        try:
            query = dns.message.make_query(zone, "SOA")
            return dns.query.udp(query, self.address, 0.2, self.port).rcode() == dns.rcode.NOERROR
        except (dns.exception.Timeout, OSError):
            return False

    def stop(self):
        ground.end(self.process)


class OddDns:
    """Answers by a function: `answer(query)` gives a message, bytes, or None for silence. Every
    question is answered in a thread of its own, so that the function may wait."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []
        self.address = ground.address()
        self.port = ground.port_everywhere()
        outer = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self):
                data, sock = self.request
                reply = outer.reply(data)
                if reply:
                    sock.sendto(reply, self.client_address)

        class Tcp(socketserver.BaseRequestHandler):
            def handle(self):
                self.request.settimeout(10)
                try:
                    size = self.request.recv(2, socket.MSG_WAITALL)
                    if len(size) < 2:
                        return
                    data = self.request.recv(struct.unpack("!H", size)[0], socket.MSG_WAITALL)
                    reply = outer.reply(data)
                    if reply:
                        self.request.sendall(struct.pack("!H", len(reply)) + reply)
                except OSError:
                    pass

        class UdpServer(socketserver.ThreadingUDPServer):
            daemon_threads = True
            block_on_close = False

        class TcpServer(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False
            allow_reuse_address = True

        self.servers = [
            UdpServer((self.address, self.port), Udp),
            TcpServer((self.address, self.port), Tcp),
        ]

    def reply(self, data):
        query = dns.message.from_wire(data)
        self.asked.append((query.question[0].name.to_text(), query.question[0].rdtype))
        reply = self.answer(query)
        if reply is None or isinstance(reply, bytes):
            return reply
        return reply.to_wire()

    def start(self):
        for server in self.servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return f"{self.address}@{self.port}"

    def stop(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()


def respond(query, *records, rcode=dns.rcode.NOERROR, authority=True):
    """An authoritative answer; records are texts: "name TTL IN TYPE data"."""
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.AA
    reply.set_rcode(rcode)
    for record in records:
        name, ttl, rdclass, rdtype, data = record.split(None, 4)
        reply.answer.append(dns.rrset.from_text(name, int(ttl), rdclass, rdtype, data))
    return reply


def question(query):
    """("name.example.", "MX")"""
    asked = query.question[0]
    return asked.name.to_text().lower(), dns.rdatatype.to_text(asked.rdtype)
