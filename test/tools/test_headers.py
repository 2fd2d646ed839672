#!/usr/bin/env python3
"""Each public header compiles alone, in C11 and C++17, release and debug."""
import concurrent.futures
import itertools
import os
import pathlib
import subprocess
import sys

LANGUAGES = (["gcc", "-std=c11", "-xc"], ["clang", "-std=c11", "-xc"],
             ["g++", "-std=c++17", "-xc++"], ["clang++", "-std=c++17", "-xc++"])
WARN = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Wundef",
        "-Werror", "-Iinclude", "-fsyntax-only", "-"]


def compiles(case):
    header, language, level = case
    done = subprocess.run([*language, f"-DTN_DEBUG={level}", *WARN], text=True,
                          input=f"#include <tenure/{header}>\n",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode == 0, f"{header}, {language[0]}, TN_DEBUG={level}", done.stdout


def main():
    headers = [path.name for path in pathlib.Path("include/tenure").glob("*.h")]
    cases = list(itertools.product(sorted(headers), LANGUAGES, (0, 1)))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(compiles, cases))
    for good, case, said in results:
        if not good:
            print(f"{case}:\n{said}")
    return 0 if results and all(good for good, _, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main())
