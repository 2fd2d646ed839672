#!/usr/bin/env python3
"""The core needs no libc: an allocator for systems that have none.

1. base, event, vm and bump, compiled freestanding, ask for nothing but the
   four functions that compilers call by themselves, and what os.h declares.
2. Linked with -nostdlib and tiny_os.c, which is all of that, they run.
"""
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

FLAGS = ["-std=c11", "-O2", "-ffreestanding", "-fno-stack-protector", "-Iinclude",
         "-Isrc", "-Wall", "-Wextra", "-Werror", "-fno-pic"]
LAYERS = ("base", "event", "vm", "bump")
COMPILER = {"memcpy", "memmove", "memset", "strlen"}


def wanted_symbols():
    """What the core may ask for."""
    os_h = pathlib.Path("src/os/os.h").read_text()
    return COMPILER | {"tni_fatal"} | set(re.findall(r"\b(tni_os_\w+)\(", os_h))


def undefined(obj):
    lines = subprocess.run(["nm", "-u", obj], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    return {line.split()[-1] for line in lines} - {"_GLOBAL_OFFSET_TABLE_"}


def check(compiler, folder):
    """What is wrong with this compiler's build; None when it is right."""
    objects = []
    for layer in LAYERS:
        for source in sorted(pathlib.Path("src", layer).glob("*.c")):
            obj = folder / f"{layer}_{source.stem}.o"
            subprocess.run([compiler, *FLAGS, "-c", source, "-o", obj], check=True)
            objects.append(obj)
    core = folder / "core.o"
    subprocess.run(["ld", "-r", "-o", core, *objects], check=True)
    extra = undefined(core) - wanted_symbols()
    if extra:
        return f"the core asks for {', '.join(sorted(extra))}"
    if platform.machine() != "x86_64":
        return None
    program = folder / "program"
    subprocess.run([compiler, *FLAGS, "-nostdlib", "-static", "-o",
                    program, "test/vm/tiny_os.c", core], check=True)
    status = subprocess.run([program], timeout=20).returncode
    return f"step {status} fails" if status else None


def main():
    wrong = 0
    for compiler in filter(shutil.which, ("gcc", "clang")):
        with tempfile.TemporaryDirectory() as folder:
            complaint = check(compiler, pathlib.Path(folder))
        if complaint:
            wrong += 1
            print(f"{compiler}: {complaint}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
