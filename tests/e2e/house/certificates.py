"""Certificates made for a test: right ones, old ones, an authority's, and what TLSA says of them."""
import datetime
import hashlib
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)
DER = serialization.Encoding.DER
PEM = serialization.Encoding.PEM


class Certificate:
    """`names`: DNS names, the first is the subject too. `issuer`: another one, else itself. `days`:
    how long it is good still; negative: no more. `kind`: of its key, "ec" (P-256) or "rsa"."""

    def __init__(self, folder, *names, issuer=None, days=1, authority=False, kind="ec"):
        if kind == "ec":
            self.key = ec.generate_private_key(ec.SECP256R1())
        else:
            self.key = rsa.generate_private_key(65537, 2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        now = datetime.datetime.utcnow()
        signer = issuer or self
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.certificate.subject if issuer else subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 30 * DAY)
            .not_valid_after(now + days * DAY)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False)
        )
        self.certificate = builder.sign(signer.key, hashes.SHA256())
        chain = [self.certificate] + ([issuer.certificate] if issuer else [])
        stem = folder / f"{names[0]}-{self.certificate.serial_number}"
        self.file = str(stem) + ".pem"
        self.text = "".join(one.public_bytes(PEM).decode() for one in chain)
        with open(self.file, "w") as out:
            out.write(self.text)
        self.key_file = str(stem) + ".key"
        with open(self.key_file, "wb") as out:
            out.write(self.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))

    def pair(self):
        """As the configuration names it."""
        return {"certificate": self.file, "key": self.key_file}

    def context(self):
        """A server's side with it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self.key_file)
        return context

    def tlsa(self, usage, selector, matching):
        """The data of a TLSA record for it."""
        if selector == 0:
            data = self.certificate.public_bytes(DER)
        else:
            data = self.key.public_key().public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        data = {0: bytes, 1: lambda d: hashlib.sha256(d).digest(), 2: lambda d: hashlib.sha512(d).digest()}[matching](data)
        return f"{usage} {selector} {matching} {data.hex()}"
