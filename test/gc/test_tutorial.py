#!/usr/bin/env python3
"""The program of doc/tutorial-gc.md: taken from the page, under 300 lines,
compiled without a warning, and right on every collector, also under stress.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

BUILD = pathlib.Path(os.environ.get("BUILD", "build"))
PROGRAM = """
(define fib (lambda (n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2))))))
(fib 15)
(define range (lambda (a b) (if (< a b) (cons a (range (+ a 1) b)) (quote ()))))
(define map (lambda (f l) (if l (cons (f (car l)) (map f (cdr l))) (quote ()))))
(define adder (lambda (k) (lambda (n) (+ n k))))
(map (adder 100) (range 0 10))
(define fib (quote (a b (c))))
fib
(= (quote a) (car fib))
"""
WANTED = """fib
610
range
map
adder
(100 101 102 103 104 105 106 107 108 109)
fib
(a b (c))
1
"""
STRESSES = [("", PROGRAM, WANTED),
            ("slow,gc,move", PROGRAM.replace("15", "5"), WANTED.replace("610", "5"))]


def main():
    blocks = re.findall(r"^```c\n(.*?)^```", pathlib.Path("doc/tutorial-gc.md").read_text(),
                        re.MULTILINE | re.DOTALL)
    code = "\n".join(blocks)
    failed = 0
    lines = sum(bool(line.strip()) for line in code.split("\n"))
    if lines >= 300:
        print(f"{lines} lines of code")
        failed = 1
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "lisp.c")
        source.write_text(code)
        subprocess.run(["gcc", "-std=c11", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow",
                        "-Werror", "-Iinclude", str(source), f"{BUILD}/libtenure.a", "-o",
                        f"{folder}/lisp", "-pthread", "-lm"], check=True)
        for collector in "none", "semi", "marksweep", "immix", "gen":
            for stress, text, wanted in STRESSES:
                if collector == "none" and stress:
                    continue  # what never collects has no use for it
                environment = dict(os.environ, TENURE_GC=collector, TENURE_GC_STRESS=stress)
                if collector == "none":
                    text, wanted = text.replace("15", "5"), wanted.replace("610", "5")
                done = subprocess.run([f"{folder}/lisp"], input=text, text=True,
                                      capture_output=True, env=environment, timeout=60)
                if done.returncode != 0 or done.stdout != wanted:
                    print(f"{collector} {stress}: status {done.returncode}\n{done.stdout}{done.stderr}")
                    failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
