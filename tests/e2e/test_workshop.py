"""The workshop: chains of real servers, true and forged, and what the judgement makes of them."""
import re
import subprocess
import sys

import pytest

from house import accounts, ground, unpacked
from workshop import measure
from workshop.routes import FEW


@pytest.fixture(scope="session")
def fresh(tmp_path_factory):
    """A folder of chains made anew, of a handful of ways."""
    if not (accounts.available() and unpacked.can_be_installed()):
        pytest.skip("no namespaces here (needs root), or no libnss-wrapper")
    if subprocess.run(["unshare", "-n", "ip", "link", "set", "lo", "up"], capture_output=True).returncode != 0:
        pytest.skip("no network namespaces here")
    lacks = [program for program in ("usr/lib/postfix/sbin/master", "usr/sbin/exim4", "usr/sbin/smtpd")
             if unpacked.missing(unpacked.file(program))]  # fmt: skip
    if lacks:
        pytest.skip(f"{lacks} lack libraries on this machine")
    folder = tmp_path_factory.mktemp("chains")
    done = subprocess.run(
        [sys.executable, "-B", "-m", "workshop.record", folder], cwd=ground.E2E, capture_output=True, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return folder


def names(chain):
    return [chain.writer(n) for n in range(chain.truth["true"])]


def test_every_server_of_a_way_has_written_its_line(fresh):
    chains = measure.chains(fresh) + measure.chains(fresh, "stuffed")
    assert len(chains) == 2 * len(FEW)
    for chain in chains:
        hosts = chain.truth["hosts"][::-1]
        written = names(chain)
        assert [name for n, name in enumerate(written) if n == 0 or written[n - 1] != name] == hosts, chain.text
        assert chain.truth["false"] == (0 if chain in chains[: len(FEW)] else len(chain.lines) - len(written))
    forms = {form for chain in chains for form in re.findall(rb"\((Postfix|Exim|OpenSMTPD|Postrider)", chain.text)}
    assert forms == {b"Postfix", b"Exim", b"OpenSMTPD", b"Postrider"}
