"""./do bench: Postrider and other mail servers, the same load, one run.

usage: run.py [--quick] [--rounds N] [--servers a,b,…] [WORKLOAD…]"""
import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time

import machine
import peers
import report
import servers
import workloads

BUILD = peers.SOURCE / "build-bench"


def arguments():
    parser = argparse.ArgumentParser(description="Postrider beside other mail servers")
    parser.add_argument("--quick", action="store_true", help="one short round of each")
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--servers", default="null,postrider,postfix,exim,opensmtpd")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=" ".join(workloads.ALL))
    asked = parser.parse_args()
    for name in asked.workloads:
        if name not in workloads.ALL:
            parser.error(f"no workload {name}: there are {' '.join(workloads.ALL)}")
    return asked


def available(names):
    """Those of the servers that can be had here."""
    for name in names:
        server = servers.ALL[name]
        if not issubclass(server, servers.Peer) or peers.unpacked(server.package):
            yield name


def medians(rows):
    """Rows of the same server and shape become one, of medians."""
    groups = {}
    for _, server, row in rows:
        groups.setdefault((row["shape"], server), []).append(row)
    for (shape, server), of_one in groups.items():
        whole = [r for r in of_one if "failed" not in r]
        keys = [k for k in (whole or of_one)[0] if k not in ("shape", "failed")]
        values = {k: statistics.median([r[k] for r in whole if k in r]) for k in keys if whole}
        if len(whole) < len(of_one):
            values["failed"] = next(r["failed"] for r in of_one if "failed" in r)
        yield {"shape": shape, "server": server, "runs": len(of_one), **values}


def main():
    asked = arguments()
    names = list(available(asked.servers.split(",")))
    bench = workloads.Bench(asked.quick, asked.rounds, names)
    places = (f"127.0.0.1:{servers.DNS_PORT}", f"{peers.NAME_SERVER}:53")
    dns = [subprocess.Popen([servers.TOOLS / "dns", place]) for place in places]
    try:
        measure(asked, bench, names)
    finally:
        for process in dns:
            process.kill()
            process.wait()


def measure(asked, bench, names):
    kept = BUILD / ("quick.json" if asked.quick else "results.json")
    results = json.loads(kept.read_text()) if kept.exists() else {}
    for letter in asked.workloads or workloads.ALL:
        print(f"\n== {letter}: {report.TITLES[letter]}", flush=True)
        rows, began = [], time.monotonic()
        try:
            for turn, server, row in workloads.ALL[letter](bench):
                rows.append((turn, server, row))
                facts = "  ".join(f"{k} {v}" for k, v in row.items() if k != "shape")
                print(f"  {turn + 1}  {server:12} {row['shape']}: {facts}", flush=True)
        except Exception as error:  # a workload that breaks is told, and the others are measured
            print(f"  broke off: {error!r}", flush=True)
        servers.clean_up()
        results[letter] = {
            "rows": list(medians(rows)),
            "machine": machine.description(),
            "versions": {servers.ALL[n].name: servers.ALL[n].version() for n in names},
            "rounds": bench.rounds,
            "seconds": bench.seconds,
            "took": round(time.monotonic() - began),
        }
        kept.write_text(json.dumps(results, indent=1) + "\n")
    text = report.render(results)
    (BUILD / "QUICK.md" if asked.quick else peers.SOURCE / "bench/RESULTS.md").write_text(text)
    print("\n" + text)


if __name__ == "__main__":
    if not shutil.which("unshare"):
        sys.exit("this needs unshare (util-linux)")
    main()
