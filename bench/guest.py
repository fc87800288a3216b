"""Runs inside the machine that vm.py starts: holds so many idle sessions, and prints the row.

usage: guest.py COUNT"""
import json
import subprocess
import sys

import servers
import workloads


def main():
    dns = subprocess.Popen([servers.TOOLS / "dns", f"127.0.0.1:{servers.DNS_PORT}"])
    try:
        with servers.Postrider("queue") as server:
            row = workloads.hold(server, int(sys.argv[1]))
    finally:
        dns.kill()
    print("\n" + json.dumps(row), flush=True)


main()
