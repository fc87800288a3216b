"""`postrider serve` without a configuration, and the command that it prints."""
import re
import subprocess

import pytest

from house import ground
from house.mailbox import Maildir


def test_the_printed_command_sends_a_mail(postrider):
    if ground.accepts("127.0.0.1", 2525):
        pytest.skip("port 2525 is in use on this machine")
    one = postrider(start=False, sandbox=True)
    one.start()
    hint = ground.until("the hint", lambda: (one.folder / "stdout").read_text())
    hint = ground.until("the whole hint", lambda: (t := (one.folder / "stdout").read_text()) and "Ctrl-C" in t and t)
    command = next(line.strip() for line in hint.splitlines() if "curl" in line)
    subprocess.run(command, shell=True, check=True, timeout=30)
    folder = re.search(r"It will lie in (\S+)/new/", hint).group(1)
    assert b"It works." in Maildir(folder).one()
