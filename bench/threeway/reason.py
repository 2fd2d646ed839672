"""The primary metric: what the compiler could reason about.

From the machine code: calls left, and how many of them are about memory.  From
the compiler's own records: loops vectorised, and loops of which it needed a
second version because pointers might alias.  Only functions that are left in
the linked program count; what a function inlined counts for it.
"""
import gzip
import json
import os
import re
import subprocess

from variants import compile_flags, compiler, run

MEMORY = re.compile(r"malloc|calloc|realloc|free|_Zn|_Zd|tni?_(bump|checked)")


def functions(variant, folder):
    """The arm's own functions in the linked program: {name: [callee]}.

    Callees are also jumps to another function's beginning (tail calls).
    """
    stem = os.path.join(folder, variant.name)
    names = subprocess.run(["nm", "--defined-only", stem + ".o"], text=True,
                           capture_output=True, check=True).stdout
    own = {line.split()[-1] for line in names.splitlines()
           if line.split()[-2] in "tTwW"} - {"workload_open"}
    code = run(["objdump", "-d", "--no-show-raw-insn", stem])
    found, calls = {}, None
    for line in code.splitlines():
        head = re.match(r"[0-9a-f]+ <(.+)>:$", line)
        if head:
            calls = [] if head.group(1) in own else None
            if calls is not None:
                found[head.group(1)] = calls
        elif calls is not None:
            call = re.search(r"\t(call|jmp)\s+\S*\s*(?:<([^+>]+)>|)", line)
            if call and call.group(1) == "call":
                calls.append((call.group(2) or "?").split("@")[0])
            elif call and call.group(2) and call.group(2) != \
                    list(found)[-1]:
                calls.append(call.group(2).split("@")[0])
    return found


def gcc_loops(path, own):
    """(vectorised, versioned for aliasing) from gcc's optimisation record."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        records = json.load(file)[2]
    vectorised = versioned = 0
    for record in records:
        if record.get("function") not in own:
            continue
        text = "".join(part if isinstance(part, str) else
                       str(part.get("expr", part.get("stmt", "")))
                       for part in record["message"])
        vectorised += text.startswith("loop vectorized")
        versioned += text.startswith("loop versioned for vectorization because "
                                     "of possible aliasing")
    return vectorised, versioned


def clang_loops(path, own, variant):
    """The same from clang's record, and the alias checks in its code."""
    vectorised = 0
    with open(path, encoding="utf-8") as file:
        for record in file.read().split("--- "):
            if record.startswith("!Passed") and \
                    "Name:            Vectorized\n" in record:
                name = re.search(r"Function:\s+'?([^'\n]+)", record).group(1)
                vectorised += name in own
    code = run(compiler(variant) + compile_flags(variant) +
               ["-S", "-emit-llvm", variant.source, "-o", "-"])
    versioned, name = 0, ""
    for line in code.splitlines():
        head = re.match(r'define .*@"?([\w.$]+)"?\(', line)
        name = head.group(1) if head else name
        versioned += name in own and line.startswith("vector.memcheck")
    return vectorised, versioned


def reason(variant, folder):
    """The metrics of one variant, without the dead stores (measure.py)."""
    code = functions(variant, folder)
    stem = os.path.join(folder, variant.name)
    if variant.setting.compiler == "gcc":
        record = stem + os.path.splitext(variant.source)[1] + \
            ".opt-record.json.gz"
        loops = gcc_loops(record, code)
    else:
        loops = clang_loops(stem + ".yaml", code, variant)
    calls = [callee for callees in code.values() for callee in callees]
    return {"calls": len(calls),
            "memory_calls": sum(bool(MEMORY.search(c)) for c in calls),
            "loops_vectorised": loops[0], "loops_versioned": loops[1]}
