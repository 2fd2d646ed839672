#!/usr/bin/env python3
"""What `make install` leaves can be used: by pkg-config, by CMake, by man."""
import os
import pathlib
import subprocess
import sys
import tempfile

BUILD = os.environ.get("BUILD", "build")
PROGRAM = """#include <stdio.h>
#include <tenure/base.h>
int
main(void)
{
  puts(tn_status_name(TN_ENOMEM));
  return TN_DEBUG == WANTED_DEBUG ? 0 : 1;
}
"""
CMAKE = """cmake_minimum_required(VERSION 3.13)
project(consumer C)
find_package(tenure 0.1 REQUIRED)
foreach(kind tenure static debug)
  add_executable(with_${kind} main.c)
  target_link_libraries(with_${kind} tenure::${kind})
endforeach()
target_compile_definitions(with_tenure PRIVATE WANTED_DEBUG=0)
target_compile_definitions(with_static PRIVATE WANTED_DEBUG=0)
target_compile_definitions(with_debug PRIVATE WANTED_DEBUG=1)
"""


def output(*command, env=None):
    done = subprocess.run(command, env=env, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stdout}")
    return done.stdout


def use_pkg_config(folder, prefix, package, level):
    env = dict(os.environ, PKG_CONFIG_PATH=f"{prefix}/lib/pkgconfig",
               LD_LIBRARY_PATH=f"{prefix}/lib")
    flags = output("pkg-config", "--cflags", "--libs", package, env=env).split()
    program = folder / package
    output("gcc", folder / "main.c", f"-DWANTED_DEBUG={level}", "-o", program, *flags)
    assert output(program, env=env) == "TN_ENOMEM\n"


def use_cmake(folder, prefix):
    (folder / "CMakeLists.txt").write_text(CMAKE)
    output("cmake", "-S", folder, "-B", folder / "out", f"-DCMAKE_PREFIX_PATH={prefix}")
    output("cmake", "--build", folder / "out")
    for kind in ("tenure", "static", "debug"):
        assert output(folder / "out" / f"with_{kind}") == "TN_ENOMEM\n"


def read_manual(prefix):
    """Every header and command has a page, which man renders without a warning."""
    pages = prefix / "share/man"
    for header in pathlib.Path("include/tenure").glob("*.h"):
        said = output("man", "--warnings", "-l", pages / f"man3/tenure-{header.stem}.3",
                      env=dict(os.environ, MANWIDTH="100", LC_ALL="C.UTF-8"))
        assert "warning" not in said and "FUNCTIONS" in said, said
    for command in ("tenure", "tenure-run", "tenure-plan", "tenure-plan-solve"):
        said = output("man", "--warnings", "-l", pages / f"man1/{command}.1",
                      env=dict(os.environ, MANWIDTH="100", LC_ALL="C.UTF-8"))
        assert "warning" not in said and "SYNOPSIS" in said, said
    said = output("man", "-M", pages, "tenure-run")
    assert "run a program, record its memory" in said, said
    assert "--no-follow" in said, said
    said = output("man", "-M", pages, "tn_status_name")
    assert "The name of a status as it is spelled in C" in said, said


def main():
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        prefix = folder / "usr"
        output("make", "-s", f"BUILD={BUILD}", f"DESTDIR={folder}", "PREFIX=/usr",
               "install", env=env)
        # Staged by DESTDIR, then found where it lies: pkg-config must be told.
        for file in (prefix / "lib/pkgconfig").iterdir():
            file.write_text(file.read_text().replace("prefix=/usr", f"prefix={prefix}"))
        (folder / "main.c").write_text(PROGRAM)
        use_pkg_config(folder, prefix, "tenure", 0)
        use_pkg_config(folder, prefix, "tenure-debug", 1)
        use_cmake(folder, prefix)
        read_manual(prefix)
    return 0


if __name__ == "__main__":
    sys.exit(main())
