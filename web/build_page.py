#!/usr/bin/env python3
"""Put the page and its three modules into one file.

build_page.py TEMPLATE OUT STEPS NAME=WASM:SOURCE[,SOURCE] ...

STEPS is how far the checksum runs; the SOURCEs of an arm are what a user
writes, counted in lines without comments and blank lines.
"""
import base64
import json
import re
import sys

SAYS = {
    "bump": ("Bump, scopes", "Temporaries are pushed in a scope and forgotten "
             "when it ends. Nothing is freed, nothing is leaked."),
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


def main():
    template, out, steps, *arms = sys.argv[1:]
    packed = []
    for arm in arms:
        name, rest = arm.split("=", 1)
        wasm, sources = rest.split(":")
        title, says = SAYS[name]
        packed.append({
            "name": name, "title": title, "says": says,
            "lines": sum(code_lines(s) for s in sources.split(",")),
            "wasm": base64.b64encode(open(wasm, "rb").read()).decode()})
    page = open(template).read()
    for mark, value in (("/*ARMS*/[]", json.dumps(packed)), ("/*STEPS*/0", steps)):
        if page.count(mark) != 1:
            sys.exit(f"{template}: the mark {mark} is missing")
        page = page.replace(mark, value)
    with open(out, "w") as file:
        file.write(page)


if __name__ == "__main__":
    main()
