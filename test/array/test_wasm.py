#!/usr/bin/env python3
"""Both forms of the array work in WebAssembly: no address space to reserve, no
libc, 32 bits.  freestanding.c runs in headless Chromium."""
import base64
import os
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "test/web"))
from browser import Page  # noqa: E402

SOURCES = ["test/array/freestanding.c", "src/array/array.c",
           "src/provider/fixed.c", "src/base/check.c", "src/base/format.c",
           "src/os/os_wasm.c"]
CALL = """new WebAssembly.Instance(new WebAssembly.Module(
  Uint8Array.from(atob('%s'), c => c.charCodeAt(0)))).exports.check()"""


def main():
    with tempfile.TemporaryDirectory() as folder:
        objects = []
        for source in SOURCES:
            objects.append(f"{folder}/{len(objects)}.o")
            subprocess.run(
                ["clang", "--target=wasm32-wasi", "-std=c11", "-O2",
                 "-mbulk-memory", "-isystem", "/usr/include/wasm32-wasi",
                 "-Iinclude", "-Isrc", "-c", source, "-o", objects[-1]],
                check=True)
        wasm = folder + "/check.wasm"
        subprocess.run(["wasm-ld", "--no-entry", "--gc-sections", "-o", wasm]
                       + objects, check=True)
        code = base64.b64encode(open(wasm, "rb").read()).decode()
    with Page("about:blank") as page:
        wrong = page.evaluate(CALL % code)
    print(f"check() is {wrong}")
    return wrong != 0


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
