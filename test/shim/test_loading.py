#!/usr/bin/env python3
"""libtenure-malloc.so in setuid programs, loaded late, and without static TLS.

A setuid program takes no option: it is run as one by AT_SECURE (secure.c), and
really, as another user, where we are root.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve()
HERE = ROOT / "test/shim"
NOBODY = 65534
OPTIONS = {"TENURE_VERBOSE": "1", "TENURE_LIMIT": "1M", "TENURE_PROFILE": "1",
           "TENURE_PROFILE_PATH": "taken", "TENURE_MISSPELT": "1"}
failures = []


def check(ok, what):
    if not ok:
        failures.append(what)
        print(f"failed: {what}", file=sys.stderr)


def build(folder, source, *more):
    out = f"{folder}/{pathlib.Path(source).stem}"
    subprocess.run(["gcc", "-O1", "-g", "-fno-builtin", "-w",
                    str(HERE / source), "-o", out, "-pthread", *more],
                   check=True)
    return out


def run(command, folder, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("TENURE_")}
    env.update(more.pop("env", {}))
    return subprocess.run(command, cwd=folder, env=env, capture_output=True,
                          text=True, timeout=100, **more)


def has_profile(folder):
    return bool(list(pathlib.Path(folder).glob("taken*")))


def setuid(folder):
    """The library lies where the program's run path says, and is not writable
    for who runs it."""
    kind = shutil.copy(BUILD / "libtenure-malloc.so", folder)
    victim = build(folder, "victim.c", kind, f"-Wl,-rpath,{folder}")
    secure = build(folder, "secure.c")
    work = f"{folder}/work"
    os.mkdir(work)
    os.chmod(work, 0o777)
    os.chmod(folder, 0o755)
    # Without privileges all options are taken: the test can fail.
    done = run([victim], work, env=OPTIONS)
    check(done.stdout == "0 refused ours\n" and "MISSPELT" in done.stderr and
          "TENURE_LIMIT=1048576" in done.stderr and has_profile(work),
          f"options are not taken: {done}")
    for path in pathlib.Path(work).iterdir():
        path.unlink()
    ways = [("AT_SECURE", [secure, victim], {})]
    if os.geteuid() == 0:
        other = shutil.copy(victim, f"{folder}/other")
        os.chmod(other, 0o4755)
        ways.append(("setuid root", [other], dict(
            user=NOBODY, group=NOBODY, extra_groups=[])))
        other = shutil.copy(victim, f"{folder}/group")
        os.chown(other, 0, 0)
        os.chmod(other, 0o2755)
        ways.append(("setgid root", [other], dict(
            user=NOBODY, group=NOBODY, extra_groups=[])))
    for name, command, more in ways:
        done = run(command, work, env=OPTIONS, **more)
        check(done.returncode == 0 and done.stdout == "1 had ours\n" and
              done.stderr == "" and not has_profile(work), f"{name}: {done}")


def late(folder):
    library = str(BUILD / "libtenure-malloc.so")
    dl = build(folder, "dl.c")
    for how in ("late", "churn"):
        done = run([dl, library, how], folder)
        check(done.returncode == 0 and not done.stderr, f"{how}: {done}")
    block = build(folder, "tls_block.c", "-shared", "-fPIC")
    for i in range(80):  # another file is another library
        shutil.copy(block, f"{folder}/tls{i}.so")
    # All is taken: one clear refusal, and the program goes on.
    done = run([dl, library, "full", folder], folder)
    taken, *rest = done.stdout.split(maxsplit=1)
    check(done.returncode == 0 and int(taken) < 80 and
          rest == ["refused static TLS\n"], f"full: {done}")
    # There is more if one asks glibc for it.
    done = run([dl, library, "full", folder], folder,
               env={"GLIBC_TUNABLES": "glibc.rtld.optional_static_tls=16384"})
    check(done.returncode == 0 and done.stdout.startswith("80 loaded"),
          f"more: {done}")
    # Preloaded it comes first, and others find less by what it takes.
    done = run([dl, library, "full", folder], folder,
               env={"LD_PRELOAD": library})
    check(int(taken) - 2 <= int(done.stdout.split()[0]) <= int(taken),
          f"preloaded: {done}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        setuid(folder)
    with tempfile.TemporaryDirectory() as folder:
        late(folder)
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
