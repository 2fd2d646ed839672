#!/usr/bin/env python3
"""On a terminal tenure says what it is doing, and takes that away; elsewhere it does not."""
import os
import pathlib
import pty
import sys
import tempfile

sys.path.insert(0, "test/cmd")
import test_report_cmd as report  # noqa: E402

check = report.check


def on_terminal(*words):
    child, terminal = pty.fork()
    if child == 0:
        os.execv(report.TENURE, ["tenure", *map(str, words)])
    out = b""
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:
            break
        if not data:
            break
        out += data
    os.close(terminal)
    check(os.waitpid(child, 0)[1] == 0, words)
    return out.decode()


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        trace, _ = report.build_sample(folder)("x.trace", 20, 50)
        for words in (["report", trace], ["advise", trace], ["report", "--html", folder / "x.html", trace]):
            out = on_terminal(*words)
            said = [out.find("tenure: reading the trace ..."), out.find("tenure: replaying the run")]
            check(0 <= said[0] < said[1], f"{words}: {out[:300]!r}")
            gone = out[said[1]:]
            check("\r\033[K" in gone and "..." not in gone.split("\r\033[K")[-1][:20], f"{words}: {gone[:200]!r}")
            _, err = report.tenure(*words)
            check(err == "", err)
    return report.failures > 0


if __name__ == "__main__":
    sys.exit(main())
