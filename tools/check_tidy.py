#!/usr/bin/env python3
"""clang-tidy is silent: check_tidy.py [ROOT [FILE ...]]

Every C file, or those named, in parallel.  A file that was clean is not looked at again until
it, a header of ours that it includes, or .clang-tidy changes: the hashes of
clean states are in BUILD/tidy/.
"""
import concurrent.futures
import hashlib
import os
import pathlib
import re
import subprocess
import sys

import csource

FLAGS = ["-std=c11", "-D_DEFAULT_SOURCE", "-Iinclude", "-Isrc", "-Itest", "-DTN_DEBUG=0", "-DTN_HARDEN=0"]
WASM = ["--target=wasm32-wasi", "-isystem", "/usr/include/wasm32-wasi",
        "-Ibench/threeway"]
FOLDERS = ("src", "cmd", "test", "example", "bench", "web")


def flags_of(path):
    return FLAGS + (WASM if "wasm" in path or "web/" in path else [])


def state_of(root, path):
    """A hash of all that the verdict on a file depends on; None without it."""
    deps = subprocess.run(["clang", "-MM", *flags_of(path), path], cwd=root, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if deps.returncode:
        return None
    names = deps.stdout.replace("\\\n", " ").split(":", 1)[1].split()
    seen = hashlib.sha256()
    config = [c for c in (".clang-tidy", f"{path.split('/')[0]}/.clang-tidy")
              if (root / c).exists()]
    for name in config + sorted(names):
        seen.update((root / name).read_bytes())
    return seen.hexdigest()


def tidy(root, cache, path):
    """The complaints about one file; None when it cannot be compiled alone."""
    state = state_of(root, path)
    if state and (cache / state).exists():
        return []
    done = subprocess.run(["clang-tidy", "--quiet", path, "--", *flags_of(path)], cwd=root,
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    lines = [line.replace(f"{root.resolve()}/", "") for line in done.stdout.split("\n")
             if re.search(r": (warning|error): ", line)]
    if done.returncode and not lines:
        lines = [f"{path}: {done.stderr.strip()[-300:]}"]
    if state and not lines:
        (cache / state).touch()
    return lines


def main():
    root = csource.root_argument()
    cache = pathlib.Path(os.environ.get("BUILD", root / "build")).resolve() / "tidy"
    cache.mkdir(parents=True, exist_ok=True)
    paths = sys.argv[2:] or [p for p in csource.tracked(root, *FOLDERS)
                             if p.endswith(".c") and p != "src/tenure.c"]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda path: tidy(root, cache, path), paths)
        problems = sorted({line for lines in results for line in lines})
    return csource.verdict("tidy", problems, len(paths))


if __name__ == "__main__":
    sys.exit(main())
