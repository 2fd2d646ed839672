#!/usr/bin/env python3
"""Every public function has its docstring directly above it: check_docs.py [ROOT]

In include/tenure/*.h, for each TN_API declaration, TN_INLINE tn_ function and
function-like TN_ macro: a comment that ends on the line before, with a
sentence.  A function with parameters says who may call it (`threads`), or the
head of its file does (`Threads`).  Every field line names a parameter or one
of the fields of style.md, so that a docstring cannot drift.
"""
import re
import sys

import csource

FIELDS = set("returns errors threads cost since source example".split())
MACRO = re.compile(r"^#define (TN_[A-Z0-9_]+)(\([^)]*\))", re.MULTILINE)


def comment_above(found, line):
    """The comment that ends on the line before line; "" if there is none."""
    for start, text in found:
        if start + text.count("\n") + 1 == line and text.startswith("/*"):
            return text
    return ""


def macros(text):
    """(line, name, form) of each public macro with parameters.  The line is that
    of the group of lines it stands in: one-line macros and the #if round them."""
    lines = text.split("\n")
    for match in MACRO.finditer(text):
        first = text.count("\n", 0, match.start())
        while re.match(r"#(if|else|define TN_.*[^\\]$)", lines[first - 1]):
            first -= 1
        yield first + 1, match[1], match[1] + match[2]


def has_sentence(comment):
    prose = re.sub(r"^\s*/?\*+/?", " ", comment, flags=re.MULTILINE)
    return re.search(r"[A-Za-z]\w+ .*?[.:;]", prose, re.DOTALL) is not None


def fields(comment):
    """The first words of the field lines: `   name   text`, three spaces in."""
    for line in comment.splitlines():
        match = re.match(r"^ \*   ([a-z_]\w*(?:, [a-z_]\w*)*)( +)\S", line)
        if match and (len(match[2]) > 1 or match[1] in FIELDS):
            yield from match[1].split(", ")


def function_problems(function, found, head):
    doc = comment_above(found, function.line)
    if not doc:
        return ["has no docstring directly above it"]
    problems = [] if has_sentence(doc) else ["its docstring has no sentence"]
    names = {name for _, name in csource.parameters(function.params)}
    said = set(fields(doc))
    if names and "threads" not in said and not re.search(r"^ \* Threads ", head,
                                                         re.MULTILINE):
        problems.append("says nowhere which threads may call it")
    problems += [f"its docstring has a field `{word}`, which it has no parameter for"
                 for word in sorted(said - names - FIELDS)]
    return problems


def check(path, text):
    found = list(csource.comments(text))
    head = found[0][1] if found else ""
    for function in csource.functions(text):
        public = function.name.startswith("tn_")
        if public and ("TN_API" in function.head or "TN_INLINE" in function.head):
            for problem in function_problems(function, found, head):
                yield f"{path}:{function.line}: {function.name} {problem}"
    documented, first = set(), {}
    for line, name, _ in macros(text):
        first.setdefault(name, line)
        if comment_above(found, line):
            documented.add(name)
    if not path.endswith("/base.h"):
        for name in sorted(set(first) - documented):
            yield f"{path}:{first[name]}: {name} has no comment directly above it"


def main():
    root = csource.root_argument()
    paths = [p for p in csource.tracked(root, "include") if p.endswith(".h")]
    problems = [problem for path in paths
                for problem in check(path, (root / path).read_text())]
    return csource.verdict("docs", problems, len(paths))


if __name__ == "__main__":
    sys.exit(main())
