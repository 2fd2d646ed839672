#!/usr/bin/env python3
"""TENURE_PROFILE: a heap profile that pprof reads, and that is right.

With a rate of 1 every block is a sample, so the numbers are exact; with others
they are within what chance allows.  profile.c makes known blocks.

Covers  [profile.site] storm, [profile.weight] exact, [profile.live] exact
"""
import gzip
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve()
KINDS = ("malloc", "malloc-checked", "malloc-hardened")
TYPES = ("alloc_objects", "alloc_space", "inuse_objects", "inuse_space")
# What profile.c's "known" leaves, of the bytes that a block takes.
KNOWN = {"small_left": (5000, 5000, 112), "small_freed": (5000, 0, 112),
         "large_left": (50, 50, 303104), "zeroed_left": (200, 200, 3072),
         "aligned_left": (100, 100, 8192), "churned": (20000, 0, 64)}
failures = []


def check(ok, what):
    if not ok:
        failures.append(what)
        print(f"failed: {what}", file=sys.stderr)


def run(folder, command, kind="malloc", start=subprocess.run, **options):
    env = {k: v for k, v in os.environ.items() if not k.startswith("TENURE_")}
    env.update(options)
    if kind:
        env["LD_PRELOAD"] = str(BUILD / f"libtenure-{kind}.so")
    more = dict(capture_output=True, timeout=100) if start is subprocess.run \
        else dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    return start(command, env=env, cwd=folder, text=True, **more)


def profiles(folder):
    """The profiles in a folder, in order; they are gone from there then."""
    found = sorted(pathlib.Path(folder).glob("*.pb.gz"),
                   key=lambda p: int(p.name.split(".")[-3]))
    moved = []
    for path in found:
        moved.append(path.rename(path.with_suffix(".seen")))
    return moved


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        value, at = varint(data, at)
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
        yield key >> 3, value


def numbers(data):
    at, out = 0, []
    while at < len(data):
        value, at = varint(data, at)
        out.append(value)
    return out


def is_sound(path):
    """Every number that is meant is there, and none twice."""
    data = list(fields(gzip.decompress(path.read_bytes())))
    strings = [v for k, v in data if k == 6]
    places = [dict(fields(v)) for k, v in data if k == 4]
    mappings = {dict(fields(v))[1] for k, v in data if k == 3}
    ids = {p[1] for p in places}
    used = {i for k, v in data if k == 2 for i in numbers(dict(fields(v))[1])}
    values = [numbers(dict(fields(v))[2]) for k, v in data if k == 2]
    return (used <= ids and len(ids) == len(places) and strings[0] == b"" and
            all(p.get(2, 1) in mappings for p in places) and
            all(len(v) == 4 and max(v) < 1 << 63 and v[2] <= v[0] and
                v[3] <= v[1] for v in values))


def top(path, kind, folder):
    """{function: flat value}, as go tool pprof says."""
    done = subprocess.run(
        ["go", "tool", "pprof", "-top", "-flat", "-nodefraction=0", "-unit=B",
         f"-sample_index={kind}", str(path)], capture_output=True, text=True,
        env=dict(os.environ, HOME=folder, PPROF_TMPDIR=folder))
    check(done.returncode == 0, f"pprof: {done.stderr[-500:]}")
    return {m[2]: int(m[1]) for m in re.finditer(
        r"^ *(\d+)B? +\S+ +\S+ +\S+ +\S+ +(\S+)", done.stdout, re.M)}


def check_known(path, folder, what, tolerance):
    check(is_sound(path), f"{what}: {path} is not sound")
    got = {kind: top(path, kind, folder) for kind in TYPES}
    for name, (all_, left, size) in KNOWN.items():
        wanted = dict(zip(TYPES, (all_, all_ * size, left, left * size)))
        for kind, n in wanted.items():
            have = got[kind].get(name, 0)
            check(abs(have - n) <= tolerance * n,
                  f"{what}: {kind} of {name}: {have}, not {n}")
    check(got["inuse_objects"].get("grown", 0) == 0 or tolerance,
          f"{what}: resized blocks are left")
    check(got["alloc_objects"].get("grown", 0) > 20, f"{what}: none resized")
    ours = [n for n, value in got[TYPES[0]].items() if value and n.startswith(
        ("tni_", "malloc", "profile", "[libtenure", "[static", "[profile"))]
    check(not ours, f"{what}: frames of ours: {ours}")


def exact(folder, program, static):
    for kind in KINDS:
        done = run(folder, [program, "known"], kind, TENURE_PROFILE="1")
        check(done.returncode == 0 and not done.stderr, f"{kind}: {done}")
        found = profiles(folder)
        check(len(found) == 1, f"{kind}: {found}")
        check_known(found[0], folder, kind, 0)
    done = run(folder, [static, "known"], None, TENURE_PROFILE="1")
    check(done.returncode == 0, f"static: {done}")
    check_known(profiles(folder)[0], folder, "static", 0)
    done = run(folder, [program, "fork"], TENURE_PROFILE="1")
    check(done.returncode == 0, f"fork: {done}")
    found = sorted((top(p, "inuse_objects", folder).get("small_left"), p)
                   for p in profiles(folder))
    check([n for n, _ in found] == [1, 5001], f"fork: {found}")


def by_chance(folder, program):
    """Blocks of 100 bytes, 1 in 83: a deviation of 12 % is 6 sigma for 5,000."""
    done = run(folder, [program, "known"], TENURE_PROFILE="1200",
               TENURE_PROFILE_PATH=f"{folder}/other")
    check(done.returncode == 0, f"{done}")
    found = profiles(folder)
    check(found[0].name.startswith("other."), f"{found}")
    check_known(found[0], folder, "rate 1200", 0.3)


def signals(folder, program):
    for name, number in (("USR1", signal.SIGUSR1), ("", signal.SIGUSR2)):
        options = {"TENURE_PROFILE_SIGNAL": name} if name else {}
        child = run(folder, [program, "wait"], start=subprocess.Popen,
                    TENURE_PROFILE="1", **options)
        check(child.stdout.readline() == "ready\n", "it does not wait")
        child.send_signal(number)
        while not list(pathlib.Path(folder).glob("*.0.pb.gz")):
            check(child.poll() is None, f"signal {number} ended it")
            if child.poll() is not None:
                return
        child.communicate("")
        found = profiles(folder)
        check(child.returncode == 0 and len(found) == 2, f"{found}")
        check_known(found[0], folder, f"signal {number}", 0)
    done = run(folder, [program, "storm"], TENURE_PROFILE="2K")
    found = profiles(folder)
    check(done.returncode == 0 and len(found) > 10 and
          all(map(is_sound, found)), f"storm: {done} {len(found)}")


def options(folder, program):
    done = run(folder, [program, "known"])
    check(done.returncode == 0 and not profiles(folder), "a profile unasked")
    done = run(folder, ["/bin/true"], TENURE_PROFILE="often",
               TENURE_PROFILE_SIGNAL="TERM")
    check(done.stderr == (
        "tenure: TENURE_PROFILE=often is ignored: it must be a number of "
        "bytes, as 65536, 512K or 1G\n"
        "tenure: TENURE_PROFILE_SIGNAL=TERM is ignored: it must be a signal's "
        "number, USR1, USR2, HUP or 0\n"), done.stderr)
    done = run(folder, [program, "known"], TENURE_PROFILE="1",
               TENURE_PROFILE_PATH="/nowhere/x")
    check(done.returncode == 0 and done.stderr ==
          "tenure: the heap profile cannot be written\n", f"{done}")
    for rate in ("1", "512K"):
        done = run(folder, [program, "limit"], TENURE_PROFILE=rate,
                   TENURE_LIMIT="64M")
        mib, *rest = map(int, done.stdout.split())
        check(50 <= mib <= 64 and rest == [1, 1],
              f"limit at rate {rate}: {done}")
        profiles(folder)


def main():
    with tempfile.TemporaryDirectory() as folder:
        program, static = f"{folder}/profile", f"{folder}/static"
        c = ["gcc", "-O1", "-g", "-fno-builtin", "-w", "-pthread",
             str(ROOT / "test/shim/profile.c")]
        subprocess.run(c + ["-o", program], check=True)
        subprocess.run(c + ["-o", static, str(BUILD / "libtenure-malloc.a")],
                       check=True)
        exact(folder, program, static)
        by_chance(folder, program)
        signals(folder, program)
        options(folder, program)
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
