#!/usr/bin/env python3
"""Short runs of others' programs on libtenure-malloc.so: malloc_programs.py"""
import sys

from malloc_programs import everything

if __name__ == "__main__":
    sys.exit(bool(everything(long=False)))
