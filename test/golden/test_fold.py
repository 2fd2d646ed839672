#!/usr/bin/env python3
"""The golden table of what compilers make of allocation: test_fold.py [--update]

Compiles test/golden/fold.c and the two vector programs with each compiler,
counts in the machine code of each function instructions, calls, loads and
jumps, and whether the result is a constant, and compares with fold.txt; with
--update it writes that file.  Whatever fold.txt says, the project's promises
are checked: see promises().
"""
import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
TABLE = HERE / "fold.txt"
COMPILERS = ("gcc -O2", "gcc -O3", "clang -O2")
# Gcc makes functions of the same code call each other, which hides the code.
SEPARATE = {"gcc": ["-fno-ipa-icf"], "clang": []}
FUNCTION = re.compile(r"^[0-9a-f]+ <([\w.]+)>:$")
INSTRUCTION = re.compile(r"^ +[0-9a-f]+:\t(?:(?:rep|data16|cs|notrack|bnd) )*(\w+)\s*([^#<]*)")
Counts = collections.namedtuple("Counts", "insns calls loads jumps constant")

HEAD = """\
What becomes of the vector program (add two vectors, return the first element).
Written by test_fold.py --update; test/golden/fold.c has the variants.  A cell is
instructions/calls/loads/conditional jumps, with =4 where the result is a
constant.  x86-64, {versions}.
"""


def is_load(name, operands):
    """Whether an instruction (AT&T) reads memory."""
    if "(" not in operands or name.startswith(("lea", "nop", "call", "jmp")):
        return False
    last = re.split(r",(?![^(]*\))", operands.strip())[-1]
    return not (name.startswith(("mov", "vmov", "set")) and "(" in last)


def count(body):
    real = [i for i in body if not i[0].startswith("nop") and i[0] not in ("xchg", "endbr64")]
    names = [name for name, _ in real]
    return Counts(
        len(real),
        sum(name.startswith("call") for name in names),
        sum(is_load(*i) for i in real),
        sum(name.startswith("j") and name != "jmp" for name in names),
        any(name == "mov" and re.match(r"\$0x4,%eax", operands) for name, operands in real))


def disassemble(compiler, source, folder):
    """{function: Counts} of a source; cold parts count with their function."""
    target = pathlib.Path(folder) / "x.o"
    words = compiler.split()
    subprocess.run([*words, *SEPARATE[words[0]], "-std=c11", "-Iinclude", "-c", source, "-o", target],
                   check=True)
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", target], check=True,
                          capture_output=True, text=True).stdout
    bodies, name = collections.defaultdict(list), None
    for line in text.splitlines():
        if head := FUNCTION.match(line):
            name = head[1].split(".")[0]
        elif found := INSTRUCTION.match(line):
            bodies[name].append((found[1], found[2]))
    return {name: count(body) for name, body in bodies.items()}


def measure():
    """{row: {compiler: Counts}} in the order of the sources."""
    names = re.findall(r"^(?:VARIANT\((\w+)|(?:int|void|float|double)[ *]+(\w+)\([^;]*\);)",
                       (HERE / "fold.c").read_text(), re.MULTILINE)
    names = [a or b for a, b in names]
    rows = {name: {} for name in ("vectors.c", "vectors_malloc.c", *names)}
    with tempfile.TemporaryDirectory() as folder:
        for compiler in COMPILERS:
            for example in ("vectors.c", "vectors_malloc.c"):
                found = disassemble(compiler, "example/" + example, folder)
                rows[example][compiler] = found["main"]
            found = disassemble(compiler, HERE / "fold.c", folder)
            for name in names:
                rows[name][compiler] = found[name]
    return rows


def cell(c):
    return f"{c.insns}/{c.calls}/{c.loads}/{c.jumps}" + (" =4" if c.constant else "")


def render(rows, versions):
    lines = [HEAD.format(versions=versions),
             f"{'variant':28} " + " ".join(f"{c:>16}" for c in COMPILERS)]
    lines += [f"{name:28} " + " ".join(f"{cell(by[c]):>16}" for c in COMPILERS)
              for name, by in rows.items()]
    return "\n".join(lines) + "\n"


def promises(rows):
    """What must hold whatever compiler there is: the sentences that fail."""
    for compiler in COMPILERS:
        row = {name: by[compiler] for name, by in rows.items()}
        if row["vectors.c"] != Counts(2, 0, 0, 0, True):
            yield f"{compiler}: vectors.c is {cell(row['vectors.c'])}, not mov $4; ret"
        for name in ("push", "push_f32", "push_f64"):
            if row[name].insns > 7 or row[name].jumps or row[name].calls:
                yield f"{compiler}: {name} is {cell(row[name])}: more than 6 and ret"
        if row["push_aligned"].jumps or row["push_aligned"].calls:
            yield f"{compiler}: push_aligned branches"
        for name in ("two_blocks_f32", "two_blocks_bytes"):
            if row[name].loads != 1:
                yield f"{compiler}: {name} loads the cursor {row[name].loads} times"


def runs_to_4(source, folder):
    program = pathlib.Path(folder) / "x"
    subprocess.run([os.environ.get("CC", "gcc"), "-std=c11", "-Iinclude", source, "-o", program,
                    f"{os.environ.get('BUILD', 'build')}/libtenure.a", "-pthread", "-lm"],
                   check=True)
    return subprocess.run([program]).returncode == 4


def version(compiler):
    text = subprocess.run([compiler, "--version"], check=True, capture_output=True,
                          text=True).stdout
    return f"{compiler} " + re.search(r"(\d+)\.\d+\.\d+", text)[1]


def main():
    versions = f"{version('gcc')}, {version('clang')}"
    rows = measure()
    text = render(rows, versions)
    if "--update" in sys.argv[1:]:
        TABLE.write_text(text)
    failed = list(promises(rows))
    wanted = TABLE.read_text()
    if versions not in wanted:
        print(f"the table is of other compilers than {versions}: only the promises are checked")
    elif text != wanted:
        new, old = text.splitlines(), wanted.splitlines()
        failed += [f"now    {line}" for line in new if line not in old]
        failed += [f"golden {line}" for line in old if line not in new]
    with tempfile.TemporaryDirectory() as folder:
        failed += [f"{name} does not exit with 4" for name in ("vectors.c", "vectors_malloc.c")
                   if not runs_to_4("example/" + name, folder)]
    print("\n".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
