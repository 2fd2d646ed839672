#!/usr/bin/env python3
"""Every rule of every checker: a clean tree passes, a planted violation fails.

The tree is small and made here; each row of PLANTS changes one file of it and
names the words that the checker must then say.
"""
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

TREE = {
    "include/tenure/pool.h": """/* thing.h -- a thing that counts
 *
 * Invariants
 *   [thing.order]  low <= high.
 * Threads   one owner at a time.
 */
#ifndef TENURE_THING_H
#define TENURE_THING_H

#include <tenure/base.h>

TN_BEGIN_DECLS

/* Add one to the thing.
 *
 *   n       how many
 *   returns the sum
 */
TN_API int tn_thing_add(int n);

/* Twice n. */
#define TN_TWICE(n) ((n)*2)

TN_END_DECLS
#endif
""",
    "include/tenure/base.h": """/* base.h -- words. */
#define TN_API
#define TN_BEGIN_DECLS
#define TN_END_DECLS
#define TN_REQUIRE(cond, tag, text) ((void)(cond))
""",
    "include/tenure/bump.h": """/* bump.h -- an allocator */
#include <tenure/base.h>
typedef struct tn_bump {
  float *cursor;
} tn_bump;
float *tn_bump_push(tn_bump *b, int n);
void tn_bump_create(tn_bump *b, const void *options);
""",
    "src/bump/bump.h": "/* bump.h -- the door. */\n",
    "src/vm/vm.h": "/* vm.h -- the door. */\n",
    "src/vm/inner.h": "/* inner.h -- private. */\n",
    "src/pool/thing.c": """#include <tenure/pool.h>

#include <string.h>

#include "vm/vm.h"

static int pool_count;

static int
pool_step(int n)
{
  return n + pool_count;
}

int
tn_thing_add(int n)
{
  TN_REQUIRE(n >= 0, "thing.order", "below zero");
  return pool_step(n);
}
""",
    "src/pool/other.c": "static int other_value;\n",
    "test/pool/test_thing.c": "/* Covers [thing.order] */\n",
    "example/thing.c": """#include <stddef.h>

#include <tenure/bump.h>

static float *
make(tn_bump *b, int n)
{
  return tn_bump_push(b, n);
}

int
main(void)
{
  tn_bump b;
  tn_bump_create(&b, NULL);
  make(&b, 1);
  return 0;
}
""",
    "doc/map.md": """# Map
- `include/tenure/base.h` words
- `include/tenure/bump.h` an allocator
- `include/tenure/pool.h` a thing
- `src/bump/bump.h` the door
- `src/vm/vm.h` the door
- `src/vm/inner.h` private
- `src/pool/thing.c` the thing
- `src/pool/other.c` the other
- `example/thing.c` an example
- `tools/layers.txt` the layers
""",
}

LONG = "int\nlong_one(void)\n{\n" + "  (void)0;\n" * 80 + "}\n"
DEEP = "void\ndeep(void)\n{\n" + "{" * 5 + "}" * 5 + "\n}\n"
HEADER = "include/tenure/pool.h"
SOURCE = "src/pool/thing.c"

# checker, file, what is replaced ("" = put in front), by what, what it must say
PLANTS = [
    ("layers", SOURCE, "vm/vm.h", "bump/bump.h", "may not include layer bump"),
    ("layers", SOURCE, "vm/vm.h", "vm/inner.h", "not the door of vm"),
    ("layers", SOURCE, "vm/vm.h", "other.h", "may not include layer (none)"),
    ("layers", SOURCE, "string.h", "stdio.h", "<stdio.h>: a system header"),
    ("layers", SOURCE, "string.h", "tenure/bump.h", "may not use the discipline bump"),
    ("layers", SOURCE, "", "#ifdef __linux__\n#endif\n", "outside os"),
    ("layers", HEADER, "tenure/base.h", "tenure/arena.h", "base, provider, event only"),
    ("layers", HEADER, "<tenure/base.h>", '"vm/vm.h"', "may not include a private"),
    ("layers", "src/new/new.c", "", "int x;\n#include <errno.h>\n", "not in tools/layers"),
    ("layers", "example/thing.c", "<tenure/bump.h>", '"vm/vm.h"', "not a public header"),
    ("docs", HEADER, "*/\nTN_API", "*/\n\nTN_API", "no docstring directly above"),
    ("docs", HEADER, " * Threads   one owner at a time.\n", "", "which threads"),
    ("docs", HEADER, " *   n   ", " *   m   ", "field `m`"),
    ("docs", HEADER, "Add one to the thing.\n *\n *   n       how many\n *   returns the sum",
     "Add", "has no sentence"),
    ("docs", HEADER, "/* Twice n. */\n", "", "TN_TWICE has no comment"),
    ("tags", "test/pool/test_thing.c", "thing.order", "thing", "cited by no test"),
    ("tags", SOURCE, '"thing.order"', '"thing.other"', "cited by no check and no code"),
    ("tags", SOURCE, '"thing.order"', '"thing.other"', "[thing.other] is defined in no"),
    ("tags", "src/vm/inner.h", "", "/* x\n * [thing.order]  again. */\n", "defined again"),
    ("sizes", SOURCE, "", LONG, "long_one has 84 lines"),
    ("sizes", SOURCE, "", DEEP, "deep nests 5 deep"),
    ("sizes", SOURCE, "", "\n" * 1001, "split it"),
    ("map", "src/pool/more.c", "", "int more;\n", "src/pool/more.c is missing"),
    ("map", "doc/map.md", "", "- `src/gone.c` gone\n", "src/gone.c is gone"),
    ("map", "doc/map.md", "", "- `src/pool/other.c` twice\n", "named twice"),
    ("map", "doc/map.md", "the other", "(say what it is)", "stands there still"),
    ("statics", SOURCE, "pool_step", "step", "step does not begin with its module"),
    ("statics", SOURCE, "pool_count", "count", "count does not begin with its"),
    ("statics", "src/pool/other.c", "other_value", "pool_count", "static in src/pool/"),
    ("allocator_first", "example/thing.c", "tn_bump *b, int n", "int n, tn_bump *b",
     "but not first"),
    ("allocator_first", "example/thing.c", "tn_bump *b, int n", "int n",
     "takes no allocator"),
    ("format", SOURCE, "return n +", "return  n +", "not formatted"),
    ("format", SOURCE, "int\npool", "int \npool", "blanks at the end"),
    ("format", "doc/map.md", "# Map", "# Map\tpage", "a tab"),
    ("format", "doc/map.md", "", "\r\n", "blanks at the end"),
    ("tidy", SOURCE, "pool_step", "Pool_Step", "invalid case style"),
    ("tidy", SOURCE, "return n + pool_count;", "return n / (n - n);", "ivision by zero"),
]
CHECKERS = sorted({plant[0] for plant in PLANTS})


def make_tree(root):
    for name, text in TREE.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "tools").mkdir()
    shutil.copy("tools/layers.txt", root / "tools")
    shutil.copy(".clang-format", root)
    shutil.copy(".clang-tidy", root)
    subprocess.run(["git", "init", "-q", root], check=True)


def check(checker, root):
    """(status, words) of a checker over the tree at root."""
    env = dict(os.environ, BUILD=str(root / ".git"))
    done = subprocess.run([f"tools/check_{checker}.py", root], env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def plant(root, path, old, new):
    """Replace old by new in a file of the tree, or put new in front of it."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    text = file.read_text() if file.exists() else ""
    if old not in text:
        raise ValueError(f"{path} has no {old!r}")
    file.write_text(text.replace(old, new) if old else new + text)


def planted_survives(row):
    """What is wrong when a plant is not found; None when it is."""
    checker, path, old, new, wanted = row
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        make_tree(root)
        plant(root, path, old, new)
        status, said = check(checker, root)
    if status == 1 and wanted in said:
        return None
    return f"{checker}: planted {new[:40]!r} in {path}: status {status}, said\n{said}"


def fix_mends():
    """check_map.py --fix adds what is missing and takes out what is gone."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        make_tree(root)
        plant(root, "src/pool/more.c", "", "/* more.c -- one more */\n")
        plant(root, "doc/map.md", "", "- `src/gone.c` gone\n")
        subprocess.run(["tools/check_map.py", root, "--fix"], check=True,
                       stdout=subprocess.DEVNULL)
        page = (root / "doc/map.md").read_text()
    good = "- `src/pool/more.c` one more\n" in page and "gone.c" not in page
    return None if good else "check_map.py --fix:\n" + page


def main():
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        make_tree(root)
        for checker in CHECKERS:
            status, said = check(checker, root)
            if status:
                wrong.append(f"{checker} fails on the clean tree:\n{said}")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        wrong += [text for text in pool.map(planted_survives, PLANTS) if text]
    wrong += [text for text in [fix_mends()] if text]
    print("\n".join(wrong))
    print(f"{len(PLANTS)} violations planted, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
