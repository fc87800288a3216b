"""All checks of the source. Prints FILE:LINE: RULE for each finding, and a last line that counts."""
import concurrent.futures
import os
import shutil
import subprocess
import sys

import layers
import purity
import sizes
from finding import ROOT, Finding


def clang_format():
    sources = sorted(str(p) for f in ("src", "tests") for p in (ROOT / f).rglob("*.[ch]"))
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", *sources], capture_output=True, text=True)
    for line in done.stderr.splitlines():
        if ": error:" in line:
            file, number, _ = line.split(":", 2)
            yield Finding(os.path.relpath(file, ROOT), int(number), "format: run ./do format")


def tidy(batch):
    done = subprocess.run(["clang-tidy", "-p", str(ROOT / "build-clang"), "--quiet", *batch],
                          capture_output=True, text=True, cwd=ROOT)
    return [line for line in done.stdout.splitlines() if ": error:" in line or ": warning:" in line]


def clang_tidy():
    if not shutil.which("clang-tidy"):
        yield Finding("do", 1, "clang-tidy is not installed")
        return
    sources = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "src").rglob("*.c"))
    batches = [sources[i : i + 8] for i in range(0, len(sources), 8)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for lines in pool.map(tidy, batches):
            for line in dict.fromkeys(lines):
                file, number, _, what = line.split(":", 3)
                yield Finding(os.path.relpath(file, ROOT), int(number), f"clang-tidy:{what}")


def cppcheck():
    done = subprocess.run(
        ["cppcheck", "--quiet", "--std=c11", "--inline-suppr", "--enable=warning,portability",
         "--template={file}:{line}: {id}: {message}", f"-j{os.cpu_count()}", "-Isrc", "-D_GNU_SOURCE",
         "--suppress=missingIncludeSystem", "--suppress=internalAstError", "--suppress=unknownMacro", "--suppress=preprocessorErrorDirective",
         "src"], capture_output=True, text=True, cwd=ROOT)
    for line in done.stderr.splitlines():
        file, number, what = (line.split(":", 2) + ["", ""])[:3]
        yield Finding(file, int(number) if number.isdigit() else 1, f"cppcheck:{what}")


PLANTED = {
    "sizes": lambda: list(sizes.judge("src/x.c", ["int f(int a, int b, int c, int d, int e, int g)", "{", *["x;"] * 61, "}"])),
    "words": lambda: list(sizes.judge("src/path/x.c", ["    strcpy(a, b);", "    int fd = open(p);"])),
    "layers": lambda: layers.judge("src/core/base/x.c", '"', "path/spool/spool.h"),
}


def main():
    checks = [
        ("layers", lambda: layers.check(ROOT)),
        ("purity", lambda: purity.check(ROOT, ROOT / "build")),
        ("sizes", lambda: sizes.check(ROOT)),
        ("format", clang_format),
        ("cppcheck", cppcheck),
        ("clang-tidy", clang_tidy),
        ("planted defects are found", lambda: [] if all(p() for p in PLANTED.values())
            else [Finding("tests/lint/run.py", 1, "a planted defect was not found")]),
    ]
    passed = failed = 0
    for name, check in checks:
        found = list(check())
        for finding in found:
            print(finding)
        print(f"lint: {name}: {'fine' if not found else f'{len(found)} findings'}", flush=True)
        passed, failed = passed + (not found), failed + bool(found)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
