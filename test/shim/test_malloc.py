#!/usr/bin/env python3
"""malloc's entry points and C++'s operators, preloaded and linked statically.

entry.c and new.cc check the promises; here they run under each of the three
libraries, under limits on address space, with options right and wrong.
"""
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve()
KINDS = ("malloc", "malloc-checked", "malloc-hardened")
failures = []


def check(ok, what):
    if not ok:
        failures.append(what)
        print(f"failed: {what}", file=sys.stderr)


def library(kind):
    return str(BUILD / f"libtenure-{kind}.so")


def run(command, kind=None, address_space=None, **options):
    env = {k: v for k, v in os.environ.items() if not k.startswith("TENURE_")}
    env.update(options)
    if kind:
        env["LD_PRELOAD"] = library(kind)
    limit = None
    if address_space:
        def limit():
            resource.setrlimit(resource.RLIMIT_AS,
                               (address_space, address_space))
    return subprocess.run(command, env=env, capture_output=True, text=True,
                          timeout=100, preexec_fn=limit)


def build(folder):
    entry, new, static, static_new = (
        str(pathlib.Path(folder, name))
        for name in ("entry", "new", "static", "static_new"))
    here = ROOT / "test/shim"
    archive = str(BUILD / "libtenure-malloc.a")
    c = ["gcc", "-O1", "-g", "-fno-builtin", "-w", str(here / "entry.c")]
    cxx = ["g++", "-O1", "-g", "-std=c++17", str(here / "new.cc")]
    for command in (c + ["-o", entry, "-pthread"],
                    c + ["-o", static, archive, "-pthread"],
                    cxx + ["-o", new], cxx + ["-o", static_new, archive]):
        subprocess.run(command, check=True)
    return entry, new, static, static_new


def programs(entry, new, static, static_new):
    for kind in KINDS:
        for program in (entry, new):
            # Where sizes are checked a block has what was asked, no more.
            most = {"MOST_MOVES": "48"} if kind == "malloc" else {}
            done = run([program], kind, **most)
            check(done.returncode == 0 and done.stdout == "ok\n" and
                  not done.stderr,
                  f"{program} under {kind}: {done.returncode} "
                  f"{done.stdout}{done.stderr[:500]}")
    for program in (static, static_new):
        done = run([program])
        check(done.stdout == "ok\n", f"{program}: {done.stdout}{done.stderr}")
        names = subprocess.run(["nm", program], capture_output=True,
                               text=True).stdout
        check(" T malloc\n" in names, f"{program} has a malloc of its own")


def limits():
    for space in (50_000 << 10, 400_000 << 10):
        done = run(["/usr/bin/perl", "-e",
                    'my @a = map { "x" x $_ } 1..2000; print scalar(@a)'],
                   "malloc", space)
        check(done.stdout == "2000", f"perl in {space} bytes: {done.stderr}")


def all_of_it(folder):
    """97 % of a limit that was set before the start, or by the program; the
    checked libraries keep a bit for every eight bytes."""
    program = str(pathlib.Path(folder, "limit"))
    subprocess.run(["gcc", "-O1", "-g", "-fno-builtin", "-w", "-pthread",
                    str(ROOT / "test/shim/limit.c"), "-o", program], check=True)
    space = 1500 << 20
    for kind, least in zip(KINDS, (97, 95, 95)):
        for before, now in ((space, []), (None, [str(space)])):
            done = run([program] + now, kind, before)
            check(done.returncode == 0 and float(done.stdout) >= least,
                  f"{kind} in {space} bytes, set {'now' if now else 'before'}: "
                  f"{done.stdout}{done.stderr}")


def needs():
    """A C program gets operators that throw, and no libstdc++ with them."""
    for kind in KINDS:
        said = subprocess.run(["readelf", "-d", library(kind)], check=True,
                              capture_output=True, text=True).stdout
        found = re.findall(r"NEEDED.*\[(.*)\]", said)
        check(found == ["libc.so.6"], f"{library(kind)} needs {found}")


def options():
    done = run(["/bin/true"], "malloc", TENURE_VERBOSE="1")
    lines = done.stderr.splitlines()
    check(len(lines) == 2 and "TENURE_VERBOSE=1" in lines[0] and
          '"live"' in lines[1], f"verbose says {lines}")
    done = run(["/bin/true"], "malloc", TENURE_LIMIT="12X")
    check(done.stderr == "tenure: TENURE_LIMIT=12X is ignored: it must be a "
          "number of bytes, as 65536, 512K or 1G\n", done.stderr)
    for name, wrong, must in (
            ("VERBOSE", "yes", ""), ("PROFILE", "often", "a number of bytes"),
            ("PROFILE", "0", "a number of bytes"),
            ("PROFILE_SIGNAL", "USR3", "a signal's number")):
        done = run(["/bin/true"], "malloc", **{"TENURE_" + name: wrong})
        check(done.returncode == 0 and done.stderr.count("\n") == 1 and
              done.stderr.startswith(f"tenure: TENURE_{name}={wrong} is ignored:"
                                     f" it must be {must}"), done.stderr)
    done = run(["/bin/true"], "malloc", TENURE_VERBOS="1")
    check(done.stderr == "tenure: there is no option TENURE_VERBOS; it is "
          "ignored\n", done.stderr)
    done = run(["/bin/true"], "malloc")
    check(done.stderr == "", f"silent without options: {done.stderr}")
    code = ("try:\n  b = bytearray(64 << 20)\n  print('had it')\n"
            "except MemoryError:\n  print('refused')\n")
    for limit, answer in (("32M", "refused\n"), ("1G", "had it\n")):
        done = run(["/usr/bin/python3", "-c", code], "malloc",
                   TENURE_LIMIT=limit)
        check(done.stdout == answer, f"limit {limit}: {done.stdout}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        programs(*build(folder))
        all_of_it(folder)
    limits()
    needs()
    options()
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
