"""nanny.py COMMAND…: runs a server and buries whatever it leaves behind, so that the processor time
of processes that cut themselves loose is counted too."""
import os
import subprocess
import sys

import machine

machine.be_subreaper()
child = subprocess.Popen(sys.argv[1:])
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
