#!/usr/bin/env python3
"""The reference manual: make_manual.py FOLDER VERSION COMMAND

Writes FOLDER/man3/tenure-NAME.3 for each include/tenure/NAME.h: its head, then each
public function and macro with its docstring.  FOLDER/man3/FUNCTION.3 leads there.
FOLDER/man1 has what COMMAND, which is the program `tenure`, says with --help, and
each of its commands.
"""
import pathlib
import re
import subprocess
import sys

import csource
from check_docs import comment_above, macros

ABOUT = "what a program does with its memory, and plans for memory"


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


def option_list(text):
    """The options of a --help, as a list with tags; other text as it is."""
    parts = []
    for block in re.split(r"(?m)^(?=  (?:-\w, |    )--)", text):
        found = re.match(r"  +((?:-\w, )?--\S+(?: [A-Z]+)?)\s+(.*)", block, re.DOTALL)
        parts.append(f".TP\n.B {roff(found[1])}\n{roff(' '.join(found[2].split()))}\n"
                     if found else verbatim(block.strip("\n")))
    return "".join(parts)


def command_pages(command, words, sentence, version):
    """(name, page) of `tenure WORDS` and of every command below it."""
    said = subprocess.run([command, *words, "--help"], text=True, check=True,
                          stdout=subprocess.PIPE).stdout
    usage, _, rest = said.partition("\n\n")
    name = "-".join(["tenure", *words])
    below = re.findall(r"(?m)^  (\w+)   +(\S.*)", rest) if "COMMAND" in usage else []
    pages = [page for word, what in below
             for page in command_pages(command, [*words, word], what, version)]
    body = ("".join(f".TP\n.BR {roff(f'{name}-{word}')} (1)\n{roff(what)}\n"
                    for word, what in below) if below else option_list(rest))
    yield name, (f'.TH {roff(name.upper())} 1 "" "Tenure {version}" "Tenure"\n'
                 f".SH NAME\n{roff(name)} \\- {roff(sentence)}\n"
                 f".SH SYNOPSIS\n.B {roff(usage.removeprefix('usage: '))}\n"
                 f".SH DESCRIPTION\n{body}")
    yield from pages


def main():
    folder, version, command = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    for section in ("man1", "man3"):
        (folder / section).mkdir(parents=True, exist_ok=True)
    for name, text in command_pages(command, [], ABOUT, version):
        (folder / "man1" / f"{name}.1").write_text(text)
    for header in sorted(pathlib.Path("include/tenure").glob("*.h")):
        text = header.read_text()
        name = header.stem
        (folder / "man3" / f"tenure-{name}.3").write_text(page(name, text, version))
        for _, symbol, _, _ in entries(text):
            (folder / "man3" / f"{symbol}.3").write_text(f".so man3/tenure-{name}.3\n")


if __name__ == "__main__":
    main()
