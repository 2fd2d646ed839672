"""The machine code of C functions, for tests that count its instructions."""
import re
import subprocess

FLAGS = ["-std=c11", "-O2", "-Iinclude", "-fcf-protection=none"]
PADDING = re.compile(r"(cs )?nop|xchg +%ax,%ax|data16")


def functions(compiler, source, folder, *flags):
    """{name: [instruction]} of C source, without padding and comments; what the
    compiler makes goes to folder."""
    path, obj = f"{folder}/golden.c", f"{folder}/golden.o"
    with open(path, "w") as out:
        out.write(source)
    apart = [] if "clang" in compiler else ["-fno-ipa-icf"]  # equal ones, too
    subprocess.run([compiler, *FLAGS, *apart, *flags, "-c", path, "-o", obj], check=True)
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", obj],
                          check=True, capture_output=True, text=True).stdout
    found, name = {}, None
    for line in text.splitlines():
        head = re.match(r"[0-9a-f]+ <([\w.]+)>:", line)
        code = re.match(r" +[0-9a-f]+:\t(.*)", line)
        if head:
            name = head[1]
            found[name] = []
        elif code and not PADDING.match(code[1]):
            found[name].append(re.sub(r"\s+", " ", code[1].split("#")[0]).strip())
    return found
