#!/usr/bin/env python3
"""The same bytes from every compiler and processor: x86-64 (gcc, clang),
AArch64 (under qemu) and WebAssembly (in node).  [plan.same]"""
import glob
import os
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
SOURCES = ["test/plan/same.c", "src/base/check.c", "src/base/format.c",
           *sorted(glob.glob("src/plan/*.c", root_dir=ROOT))]
FLAGS = ["-std=c11", "-Iinclude", "-Isrc"]
IN_NODE = """const fs = require("fs");
const module_ = new WebAssembly.Module(fs.readFileSync(process.argv[1]));
const value = new WebAssembly.Instance(module_).exports.same();
console.log(BigInt.asUintN(64, value).toString(16).padStart(16, "0"));"""
# Name, compiler with what it needs, how to run what it makes.
WAYS = [
    ("gcc -O2", ["gcc", "-O2"], []),
    ("clang -O1", ["clang", "-O1"], []),
    ("AArch64", ["aarch64-linux-gnu-gcc", "-O2", "-static"], ["qemu-aarch64"]),
    ("WebAssembly", ["clang", "--target=wasm32-wasi", "-O2", "-mbulk-memory",
                     "-isystem", "/usr/include/wasm32-wasi", "-nostdlib",
                     "-Wl,--no-entry,--export=same", "-L/usr/lib/wasm32-wasi"],
     ["node", "-e", IN_NODE]),
]


def main():
    os.chdir(ROOT)
    answers = {}
    with tempfile.TemporaryDirectory() as folder:
        building = []
        for name, compiler, _ in WAYS:
            program = f"{folder}/{len(building)}"
            last = ["-lc"] if "-nostdlib" in compiler else []
            building.append(subprocess.Popen(
                compiler + FLAGS + ["-o", program] + SOURCES + last))
        for at, (name, _, runner) in enumerate(WAYS):
            if building[at].wait():
                sys.exit(f"{name} does not compile")
            done = subprocess.run(runner + [f"{folder}/{at}"], check=True,
                                  capture_output=True, text=True)
            answers[name] = done.stdout.strip()
            print(f"{name}: {answers[name]}")
    return len(set(answers.values())) != 1 or len(answers) != 4


if __name__ == "__main__":
    sys.exit(main())
