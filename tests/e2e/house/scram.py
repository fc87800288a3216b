"""The client's side of SCRAM (RFC 5802), so that tests can log in without TLS."""
import base64
import hashlib
import hmac
import os


def b64(data):
    return base64.b64encode(data).decode()


class Scram:
    """`header`: of GS2, what the client says about channel binding; `binding`: its data."""

    def __init__(self, name, password, digest="sha256", header="n,,", binding=b""):
        self.name, self.password, self.digest = name, password, digest
        self.header, self.binding = header, binding
        self.nonce = b64(os.urandom(18))
        self.bare = f"n={name},r={self.nonce}"

    def first(self):
        return b64(f"{self.header}{self.bare}".encode())

    def final(self, challenge):
        server_first = base64.b64decode(challenge).decode()
        parts = dict(part.split("=", 1) for part in server_first.split(","))
        assert parts["r"].startswith(self.nonce)
        salted = hashlib.pbkdf2_hmac(
            self.digest, self.password.encode(), base64.b64decode(parts["s"]), int(parts["i"])
        )
        client_key = hmac.digest(salted, b"Client Key", self.digest)
        stored_key = hashlib.new(self.digest, client_key).digest()
        without_proof = f"c={b64(self.header.encode() + self.binding)},r={parts['r']}"
        message = f"{self.bare},{server_first},{without_proof}".encode()
        signature = hmac.digest(stored_key, message, self.digest)
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        server_key = hmac.digest(salted, b"Server Key", self.digest)
        self.server_signature = hmac.digest(server_key, message, self.digest)
        return b64(f"{without_proof},p={b64(proof)}".encode())

    def trusts(self, challenge):
        return base64.b64decode(challenge) == f"v={b64(self.server_signature)}".encode()


def log_in(client, name, password, digest="sha256", **binding):
    """The last reply. The server's own proof is checked."""
    scram = Scram(name, password, digest, **binding)
    mechanism = {"sha256": "SCRAM-SHA-256", "sha1": "SCRAM-SHA-1"}[digest] + ("-PLUS" if scram.header[0] == "p" else "")
    reply = client.ask(f"AUTH {mechanism} {scram.first()}")
    if reply.code != 334:
        return reply
    reply = client.ask(scram.final(reply.text))
    if reply.code != 334:
        return reply
    assert scram.trusts(reply.text)
    return client.ask("")
