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
    """How many of each kind were judged rightly."""

    def __init__(self, title):
        self.title = title
        self.good = collections.Counter()
        self.all = collections.Counter()
        self.missed = []

    def add(self, forgery, verdict):
        self.all[forgery.kind] += 1
        good = verdict["first_forged"] in forgery.right
        self.good[forgery.kind] += good
        if not good:
            self.missed.append((forgery, verdict))

    def share(self, kind):
        return 100.0 * self.good[kind] / self.all[kind]

    def lines(self):
        yield f"{self.title}: the right first forged line"
        for kind in self.all:
            yield f"  {kind:<16} {self.share(kind):6.1f} % of {self.all[kind]}"
