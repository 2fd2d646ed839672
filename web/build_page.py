#!/usr/bin/env python3
"""Put the page and its three modules into one file.

build_page.py TEMPLATE OUT FOLDER STEPS NAME=SOURCE[,SOURCE] ...

FOLDER holds visible/NAME.wasm and opaque/NAME.wasm; STEPS is how far the checksum runs; the SOURCEs of
an arm are what a user writes, counted in lines without comments and blanks.
"""
import base64
import json
import re
import sys

SAYS = {
    "bump": ("Bump, scopes", "Temporaries are pushed in a scope, which begins in "
             "a local array, and are forgotten when it ends. Nothing is freed, "
             "nothing is leaked."),
    "malloc": ("malloc and free", "Every temporary has a name, so that it can "
               "be freed by hand. The allocator is the C library's."),
    "stack": ("Fixed sizes on the stack", "Vectors are structs of two floats, "
              "passed by value: the program is written for one length only."),
}


def code_lines(path):
    """Lines that are neither blank nor only comment."""
    text = re.sub(r"/\*.*?\*/", "", open(path).read(), flags=re.S)
    lines = (re.sub(r"//.*", "", line).strip() for line in text.split("\n"))
    return sum(1 for line in lines if line)


def encoded(path):
    with open(path, "rb") as file:
        return base64.b64encode(file.read()).decode()


def main():
    template, out, folder, steps, *arms = sys.argv[1:]
    packed = []
    for arm in arms:
        name, sources = arm.split("=", 1)
        title, says = SAYS[name]
        packed.append({
            "name": name, "title": title, "says": says,
            "lines": sum(code_lines(s) for s in sources.split(",")),
            "wasm": {setting: encoded(f"{folder}/{setting}/{name}.wasm")
                     for setting in ("visible", "opaque")}})
    page = open(template).read()
    for mark, value in (("/*ARMS*/[]", json.dumps(packed)), ("/*STEPS*/0", steps)):
        if page.count(mark) != 1:
            sys.exit(f"{template}: the mark {mark} is missing")
        page = page.replace(mark, value)
    with open(out, "w") as file:
        file.write(page)


if __name__ == "__main__":
    main()
