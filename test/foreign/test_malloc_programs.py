#!/usr/bin/env python3
"""Quick runs of others' programs on libtenure-malloc.so: malloc_programs.py"""
import sys

from malloc_programs import compare, quick_rows

if __name__ == "__main__":
    sys.exit(bool(compare(quick_rows())))
