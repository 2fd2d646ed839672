#!/usr/bin/env python3
"""A million replacements of a descriptor: a reader never finds it closed."""
import os
import pathlib
import subprocess
import sys

BUILD = pathlib.Path(os.environ.get("BUILD", "build"))
if __name__ == "__main__":
    sys.exit(subprocess.run([BUILD / "test/scope/test_scope"], check=False,
                            env={**os.environ, "TEST_REPLACES": "1000000"}).returncode)
