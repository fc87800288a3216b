"""Other mail servers, for a test or a file of tests: started where this machine can, skipped where not."""
import pytest

from . import accounts, unpacked
from .dovecot import Dovecot
from .exim import Exim
from .opensmtpd import OpenSMTPD
from .postfix import Postfix

PROGRAMS = {
    Postfix: "usr/lib/postfix/sbin/master",
    Exim: "usr/sbin/exim4",
    OpenSMTPD: "usr/sbin/smtpd",
    Dovecot: "usr/sbin/dovecot",
}


def peers(folder, port):
    """Gives a function that starts them, and ends them all at the end."""
    made = []

    def make(kind, name=None, **options):
        if kind is Postfix and not accounts.available():
            pytest.skip("libnss-wrapper is not installed: Postfix finds no users")
        if kind is not Postfix and not unpacked.can_be_installed():
            pytest.skip("no mounts in a namespace here: needs root")
        lacks = unpacked.missing(unpacked.file(PROGRAMS[kind]))
        if lacks:
            pytest.skip(f"{kind.__name__} lacks {lacks} on this machine")
        one = kind(folder / (name or kind.__name__.lower()), **{"port": port, **options})
        made.append(one)
        return one.start()

    yield make
    for one in made:
        one.stop()
