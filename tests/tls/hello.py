"""Says hello to a TLS server octet by octet, and reads what it chooses (RFC 5246, RFC 8446): so that it can
be asked for what no library offers any more. No handshake is finished."""
import os
import socket
import struct

SSL3, TLS10, TLS11, TLS12, TLS13 = 0x0300, 0x0301, 0x0302, 0x0303, 0x0304
X25519, P256, P384, P521, X448 = 0x001D, 0x0017, 0x0018, 0x0019, 0x001E
ALERT, HANDSHAKE = 21, 22
SERVER_HELLO = 2
SNI, GROUPS, POINTS, SIGNATURES, HEARTBEAT, TICKET, VERSIONS, SHARE, RENEGOTIATION = 0, 10, 11, 13, 15, 35, 43, 51, 0xFF01
SCHEMES = (0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201)
PATIENCE = 10


class Answer:
    """What came: `alert` (its description) or a hello: version, cipher, compression, extensions, random."""

    def __init__(self, alert=None, hello=None):
        self.alert = alert
        self.version = self.cipher = self.compression = None
        self.random = b""
        self.extensions = {}
        if hello:
            self.read(hello)

    def read(self, body):
        self.version, self.random, length = struct.unpack_from("!H32sB", body)
        at = 35 + length
        self.cipher, self.compression = struct.unpack_from("!HB", body, at)
        at += 5  # the length of the extensions too
        while at + 4 <= len(body):
            kind, size = struct.unpack_from("!HH", body, at)
            self.extensions[kind] = body[at + 4 : at + 4 + size]
            at += 4 + size
        if VERSIONS in self.extensions:
            (self.version,) = struct.unpack("!H", self.extensions[VERSIONS])

    @property
    def taken(self):
        return self.cipher is not None


def extension(kind, data=b""):
    return struct.pack("!HH", kind, len(data)) + data


def shorts(numbers):
    data = b"".join(struct.pack("!H", n) for n in numbers)
    return struct.pack("!H", len(data)) + data


def client_hello(version, ciphers, groups, name, compressions, more):
    """One record. For TLS 1.3 without a key share: the server asks for one of the group it chooses."""
    extensions = [
        extension(GROUPS, shorts(groups)),
        extension(POINTS, b"\1\0"),
        extension(SIGNATURES, shorts(SCHEMES)),
        extension(RENEGOTIATION, b"\0"),
        *(extension(kind) for kind in more),
    ]
    if name:
        host = name.encode()
        extensions.append(extension(SNI, struct.pack("!HBH", len(host) + 3, 0, len(host)) + host))
    if version == TLS13:
        extensions += [extension(VERSIONS, b"\2\3\4"), extension(SHARE, b"\0\0")]
    listed = b"".join(extensions) if version > SSL3 else b""
    body = struct.pack("!H", min(version, TLS12)) + os.urandom(32) + b"\0" + shorts(ciphers)
    body += bytes([len(compressions), *compressions]) + (struct.pack("!H", len(listed)) + listed if listed else b"")
    return struct.pack("!BHHB", HANDSHAKE, min(version, TLS10), len(body) + 4, 1) + struct.pack("!I", len(body))[1:] + body


def read_exactly(sock, size):
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def read_answer(sock):
    """The first alert or hello; a connection that is cut says "closed"."""
    gathered = b""
    try:
        while True:
            kind, _, size = struct.unpack("!BHH", read_exactly(sock, 5))
            data = read_exactly(sock, size)
            if kind != HANDSHAKE:
                return Answer(alert=data[1] if kind == ALERT and size == 2 else "nonsense")
            gathered += data
            if len(gathered) >= 4 and len(gathered) >= 4 + int.from_bytes(gathered[1:4], "big"):
                return Answer(hello=gathered[4 : 4 + int.from_bytes(gathered[1:4], "big")])
    except (EOFError, ConnectionResetError):
        return Answer(alert="closed")


def start_smtp(sock):
    """STARTTLS (RFC 3207), without a word more than needed."""
    stream = sock.makefile("rb")

    def reply():
        while True:
            line = stream.readline(2048)
            if line[3:4] != b"-":
                return line

    reply()
    for command in (b"EHLO survey.invalid\r\n", b"STARTTLS\r\n"):
        sock.sendall(command)
        answer = reply()
        if answer[:1] != b"2":
            raise ConnectionError(f"no STARTTLS: {answer!r}")


def ask(host, port, smtp, version, ciphers, groups=(X25519, P256, P384), name=None, compressions=(0,), more=()):
    with socket.create_connection((host, port), timeout=PATIENCE) as sock:
        if smtp:
            start_smtp(sock)
        sock.sendall(client_hello(version, ciphers, groups, name, compressions, more))
        return read_answer(sock)
