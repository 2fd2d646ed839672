"""Reading C well enough for the checkers: comments, functions, parameters.

Not a parser.  It relies on our own format (clang-format, return type on a line
of its own) and on braces that balance outside of preprocessor lines.
"""
import pathlib
import re
import subprocess
import sys
from typing import NamedTuple

TOKEN = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""",
                   re.DOTALL)
# A macro that stands alone on its line (TN_BEGIN_DECLS) is no part of a head.
ALONE = re.compile(r"\s*[A-Z][A-Z0-9_]*(?:\([^\n]*\))?[ \t]*\n")
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.MULTILINE)


class Function(NamedTuple):
    name: str
    head: str        # everything from the storage class to the ")"
    params: str      # between the outer parentheses
    line: int        # of the head
    last_line: int   # of the closing brace, or of the semicolon
    nesting: int     # blocks inside blocks of the body
    body: str        # "" for a declaration


def spaces(match):
    return re.sub(r"[^\n]", " ", match[0])


def without_comments(text):
    """The same text, same length, with comments and literals blank."""
    return TOKEN.sub(spaces, text)


def comments(text):
    """(line, text) of each comment."""
    for match in TOKEN.finditer(text):
        if match[0][0] == "/":
            yield text.count("\n", 0, match.start()) + 1, match[0]


def function_name(head):
    """The declared name in a head without attributes, and its parameters."""
    for match in re.finditer(r"\b([A-Za-z_]\w*)\s*\(", head):
        if match[1].isupper() or match[1] == "__attribute__":
            continue
        depth = 0
        for at in range(match.end() - 1, len(head)):
            depth += {"(": 1, ")": -1}.get(head[at], 0)
            if depth == 0:
                return match[1], head[match.end():at].strip()
    return None


def functions(text):
    """Every function defined or declared at file level."""
    code = DIRECTIVE.sub(spaces, without_comments(text))
    depth = start = 0
    opened = deepest = 0
    for at, c in enumerate(code):
        if c == "{":
            depth += 1
            deepest = depth if depth == 1 else max(deepest, depth)
            opened = at if depth == 1 else opened
        elif c == "}":
            depth -= 1
        if c not in ";}" or depth != 0:
            continue
        while ALONE.match(code, start, at):
            start = ALONE.match(code, start, at).end()
        head = code[start:opened if c == "}" else at]
        begin = start + len(head) - len(head.lstrip())
        start = at + 1
        found = None
        if "=" not in head and not re.match(r"\s*(typedef|_Static_assert)\b", head):
            found = function_name(head)
        if found:
            yield Function(found[0], head.strip(), found[1],
                           code.count("\n", 0, begin) + 1,
                           code.count("\n", 0, at) + 1, max(deepest - 1, 0),
                           text[opened:at] if c == "}" else "")
        deepest = 0


def parameters(params):
    """Split a parameter list at its top-level commas: (type and name, name)."""
    parts, depth, part = [], 0, ""
    for c in params + ",":
        depth += {"(": 1, ")": -1}.get(c, 0)
        if c == "," and depth == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += c
    for whole in parts:
        pointer = re.search(r"\(\s*\*\s*(\w+)\s*\)", whole)
        name = pointer or re.search(r"(\w+)\s*(?:\[[^]]*\]\s*)*$", whole)
        if whole not in ("", "void", "..."):
            yield whole, name[1] if name else ""


def tracked(root, *folders):
    """Files of these folders that are, or are about to be, in the project."""
    root = pathlib.Path(root)
    listed = subprocess.run(
        ["git", "-C", root, "ls-files", "-co", "--exclude-standard", "--", *folders],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if listed.returncode == 0:
        names = listed.stdout.split("\n")[:-1]
    else:
        names = [str(p.relative_to(root)) for f in folders or ["."]
                 for p in root.glob(f + "/**/*") if p.is_file()]
    ours = (n for n in set(names) if not re.match(r"build|\.git/|.*__pycache__", n))
    return sorted(n for n in ours if (root / n).is_file())


def root_argument():
    """The tree to check: the first argument, or the current folder."""
    return pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")


def verdict(name, problems, looked_at):
    """Print the problems and a closing line; the exit status."""
    for problem in problems:
        print(problem)
    print(f"{name}: {looked_at} looked at, {len(problems)} wrong")
    return 1 if problems or not looked_at else 0
