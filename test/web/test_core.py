#!/usr/bin/env python3
"""The core library works in WebAssembly, without libc and without a guard.

core.c and all of the library of `make web` are linked with nothing else and run
in headless Chromium.
"""
import base64
import os
import subprocess
import sys

from browser import Page
from test_page import BUILD, ROOT, make_web

CALL = """new WebAssembly.Instance(new WebAssembly.Module(
  Uint8Array.from(atob('%s'), c => c.charCodeAt(0))),
  {host: {clock_ms: () => performance.now()}}).exports.check()"""


def main():
    make_web()
    folder = os.path.join(ROOT, BUILD, "web")
    subprocess.run(
        ["clang", "--target=wasm32-wasi", "-std=c11", "-O2", "-mbulk-memory",
         "-isystem", "/usr/include/wasm32-wasi", "-Iinclude", "-c",
         "test/web/core.c", "-o", folder + "/core.o"], cwd=ROOT, check=True)
    subprocess.run(["wasm-ld", "--no-entry", "-o", folder + "/core.wasm",
                    folder + "/core.o", "--whole-archive",
                    folder + "/libtenure.a"], cwd=ROOT, check=True)
    with open(folder + "/core.wasm", "rb") as file:
        code = base64.b64encode(file.read()).decode()
    with Page("about:blank") as page:
        wrong = page.evaluate(CALL % code)
    print(f"check() is {wrong}")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
