"""The results as Markdown."""

TITLES = {
    "limits": "what the disk gives",
    "a": "accept and queue",
    "b": "relay to a sink",
    "c": "into Maildirs",
    "d": "idle sessions",
    "e": "large messages: MB/s and memory",
    "g": "a queue of a million",
    "h": "a dead site and a slow one",
    "i": "one message, 100,000 recipients, 10,000 domains",
    "k": "TLS handshakes, up to the greeting",
    "s": "relay, signed (DKIM)",
    "t": "messages whose way is judged",
}

METHOD = """\
# Results of `./do bench`

{machine}

Versions: {versions}.

**Method.** One machine, everything on loopback: the load generator (`bench/load.c`, one thread,
pipelines as RFC 2920 allows; shown to be as fast as Postfix's smtp-source against smtp-sink, or
faster), the server under test, and the sink (`bench/sink.c`) share its cores. Messages have 4 KiB
unless said. Servers run in turn, A B A B, each in a fresh folder, warmed up, and left to settle; figures are medians of
{rounds} rounds of {seconds} s. Peers are Debian's packages with their default durability, tuned as
`bench/servers.py` shows; no syslog daemon listens, which spares Postfix and OpenSMTPD the work of
logging. In *accept and queue*, Postfix holds what comes (no queue manager at work), Exim only queues,
OpenSMTPD is paused; Postrider has a next hop that is down, and so does more. `cpu` is processor
seconds of all of a server's processes per 1,000 messages. `ratio` is Postrider's rate divided by
theirs.
"""

UNITS = {"cpu_s_per_1000": "cpu", "p50_us": "p50 µs", "p99_us": "p99 µs"}


def cell(value):
    if isinstance(value, float) and value >= 100:
        return f"{value:,.0f}"
    if isinstance(value, float) and value == int(value):
        return f"{int(value):,}"
    return f"{value:,}" if isinstance(value, (int, float)) else str(value)


def table(rows):
    keys = []
    for row in rows:
        keys += [k for k in row if k not in keys and k not in ("shape", "runs")]
    own = {r["shape"]: r["rate"] for r in rows if r["server"] == "Postrider" and "rate" in r}
    shapes = len({r["shape"] for r in rows}) > 1
    if own:
        keys.append("ratio")
    head = (["shape"] if shapes else []) + [UNITS.get(k, k.replace("_", " ")) for k in keys]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for row in sorted(rows, key=lambda r: [x["shape"] for x in rows].index(r["shape"])):
        values = dict(row)
        if own.get(row["shape"]) and row.get("rate") and row["server"] != "Postrider":
            values["ratio"] = f"{own[row['shape']] / row['rate']:.2f}"
        cells = [row["shape"]] if shapes else []
        cells += [cell(values[k]) if k in values else "" for k in keys]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def best(rows):
    """Each server with as many connections as suit it."""
    found = {}
    for row in rows:
        if row.get("rate", 0) > found.get(row["server"], {}).get("rate", 0):
            found[row["server"]] = row
    own = found.get("Postrider", {}).get("rate", 0)
    lines = [
        f"- {name}: {row['rate']:,.0f} per second ({row['shape']})"
        + (f", Postrider is at {own / row['rate']:.2f} times that" if name != "Postrider" else "")
        for name, row in sorted(found.items(), key=lambda item: -item[1]["rate"])
    ]
    return "Each at its best:\n\n" + "\n".join(lines)


def render(results):
    last = max(results.values(), key=lambda r: r["machine"]["date"])
    made_of = last["machine"]
    text = METHOD.format(
        machine=f"{made_of['date']}: {made_of['cores']} cores ({made_of['processor']}), "
        f"{made_of['memory_GiB']} GiB, Linux {made_of['kernel']}, {made_of['file_system']}.",
        versions=", ".join(f"{k} {v}" for k, v in last["versions"].items()),
        rounds=last["rounds"],
        seconds=last["seconds"],
    )
    for letter, title in TITLES.items():
        if letter not in results:
            continue
        rows = results[letter]["rows"]
        name = "Physical limits" if letter == "limits" else f"({letter}) {title}"
        text += f"\n## {name}\n\n{table(rows)}\n"
        if letter in "abc":
            text += "\n" + best(rows) + "\n"
    return text
