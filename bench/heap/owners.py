#!/usr/bin/env python3
"""One heap, one a thread, one a function: real programs, recorded and replayed.

    bench/heap/owners.py [--programs sqlite3,g++,python3]

The answer to "why not a heap per function or thread?" in doc/questions.md.
Each program is recorded (`tenure run`), and its operations are done again on our
heap, divided in three ways (`tenure replay --heaps`).  python3 has its own
allocator off, and four threads that hand their results to a fifth.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve()
sys.path.insert(0, str(ROOT / "test/foreign"))
from malloc_programs import CXX, SQL  # noqa: E402

THREADS = """
import json, queue, threading
q = queue.Queue()
def work(k):
    for i in range(60):
        q.put(json.loads(json.dumps({str(j): [j, k, 'x' * (j % 90)]
                                     for j in range(i, i + 40)})))
ts = [threading.Thread(target=work, args=(k,)) for k in range(4)]
[t.start() for t in ts]
total = sum(len(q.get()) for _ in range(240))
[t.join() for t in ts]
print(total)
"""
PROGRAMS = {
    "sqlite3": ["/usr/bin/sqlite3", ":memory:", SQL % 8000],
    "g++": ["/usr/bin/g++", "-std=c++17", "-O1", "-S", "a.cc", "-o", "a.s"],
    "python3": ["/usr/bin/python3", "-S", "-c", THREADS],
}


def measure(name, folder):
    env = dict(os.environ, PYTHONMALLOC="malloc", PYTHONHASHSEED="1")
    tenure = str(BUILD / "tenure")
    trace = f"{folder}/{name}.trace"
    pathlib.Path(folder, "a.cc").write_text(CXX)
    subprocess.run([tenure, "run", "-q", "--no-page", "--no-marks", "-o",
                    f"{folder}/{name}"] + PROGRAMS[name], env=env, cwd=folder,
                   check=True, stdout=subprocess.DEVNULL)
    print(f"{name}:", flush=True)
    subprocess.run([tenure, "replay", "--heaps", trace], check=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--programs", default=",".join(PROGRAMS),
                        help="separated by commas (%(default)s)")
    names = parser.parse_args().programs.split(",")
    for name in names:
        if name not in PROGRAMS:
            parser.error(f"no program is called {name}")
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            measure(name, folder)


if __name__ == "__main__":
    main()
