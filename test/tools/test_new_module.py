#!/usr/bin/env python3
"""tools/new_module makes a module that builds, passes and satisfies every checker."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

CHECKERS = ("format", "layers", "docs", "tags", "sizes", "statics", "map")
COPIED = ("Makefile", ".clang-format", ".clang-tidy", "include/tenure/base.h",
          "include/tenure/fault.h", "src/base",
          "src/os", "src/tenure.c", "test/test.h", "tools")


def copy(root):
    """The least of the project that a module needs."""
    for name in COPIED:
        source, target = pathlib.Path(name), root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
    (root / "doc").mkdir()
    (root / "doc/map.md").write_text("# Map\n")
    subprocess.run(["git", "init", "-q", root], check=True)


def step(root, *command):
    """Run a command there; its words when it fails."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    env.pop("BUILD", None)
    done = subprocess.run(command, cwd=root, env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return f"{' '.join(command)}:\n{done.stdout}" if done.returncode else None


def complaints(root, checker, words):
    """Lines of a checker about these words."""
    done = subprocess.run([f"tools/check_{checker}.py"], cwd=root, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return [line for line in done.stdout.splitlines() if words in line]


def main():
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        copy(root)
        wrong.append(step(root, "tools/new_module", "ledger", "counts a budget"))
        wrong.append(step(root, "make", "-s", "build/test/ledger/test_ledger"))
        wrong.append(step(root, "build/test/ledger/test_ledger"))
        for checker in CHECKERS:
            wrong += complaints(root, checker, "ledger")
        wrong.append(step(root, "tools/check_tidy.py", ".", "src/ledger/ledger.c",
                          "test/ledger/test_ledger.c"))
        if step(root, "tools/new_module", "ledger", "again") is None:
            wrong.append("a second time it overwrites")
        mutant = root / "src/ledger/ledger.c"
        mutant.write_text(mutant.read_text().replace("size > ", "size >= "))
        step(root, "make", "-s", "build/test/ledger/test_ledger")
        if step(root, "build/test/ledger/test_ledger") is None:
            wrong.append("the template's test does not see a mutant")
    wrong = [text for text in wrong if text]
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
