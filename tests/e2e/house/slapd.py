"""OpenLDAP's server from its unpacked package, with a directory of its own."""
import os
import pathlib
import subprocess

from . import ground, unpacked

CONFIG = """\
include {schema}/core.schema
include {schema}/cosine.schema
include {schema}/inetorgperson.schema
pidfile {folder}/pid
modulepath {modules}
moduleload back_mdb
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
allow bind_anon_cred bind_anon_dn
database mdb
suffix "dc=house,dc=example"
rootdn "cn=root,dc=house,dc=example"
rootpw secret
directory {folder}/data
maxsize 10485760
dbnosync
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=reader,dc=house,dc=example" read by * none
"""


class Slapd:
    """ldap:// and, with the certificate, StartTLS and ldaps:// at `address`."""

    def __init__(self, folder, certificate):
        self.folder = pathlib.Path(folder)
        self.address = ground.address()
        self.port, self.tls_port = ground.port_everywhere(), ground.port_everywhere()
        self.certificate = certificate
        self.env = {**os.environ, "LD_LIBRARY_PATH": unpacked.file("usr/lib/x86_64-linux-gnu")}
        self.process = None

    def run(self, program, *arguments, input=None):
        done = subprocess.run(
            [unpacked.file("usr/sbin/slapd"), "-T", program, "-f", str(self.folder / "slapd.conf"), *arguments],
            capture_output=True, text=True, env=self.env, input=input,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def make(self, entries):
        (self.folder / "data").mkdir(parents=True)
        (self.folder / "slapd.conf").write_text(
            CONFIG.format(
                folder=self.folder, schema=unpacked.file("etc/ldap/schema"), modules=unpacked.file("usr/lib/ldap"),
                certificate=self.certificate.file, key=self.certificate.key_file,
            )
        )  # fmt: skip
        self.run("add", input=entries)
        return self

    def start(self):
        self.process = subprocess.Popen(
            [unpacked.file("usr/sbin/slapd"), "-f", str(self.folder / "slapd.conf"), "-d", "256", "-h",
             f"ldap://{self.address}:{self.port}/ ldaps://{self.address}:{self.tls_port}/"],
            env=self.env, stdin=subprocess.DEVNULL, stdout=(self.folder / "log").open("ab"), stderr=subprocess.STDOUT,
        )  # fmt: skip
        ground.until("slapd listens", lambda: ground.accepts(self.address, self.tls_port))
        return self

    def stop(self):
        ground.end(self.process)
        self.process = None
