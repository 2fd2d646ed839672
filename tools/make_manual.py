#!/usr/bin/env python3
"""The reference manual from the headers: make_manual.py FOLDER VERSION

Writes FOLDER/tenure-NAME.3 for each include/tenure/NAME.h: its head, then each
public function and macro with its docstring.  FOLDER/FUNCTION.3 leads there.
"""
import pathlib
import re
import sys

import csource
from check_docs import comment_above, macros


def roff(text):
    """Text that roff shows as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^(?=[.'])", r"\\&", text, flags=re.MULTILINE)


def plain(comment):
    """A comment without its stars."""
    text = re.sub(r"^/\*+ ?|\s*\*/$", "", comment)
    return re.sub(r"^ \* ?", "", text, flags=re.MULTILINE).strip("\n")


def verbatim(text):
    return f".nf\n{roff(text)}\n.fi\n"


def entries(text):
    """(line, name, prototype, comment) of everything public in a header."""
    found = list(csource.comments(text))
    for f in csource.functions(text):
        if f.name.startswith("tn_") and re.search("TN_API|TN_INLINE", f.head):
            head = re.sub(r"\b(TN_(API|INLINE|COLD|HOT|NODISCARD|NORETURN)"
                          r"|TN_PRINTF\([^)]*\))\s*", "", f.head)
            head = re.sub(r"\s+", " ", head).replace("* ", "*")
            yield f.line, f.name, head + ";", comment_above(found, f.line)
    for line, name, form in macros(text):
        if comment_above(found, line):
            yield line, name, form, comment_above(found, line)


def page(name, text, version):
    head = plain(next(csource.comments(text))[1])
    title, _, rest = head.partition("\n")
    rest = re.sub(r"\nSPDX-.*", "", rest).strip("\n")
    parts = [f'.TH TENURE\\-{name.upper()} 3 "" "Tenure {version}" "Tenure"\n',
             f".SH NAME\ntenure\\-{name} \\- {roff(title.split(' -- ')[-1])}\n",
             f".SH SYNOPSIS\n.B #include <tenure/{name}.h>\n",
             ".SH DESCRIPTION\n", verbatim(rest or title), ".SH FUNCTIONS\n"]
    for _, symbol, prototype, comment in sorted(entries(text)):
        parts += [f".SS {roff(symbol)}\n", verbatim(prototype), ".PP\n",
                  verbatim(plain(comment))]
    return "".join(parts)


def main():
    folder, version = pathlib.Path(sys.argv[1]), sys.argv[2]
    for header in sorted(pathlib.Path("include/tenure").glob("*.h")):
        text = header.read_text()
        name = header.stem
        (folder / f"tenure-{name}.3").write_text(page(name, text, version))
        for _, symbol, _, _ in entries(text):
            (folder / f"{symbol}.3").write_text(f".so man3/tenure-{name}.3\n")


if __name__ == "__main__":
    main()
