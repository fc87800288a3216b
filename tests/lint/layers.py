"""Who may include whom: the mail's path stays apart from the world, and its stages from each other.

A row is a folder of src/ and what it may include of the project besides itself. A folder's row is the
longest that fits: "path" alone is the wiring in src/path/*.c, which joins the stages."""
import re

from finding import Finding, files

CORE = ("core/base", "core/mail", "core/dns", "core/smtp", "core/mailauth", "core/trace")
STAGE = CORE + ("port", "config/config.h", "config/users.h", "config/aliases.h")

MAY_INCLUDE = {
    "core/base": (),
    "core/mail": ("core/base",),
    "core/dns": ("core/base",),
    "core/smtp": ("core/base", "core/mail", "core/dns"),
    "core/mailauth": ("core/base", "core/mail", "core/dns"),
    "core/trace": ("core/base", "core/mail", "core/dns"),
    "port": CORE,
    "path": STAGE + ("path",),
    "path/accept": STAGE,
    "path/policy": STAGE + ("path/route",),
    "path/session": STAGE + ("path/policy", "path/spool"),
    "path/spool": STAGE,
    "path/queue": STAGE + ("path/spool",),
    "path/route": STAGE,
    "path/deliver": STAGE + ("path/spool", "path/route"),
    "path/report": STAGE + ("path/spool",),
    "world": CORE + ("port",),
    "keys": CORE + ("port", "tls", "supervise", "world"),
    "stores": CORE + ("port", "world", "config/config.h"),
    "login": CORE + ("port", "world", "supervise", "stores"),
    "tls": CORE + ("port", "world"),
    "fence": CORE + ("port",),
    "supervise": CORE + ("port", "world"),
    "allowance": CORE + ("port", "world"),
    "tlsrpt": CORE + ("port", "path", "config", "world"),
    "postman": CORE + ("path/deliver", "world", "config/config.h", "runner"),
    "runner": CORE + ("world", "config/config.h", "path/route"),
    "config": CORE + ("port",),
    "control": CORE + ("port", "path", "world", "config", "console"),
    "console": CORE + ("port", "path", "world", "config", "control"),
    "cli": CORE + ("port", "path", "world", "config", "control", "console", "login", "stores", "tls", "tlsrpt", "allowance", "supervise", "runner", "postman", "fence", "keys"),
}
# What the pure folders may include of the system.
SYSTEM = {
    "errno.h", "limits.h", "stdalign.h", "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h",
    "stdio.h", "stdlib.h", "string.h",
}  # fmt: skip
SYSTEM_MORE = {"core/dns": {"idn2.h"}}
PURE = ("core", "path", "port")
INCLUDE = re.compile(r'\s*#\s*include\s*(["<])([^">]+)[">]')


def row_of(folder):
    while folder and folder not in MAY_INCLUDE:
        folder = folder.rpartition("/")[0]
    return folder


def under(path, names):
    return any(path == name or path.startswith(name + "/") for name in names)


def includes(lines):
    for number, line in enumerate(lines, 1):
        if found := INCLUDE.match(line):
            yield number, found[1], found[2]


def judge(file, kind, target):
    """The rule that this include breaks, or None."""
    folder = file.removeprefix("src/").rpartition("/")[0]
    row = row_of(folder)
    if not row:
        return f"layers: src/{folder} is in no row of the include table"
    if kind == "<":
        allowed = SYSTEM | SYSTEM_MORE.get(row, set())
        if under(row, PURE) and target not in allowed:
            return f"layers: {row} is pure and may not include <{target}>"
        return None
    if "/" not in target:
        return f'layers: "{target}" must be named with its folder'
    other = row_of(target.rpartition("/")[0])
    if other == row or under(target, MAY_INCLUDE[row]):
        return None
    return f"layers: {row} may not include {target}"


def circles(graph):
    """One finding for each folder that reaches itself over other folders."""
    for start in graph:
        seen, way = set(), list(graph[start])
        while way:
            at = way.pop()
            if at == start:
                file, line = graph[start][next(iter(graph[start]))]
                yield Finding(file, line, f"layers: {start} includes itself in a circle")
                break
            if at not in seen:
                seen.add(at)
                way.extend(graph.get(at, ()))


def check(root):
    graph = {}
    for file, lines in files(root):
        row = row_of(file.removeprefix("src/").rpartition("/")[0])
        for number, kind, target in includes(lines):
            if rule := judge(file, kind, target):
                yield Finding(file, number, rule)
            other = row_of(target.rpartition("/")[0]) if kind == '"' else row
            if other != row:
                graph.setdefault(row, {}).setdefault(other, (file, number))
    yield from circles(graph)
