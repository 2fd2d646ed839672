#!/usr/bin/env python3
"""What the examples of the disciplines say, and that they stay short.

Each has 20 to 60 lines of code and does something real: known input gives
known output, on the way that errors take as well.
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

SHORT = ("budget coroutines derive device graph include logring longest median "
         "messages particles plugin server swap tokens").split()
LEAST, MOST = 20, 60
EXAMPLES = pathlib.Path(os.environ.get("BUILD", "build")).resolve() / "example"

# name, arguments, input, output or how it begins, status
CASES = [
    ("derive", ["x*(x+3)*2"], "", "2*((x+3)+x)\n", 0),
    ("derive", ["12+x*x*x"], "", "(x*(x+x)+x*x)\n", 0),
    ("derive", ["7+0*x"], "", "0\n", 0),
    ("derive", ["x*y"], "", "0\n", 1),
    ("coroutines", [], "", "10000 tasks took 3 turns each: 150045000\n", 0),
    ("include", ["all", "self", "gone", "all"], "",
     "first\ninner\nlast\n" + "again\n" * 32 + "first\ninner\nlast\n", 2),
    ("budget", [], "one two one three", "3 words; needs ", 0),
    ("budget", ["1000000"], "one two one three", "3 words; needs ", 0),
    ("budget", ["100000"], " ".join(f"{i:060}" for i in range(2000)),
     "", "and no room for more"),
    ("longest", [], "a\nbbb\ncc\n", "bbb\ncc\na\n", 0),
    ("plugin", ["3a2b", "64z", "junk"], "", "aaabb\n" + "z" * 63 + "\n\n", 0),
    ("plugin", ["3a", "9999z", "2b"], "", "", -signal.SIGABRT),
    ("graph", [], "a b b c c a c d d e e d f a g g", "e d\nc b a\nf\ng\n", 0),
    ("tokens", [], "int a = a1 + b_2; int b_2 = 0; " + "x" * 9000,
     "2 int\n1 a\n1 a1\n2 b_2\n1 0\n1 " + "x" * 9000 + "\n", 0),
    ("messages", [], "one two\n three\n" * 3000 + "w" * 500 + "\nlast",
     "6001 lines, 9002 words; 0 messages left\n", 0),
    ("median", [], "3 1 2 10", "2.5\n", 0),
    ("device", [], "", "", "all is dropped      0 textures, 256 MiB free, largest 256 MiB\n"),
    ("particles", [], "", "4 sparks alive in 5 slots; the follower lost 15\n", 0),
]


def count_code(path):
    """Lines that are neither empty nor comment."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    return sum(1 for line in text.splitlines()
               if line.strip() and not line.strip().startswith("//"))


def is_as_told(case, folder):
    """Run one case; False and a line when it answers differently."""
    name, arguments, given, expected, status = case
    made = subprocess.run([EXAMPLES / name] + arguments, input=given, text=True,
                          capture_output=True, cwd=folder, timeout=60)
    if isinstance(status, str):
        good = made.returncode == 0 and status in made.stdout
    else:
        good = made.returncode == status and made.stdout.startswith(expected)
    if not good:
        print(f"{name} {arguments}: status {made.returncode}, {made.stdout[:200]!r}")
    return good


def is_short(name):
    """Whether an example has a length that one reads to the end."""
    lines = count_code(pathlib.Path(f"example/{name}.c"))
    if not LEAST <= lines <= MOST:
        print(f"example/{name}.c: {lines} lines of code, {LEAST} to {MOST} wanted")
    return LEAST <= lines <= MOST


def is_server_right(folder):
    """The server answers a hundred requests for a file of many lines."""
    path = pathlib.Path(folder, "text")
    path.write_text("".join(f"line {i}\n" for i in range(2000)))
    made = subprocess.run([EXAMPLES / "server", path], capture_output=True, text=True,
                          timeout=60)
    good = made.returncode == 0 and made.stdout.startswith("100 requests; ")
    return good or print(f"server: {made.stdout!r}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("all", "first\ninclude inner\nlast\n"), ("inner", "inner\n"),
                           ("self", "again\ninclude self\n")):
            pathlib.Path(folder, name).write_text(text)
        good = [is_as_told(case, folder) for case in CASES] + [is_server_right(folder)]
    good += [is_short(name) for name in SHORT]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
