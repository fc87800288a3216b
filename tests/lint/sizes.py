"""Sizes and words: files up to 600 lines, functions up to 60, nesting up to 4, parameters up to 5, and
what nobody calls."""
import re

from finding import Finding, files

FILE_MAX, FUNCTION_MAX, NESTING_MAX, PARAMETERS_MAX = 600, 60, 4, 5
FORBIDDEN = re.compile(r"(?<![\w.>])(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|gets|alloca)\s*\(")
DESCRIPTORS = re.compile(r"(?<![\w.>])(open|socket|accept4|dup|dup2|creat|openat)\s*\(")
# Who may hold a raw descriptor: the world, the reader of small files, and the verbs' blocking side.
HOLDERS = ("src/world/", "src/supervise/", "src/runner/", "src/postman/", "src/fence/", "src/keys/", "src/stores/", "src/config/file.c", "src/control/client.c", "src/cli/")
# Called by a library, which says what they are called with.
PRESCRIBED = re.compile(r"\bon_ticket\(SSL \*")
DEAD = re.compile(r"^\s*#\s*if\s+0\b")


def plain(lines):
    """The lines without comments, strings and characters, of the same number."""
    text = "\n".join(lines)
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, lambda m: "\n" * m.group().count("\n") + '""', text, flags=re.S).split("\n")


def functions(lines):
    """(line, signature, body length, deepest nesting) of every function definition."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{" and number > 1 and not lines[number - 2].endswith((";", "=", ",")):
            start = number
            depth = deepest = 0
        elif line.startswith("}") and start:
            first = start - 1
            while first > 1 and lines[first - 2].strip() and not lines[first - 2].endswith((";", "}", "{")):
                first -= 1
            signature = " ".join(lines[first - 1 : start - 1])
            if "(" in signature:
                yield first, signature, number - start - 1, deepest
            start = None
        elif start:
            depth += line.count("{") - line.count("}")
            deepest = max(deepest, depth)


def parameters(signature):
    inside = signature[signature.index("(") + 1 :]
    depth, count = 1, 1
    for c in inside:
        depth += (c == "(") - (c == ")")
        if depth == 0:
            break
        count += c == "," and depth == 1
    return count


def judge(path, lines):
    if len(lines) > FILE_MAX:
        yield Finding(path, FILE_MAX + 1, f"sizes: {len(lines)} lines, at most {FILE_MAX}")
    if path.endswith(".h") and "#pragma once" not in lines:
        yield Finding(path, 1, "sizes: a header begins with #pragma once")
    bare = plain(lines)
    for number, line in enumerate(bare, 1):
        if FORBIDDEN.search(line):
            yield Finding(path, number, f"words: {FORBIDDEN.search(line).group(1)}() is not called here")
        if DEAD.match(line):
            yield Finding(path, number, "words: #if 0 hides dead code")
        if path.startswith("src/") and not path.startswith(HOLDERS) and DESCRIPTORS.search(line):
            if not re.match(r"^(static |struct |int |void |bool )", line):
                yield Finding(path, number, "words: a raw descriptor outside src/world/")
    for number, signature, length, nesting in functions(bare):
        if length > FUNCTION_MAX:
            yield Finding(path, number, f"sizes: a function of {length} lines, at most {FUNCTION_MAX}")
        if nesting > NESTING_MAX:
            yield Finding(path, number, f"sizes: nested {nesting} deep, at most {NESTING_MAX}")
        if parameters(signature) > PARAMETERS_MAX and not PRESCRIBED.search(signature):
            yield Finding(path, number, f"sizes: more than {PARAMETERS_MAX} parameters")


def check(root):
    for path, lines in files(root, ("src", "tests")):
        yield from judge(path, lines)
