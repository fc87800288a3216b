"""What the judgement makes of true chains and of forgeries, and the table of its figures."""
import collections
import json
import subprocess

from house import ground

from . import mbox
from .forge import Chain

DATA = ground.SOURCE / "tests/data/trace"
TARGET = 95.0


def chains(folder=DATA, name="chains"):
    truths = json.loads((folder / f"{name}.json").read_text())
    messages = mbox.read(folder / f"{name}.mbox")
    assert len(truths) == len(messages)
    return [Chain(truth, text) for truth, text in zip(truths, messages)]


def judge(folder, messages, *options):
    """What `trace --all --json` says of each."""
    path = folder / "messages.mbox"
    mbox.write(path, messages)
    done = subprocess.run(
        [ground.program(), "trace", "--all", "--json", *options, path], capture_output=True, timeout=300
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == len(messages), (len(lines), len(messages), done.returncode, done.stderr[-2000:])
    return lines


class Figures:
    """How many forgeries of each kind were judged rightly."""

    def __init__(self):
        self.good = collections.Counter()
        self.all = collections.Counter()
        self.missed = collections.defaultdict(list)

    def add(self, forgery, verdict):
        self.all[forgery.kind] += 1
        if verdict["first_forged"] in forgery.right:
            self.good[forgery.kind] += 1
        else:
            self.missed[forgery.kind].append((forgery, verdict))

    def share(self, kind):
        return 100.0 * self.good[kind] / self.all[kind]


def explain(missed, most=3):
    """For a failed test: the first few that were judged wrongly, line by line."""
    for forgery, verdict in missed[:most]:
        yield f"first forged is {forgery.right}, judged {verdict['first_forged']} ({verdict['verdict']}):"
        for line, hop in zip(mbox.received_of(forgery.text), verdict["hops"]):
            yield "  " + " ".join(line.decode(errors="replace").split())
            yield from (f"      {r['weight']} {r['rule']}: {r['text']}" for r in hop["reasons"])


class Summary:
    """What the tests have found, for the end of their output: figures by mode ("offline", "DNS")."""

    def __init__(self):
        self.figures = {}
        self.true = {}  # mode: (chains, called forged, with a client, that is named)

    def lines(self):
        for mode, (chains, alarms, clients, origins) in self.true.items():
            yield f"trace, {mode}: {chains} true chains, {alarms} called forged; the client named as origin in {origins} of {clients}"
        kinds = next(iter(self.figures.values())).all if self.figures else ()
        for kind in kinds:
            shares = (f"{mode} {f.share(kind):5.1f} %" for mode, f in self.figures.items())
            yield f"trace, {kind:<14} {'  '.join(shares)}  first forged line right, of {self.figures[next(iter(self.figures))].all[kind]}"


SUMMARY = Summary()
