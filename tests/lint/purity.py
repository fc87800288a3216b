"""core/ and path/ do no I/O: their libraries need nothing of the system but the names below. It is read
from the binaries (nm), so no macro or inline function hides a call."""
import re
import subprocess

from finding import Finding

ALLOWED = set(
    "memchr memcmp memcpy memmove memset memrchr memmem strlen strnlen "
    "malloc calloc realloc free qsort bsearch snprintf vsnprintf".split()
)
# The compiler's own: fortified forms of the above, stack protection, the processor's abilities.
COMPILER = re.compile(r"__(memcpy|memmove|memset|v?snprintf)_chk|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_|__cpu_model")
CONFIG = re.compile(r"config_(hold|drop|find_\w+)")  # pure as well: src/config/config.c
ALSO = {"core_dns": re.compile(r"idn2_\w+")}


def symbols(library):
    """(object file, kind, name, section) of everything that a library has and wants."""
    command = ["nm", "--format=sysv", str(library)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    member = ""
    for line in said.splitlines():
        if found := re.match(r"(?:Symbols|Undefined symbols) from .*\[(.*)\]:", line):
            member = found[1]
        fields = [field.strip() for field in line.split("|")]
        if len(fields) == 7 and fields[2] != "Class":
            yield member, fields[2], fields[0], fields[6]


def libraries(build):
    return sorted([*build.glob("src/libcore_*.a"), *build.glob("src/libpath*.a")])


def source_of(root, library, member):
    folder = library.name.removeprefix("lib").removesuffix(".a").replace("_", "/", 1)
    return (root / "src" / folder / member.removesuffix(".o")).relative_to(root).as_posix()


def check(root, build):
    found = libraries(build)
    if not found:
        yield Finding("tests/lint/purity.py", 1, f"purity: no libraries in {build}; build it first")
    have, want = set(), set()
    for library in found:
        for member, kind, name, section in symbols(library):
            file = source_of(root, library, member)
            if kind == "U":
                want.add((library.name.removeprefix("lib").removesuffix(".a"), file, name))
            elif kind.isupper() or kind == "w":
                have.add(name)
            # A global that changes would be shared by all loops. (.data.rel.ro: constant pointers)
            if re.match(r"\.(t?bss|t?data(?!\.rel\.ro))|\*COM\*", section):
                yield Finding(file, 1, f"purity: {name} is a global that may change")
    for library, file, name in sorted(want):
        also = ALSO.get(library, CONFIG if library.startswith("path") else None)
        if name in have or name in ALLOWED or COMPILER.fullmatch(name) or (also and also.fullmatch(name)):
            continue
        yield Finding(file, 1, f"purity: calls {name}()")
