#!/usr/bin/env python3
"""Long runs of others' programs on libtenure-malloc.so: malloc_programs.py

Outputs are compared with those without us; python's own test modules, whose
output tells times, must succeed.
"""
import sys
import tempfile

from malloc_programs import compare, long_rows, redis, run


def main():
    wrong = compare(lambda folder: long_rows(folder)[0])
    with tempfile.TemporaryDirectory() as folder:
        done = run(long_rows(folder)[1], True, folder)
        if done[0] != 0:
            wrong.append("python's tests")
            print(done[1][-3000:].decode(), done[2][-1000:].decode())
        plain = redis(folder, False)
        ours = redis(folder, True)
        if plain != ours or plain[0] != 0:
            wrong.append("redis")
            print(f"redis: {plain} {ours}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
