#!/usr/bin/env python3
"""What runs and counts the tests can itself be trusted.

run_tests.py counts failures and says so by its status; the death driver
refuses a crime that survives, ends otherwise, says something else, or says
nothing; tools/setup asks nobody when nothing is missing.
"""
import os
import pathlib
import stat
import subprocess
import sys
import tempfile

HERE = pathlib.Path.cwd()
wrong = []


def expect(what, condition, said=""):
    if not condition:
        wrong.append(f"{what}\n{said}")


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + text + "\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def run(*command, **how):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, **how)
    return done.returncode, done.stdout


def test_counting(folder):
    good, bad = script(folder / "good", "exit 0"), script(folder / "bad", "exit 3")
    tool = HERE / "tools/run_tests.py"
    log = folder / "log"
    status, said = run(tool, "--log", log, good, bad, folder / "absent")
    expect("two of three fail", status == 1 and said.endswith("1 passed, 2 failed\n"),
           said)
    expect("the log has a line a test", log.read_text().count("FAIL") == 2)
    status, said = run(tool, good)
    expect("all pass", status == 0 and said.endswith("1 passed, 0 failed\n"), said)
    slow = script(folder / "slow", "sleep 9")
    status, said = run(tool, slow, env=dict(os.environ, TEST_TIMEOUT="1"))
    expect("a test that hangs fails", status == 1 and "timeout" in said, said)


DEATHS = {  # what the program does, whether the driver accepts it
    "says and dies": ("echo 'tenure: [a.tag] x' >&2; kill -ABRT $$", True),
    "survives": ("echo 'tenure: [a.tag] x' >&2", False),
    "another signal": ("echo 'tenure: [a.tag] x' >&2; kill -SEGV $$", False),
    "another message": ("echo 'tenure: [a.tog] x' >&2; kill -ABRT $$", False),
    "nothing said": ("kill -ABRT $$", False),
    "two lines": ("echo '[a.tag]' >&2; echo more >&2; kill -ABRT $$", False),
}


def test_deaths(folder):
    source = folder / "test/death/crime.c"
    source.parent.mkdir(parents=True)
    driver = HERE / "test/death/test_death.py"
    env = dict(os.environ, BUILD="build")
    source.write_text('/* death: SIGABRT "[a.tag]" modes: release */\n')
    for what, (program, accepted) in DEATHS.items():
        script(folder / "build/death/release/crime", program)
        status, said = run(driver, cwd=folder, env=env)
        expect(f"death driver: {what}", (status == 0) == accepted, said)
    for head in ("no head", '/* death: SIGABRT "" modes: relaese */'):
        source.write_text(head + "\n")
        expect(f"head {head}", run(driver, cwd=folder, env=env)[0] == 1)


def test_setup(folder):
    tools = folder / "bin"
    script(tools / "dpkg-query", '[ "$4" = "$ABSENT" ] || printf installed')
    script(tools / "id", "echo $USER_ID")
    script(tools / "apt-get", f'echo "$@" >>{folder}/asked')
    page = folder / "cache/tenure/speedscope-1.25.0/dist/release/index.html"
    page.parent.mkdir(parents=True)
    page.touch()
    env = dict(os.environ, PATH=f"{tools}:{os.environ['PATH']}", ABSENT="", USER_ID="0",
               XDG_CACHE_HOME=str(folder / "cache"))
    setup = HERE / "tools/setup"
    asked = folder / "asked"
    status, said = run(setup, "run", "check", env=env)
    expect("nothing missing", status == 0 and not said and not asked.exists(), said)
    script(tools / "npm", "exit 1")
    status, said = run(setup, "check", env=dict(env, XDG_CACHE_HOME=str(folder / "none")))
    expect("npm fails", status == 0 and
           said == "tools/setup: npm could not fetch speedscope-1.25.0\n", said)
    status, said = run(setup, "run", env={name: env[name] for name in ("PATH", "ABSENT", "USER_ID")})
    expect("no home", status == 0 and not said, said)
    env["ABSENT"] = "clang"
    status, said = run(setup, "run", env=dict(env, USER_ID="1000"))
    expect("not root", status == 1 and "apt-get install -y --no-install-recommends clang\n"
           in said and not asked.exists(), said)
    status, said = run(setup, "run", env=env)
    expect("root installs what is missing", status == 0 and asked.read_text() ==
           "install -qq -y --no-install-recommends clang\n", said)
    expect("an unknown list", run(setup, "walk", env=env)[0] == 1)


def main():
    for test in (test_counting, test_deaths, test_setup):
        with tempfile.TemporaryDirectory() as folder:
            test(pathlib.Path(folder))
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
