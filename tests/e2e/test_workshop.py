"""The workshop: chains of real servers, true and forged, and what the judgement makes of them."""
import re
import subprocess
import sys

import pytest

from house import accounts, ground, unpacked
from house.dns import Dns
from workshop import forge, measure
from workshop.measure import SUMMARY, TARGET
from workshop.routes import FEW
from workshop.street import zones

SEED = 4
EACH = 150  # forgeries of each kind
MODES = ("offline", "DNS")


@pytest.fixture(scope="session")
def options(tmp_path_factory):
    """What to tell `trace` in each mode."""
    server = Dns(tmp_path_factory.mktemp("street") / "nsd", zones())
    yield {"offline": ["--offline"], "DNS": ["--dns", server.start()]}
    server.stop()


@pytest.fixture(scope="session")
def forgeries():
    """Of the recorded chains."""
    bench = forge.Workbench(measure.chains(), SEED)
    kinds = forge.OFFLINE + forge.DNS_ONLY + forge.BY_NATURE_HIDDEN
    return [one for kind in kinds for one in bench.make(kind, EACH)]


@pytest.fixture(scope="session", params=MODES)
def judged(request, forgeries, options, tmp_path_factory):
    """(mode, figures, [(forgery, verdict)]): all forgeries, judged in one call."""
    verdicts = measure.judge(tmp_path_factory.mktemp("judged"), [f.text for f in forgeries], *options[request.param])
    figures = measure.Figures()
    for forgery, verdict in zip(forgeries, verdicts):
        figures.add(forgery, verdict)
    SUMMARY.figures[request.param] = figures
    return request.param, figures, list(zip(forgeries, verdicts))


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


def check_true(chains, mode, options, folder):
    """None is called forged; how many have the right origin."""
    verdicts = measure.judge(folder, [chain.text for chain in chains], *options[mode])
    alarms = [(c.truth, v["verdict"], v["first_forged"]) for c, v in zip(chains, verdicts)
              if v["first_forged"] is not None or v["verdict"] == "forged"]  # fmt: skip
    assert alarms == []
    clients = [(c.truth["client"], v["origin"]["ip"]) for c, v in zip(chains, verdicts) if c.truth["client"]]
    wrong = [pair for pair in clients if pair[0] != pair[1]]
    assert wrong == []
    return len(alarms), len(clients), len(clients) - len(wrong)


@pytest.mark.parametrize("mode", MODES)
def test_no_true_chain_is_called_forged_and_its_client_is_the_origin(mode, options, tmp_path):
    chains = measure.chains()
    SUMMARY.true[mode] = (len(chains), *check_true(chains, mode, options, tmp_path))


@pytest.mark.parametrize("mode", MODES)
def test_nor_are_chains_made_just_now(fresh, mode, options, tmp_path):
    check_true(measure.chains(fresh), mode, options, tmp_path)


def test_of_each_kind_of_forgery_nearly_all_are_found_at_the_right_line(judged):
    mode, figures, _ = judged
    poor = [kind for kind in forge.OFFLINE if figures.share(kind) < TARGET]
    poor += [kind for kind in forge.DNS_ONLY if mode == "DNS" and figures.share(kind) < TARGET]
    shown = "\n".join(line for kind in poor for line in measure.explain(figures.missed[kind]))
    assert poor == [], f"{ {kind: figures.share(kind) for kind in poor} }\n{shown}"


def test_a_made_up_past_does_not_move_the_boundary(judged, options, tmp_path):
    mode, _, rows = judged
    chains = measure.chains()
    verdicts = measure.judge(tmp_path, [chain.text for chain in chains], *options[mode])
    of_way = {chain.truth["route"]: verdict["boundary"] for chain, verdict in zip(chains, verdicts)}
    for forgery, verdict in rows:
        if forgery.kind in ("splice", "copied", "below", "stuffed", "unnamed"):
            assert verdict["boundary"] == of_way[forgery.of]
            assert verdict["first_forged"] is None or verdict["origin"]["hop"] < min(forgery.right)


@pytest.mark.parametrize("mode", MODES)
def test_what_a_client_wrote_into_its_header_is_told_from_what_servers_wrote(fresh, mode, options, tmp_path):
    """Chains that real servers carried, recorded and fresh."""
    chains = [c for folder in (measure.DATA, fresh) for c in measure.chains(folder, "stuffed") if not c.by_hand()]
    verdicts = measure.judge(tmp_path, [chain.text for chain in chains], *options[mode])
    wrong = [c.truth for c, v in zip(chains, verdicts) if v["first_forged"] != c.truth["true"]]
    assert 100 * len(wrong) <= (100 - TARGET) * len(chains), wrong
