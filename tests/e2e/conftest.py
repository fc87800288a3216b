"""Fixtures: what a test asks for is made for it alone and ended after it."""
import os
import shutil

import pytest

from house import ground
from house.dns import Dns, OddDns, respond
from house.hostile import Hostile
from house.peers import peers
from house.postrider import Postrider
from workshop.measure import SUMMARY


def pytest_collection_modifyitems(items):
    if not ground.program().exists():
        missing = pytest.mark.skip(reason=f"no program at {ground.program()}; build it, or set POSTRIDER")
        for item in items:
            if {"postrider", "common", "house"} & set(item.fixturenames):
                item.add_marker(missing)


# Tests may run in several processes (pytest-xdist): what each has to tell comes together in the first.
FIGURES = []


def pytest_sessionfinish(session):
    told = list(SUMMARY.lines())
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["figures"] = told
    else:
        FIGURES.extend(told)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    FIGURES.extend(getattr(node, "workeroutput", {}).get("figures", ()))


def pytest_terminal_summary(terminalreporter):
    for line in FIGURES:
        terminalreporter.write_line(line)


@pytest.fixture
def port():
    """The port of all mail hosts of a test."""
    return ground.port_everywhere()


@pytest.fixture(scope="session")
def no_names():
    """A name server that knows no name, for tests that need none: it says so at once."""
    import dns.rcode

    server = OddDns(lambda query: respond(query, rcode=dns.rcode.NXDOMAIN))
    yield server.start()
    server.stop()


def postriders(folder, port, name_server):
    """Gives a function that makes Postriders, and judges them all at the end."""
    made = []

    def make(config=None, start=True, name=None, **options):
        config = {"dns": {"servers": [name_server]}, **(config or {})}
        one = Postrider(folder / (name or f"postrider{len(made)}"), config, port, **options)
        made.append(one)
        return one.start() if start else one

    yield make
    troubles = []
    for one in reversed(made):  # the last one made sends to those before, which would wait for it to hang up
        try:
            one.clean_up()
        except AssertionError as trouble:
            troubles.append(str(trouble))
        # Segments of 64 MiB, of a thousand servers: no disk holds them until the end of the run.
        shutil.rmtree(one.folder / "spool", ignore_errors=True)
    assert not troubles, "\n".join(troubles)


@pytest.fixture
def postrider(tmp_path, port, no_names):
    """Makes Postriders: postrider(config, …) starts one, and after the test all are judged."""
    yield from postriders(tmp_path, port, no_names)


@pytest.fixture(scope="module")
def common_port():
    """The port of all mail hosts that the tests of one file have in common."""
    return ground.port_everywhere()


@pytest.fixture(scope="module")
def common(tmp_path_factory, common_port, no_names):
    """Makes Postriders that the tests of one file have in common."""
    yield from postriders(tmp_path_factory.mktemp("common"), common_port, no_names)


@pytest.fixture
def peer(tmp_path, port):
    """peer(Postfix, …) starts another mail server, and ends it after the test."""
    yield from peers(tmp_path, port)


@pytest.fixture(scope="module")
def common_peer(tmp_path_factory):
    """Makes mail servers that the tests of one file have in common, at a port of their own."""
    yield from peers(tmp_path_factory.mktemp("peers"), ground.port_everywhere())


@pytest.fixture
def house(postrider):
    """A Postrider with the usual configuration."""
    return postrider()


@pytest.fixture
def dns(tmp_path):
    """Makes name servers: dns({zone: text}) returns "ADDRESS@PORT"."""
    made = []

    def make(zones):
        one = Dns(tmp_path / f"nsd{len(made)}", zones)
        made.append(one)
        return one.start()

    yield make
    for one in made:
        one.stop()


def hostiles(port):
    """Gives a function that makes scripted servers, and ends them all at the end."""
    made = []

    def make(script=None, address=None, **options):
        one = Hostile(address or ground.address(), port, script, **options)
        made.append(one)
        return one.start()

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def hostile(port):
    """Makes scripted servers on addresses of their own, at the test's port."""
    yield from hostiles(port)


@pytest.fixture(scope="module")
def common_hostile(common_port):
    """Makes scripted servers that the tests of one file have in common."""
    yield from hostiles(common_port)


@pytest.fixture(scope="session", autouse=True)
def no_surprises():
    """No proxy, no user's start-up files: clients see the tests' own settings only."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in ("MAILRC", "SWAKSHOME", "CURL_HOME"):
            del os.environ[name]
