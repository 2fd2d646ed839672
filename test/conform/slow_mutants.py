#!/usr/bin/env python3
"""The conformance suite kills every mutant: slow_mutants.py

Each mutant is one change to the collectors' code, made in a temporary copy that
is built as one object and linked with the tests.  A mutant is killed when a test
fails, crashes or does not end.  A change whose text is not in the code any more
is a failure, and so is an original that does not pass.
"""
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

BUILD = pathlib.Path(os.environ.get("BUILD", "build"))
TESTS = ["test/gc/test_barrier", "test/gc/test_types", "test/conform/test_bulk",
         "test/conform/test_conform", "test/gc/test_api"]

# file, what stands there, what the mutant has
MUTANTS = [
    # barrier
    ("core/barrier.c", "if (!tni_vector_push(&m->logged, object)) {",
     "if (false) {"),
    ("core/barrier.c", "  else\n    barrier_log_object(m, object.at);", "  else\n    ;"),
    ("core/barrier.c", "  else if (logged && count)\n    tni_gc_log(m, object, to);", ""),
    ("gen/minor.c", "    *tni_logged(object) = TNI_LOG_OBJECT;\n    tni_trace(", "    tni_trace("),
    ("gen/minor.c", "    tni_move_plain(object, header, size, copy, TNI_LOG_OBJECT);",
     "    tni_move_plain(object, header, size, copy, 0);"),
    ("gen/minor.c", "  tni_move(object, header, size, copy, TNI_LOG_OBJECT);",
     "  tni_move(object, header, size, copy, 0);"),
    ("gen/minor.c", "    tni_large_trace_card(tracer, cards->at[i], minor_visit_slot);", "    ;"),
    ("space/large.c", "    if (logs)\n      *tni_logged(object) =", "    if (!logs)\n      *tni_logged(object) ="),
    # roots
    ("core/roots.c", "for (size_t i = 0; i < frame->count; i++)",
     "for (size_t i = 1; i < frame->count; i++)"),
    ("core/roots.c", "      if (!roots_is_free(chunk->slot[i]))\n        visit(",
     "      if (i != 3 && !roots_is_free(chunk->slot[i]))\n        visit("),
    ("core/roots.c", "  roots_scan_range(scan, top, base);\n}", "}"),
    ("core/roots.c", "         slot < (tn_ref *)heap->roots.at[i + 1]; slot++)",
     "         slot + 1 < (tn_ref *)heap->roots.at[i + 1]; slot++)"),
    # pins
    ("core/roots.c", "    fn(tracer, heap->pins.at[i]);", "    ;"),
    ("space/markregion.c", "  tni_roots_held(&t.marker.tracer, markregion_hold);\n", ""),
    ("gen/minor.c", "  tni_roots_held(&t.marker.tracer, minor_hold);\n", ""),
    # forwarding
    ("core/object.h", "  *tni_header(to) = kept | (uint64_t)logged << TNI_LOG_SHIFT;\n"
     "  *tni_header(object) = tni_address(to) | TNI_FORWARDED;",
     "  *tni_header(to) = kept | (uint64_t)logged << TNI_LOG_SHIFT;\n"),
    ("core/object.h", "  *tni_header(to) = header | (uint64_t)logged << TNI_LOG_SHIFT;\n"
     "  *tni_header(object) = tni_address(to) | TNI_FORWARDED;",
     "  *tni_header(to) = header | (uint64_t)logged << TNI_LOG_SHIFT;\n"),
    ("core/object.h", "for (size_t i = words & 1; i < words; i += 2)",
     "for (size_t i = 0; i + 1 < words; i += 2)"),
    ("core/object.h", "  to[bytes / sizeof(uint64_t) - 1] = tni_address_hash(object);",
     "  to[bytes / sizeof(uint64_t) - 1] = tni_address_hash(to);"),
    ("space/markregion.c", "      slot->at = tni_forward_address(header);\n      return;",
     "      return;"),
    ("gen/minor.c", "    slot->at = tni_forward_address(*header);\n", ""),
    # the list of slots, and what is plain
    ("gen/minor.c", "  if (!object || !minor_is_from(t, object))\n    return;\n  __builtin",
     "  if (!object || !minor_is_from(t, object) || t->promoted % 64 == 63)\n    return;\n  __builtin"),
    ("gen/minor.c", "      minor_follow(t, slot, &header, &size))\n    tni_work_push(&t->marker.work, slot->at);",
     "      minor_follow(t, slot, &header, &size))\n    ;"),
    ("gen/minor.c", "    heap->stats.worklist_overflows++;\n    minor_trace_all_old(t);",
     "    heap->stats.worklist_overflows++;"),
    ("gen/gen.c", "  gen->nursery = block;\n", "  gen->nursery = block;\n"
     "  if (gen->used % 16 == 15)\n    heap->blocks.info[block].next = TNI_NO_BLOCK;\n"),
    ("semi/semi.c", "      f->cursor += type->plain;", "      f->cursor += type->plain - 8 * (type->plain > 32);"),
    ("semi/semi.c", "    t->to.cursor = f.cursor;\n    tni_trace(", "    tni_trace("),
    ("semi/semi.c", "  t->to.cursor = f->cursor;\n  semi_visit(", "  semi_visit("),
    ("core/type.c", "    if (word >= 64)\n      return 0;", "    if (word >= 64)\n      continue;"),
    ("core/type.c", "  return (shape == TNI_MAP || shape == TNI_LEAF) && spec->element_size == 0 &&",
     "  return (shape == TNI_MAP || shape == TNI_LEAF) &&"),
    ("semi/semi.c", "    ref->at = tni_forward_address(*tni_header(ref->at));\n", ""),
    # sweep
    ("space/cells.c", "  while (i < most && !cells_is_used(blocks, start + (size_t)i * cell))",
     "  while (i < most)"),
    ("space/cells.c", "  memset(run->cursor, 0, (size_t)(run->end - run->cursor));", ""),
    ("space/lines.c", "    memset(hole->start, 0, (size_t)(hole->end - hole->start));", "    ;"),
    ("core/blocks.h", "  const size_t last = (at + bytes - 1) >> TNI_LINE_LOG2;",
     "  const size_t last = at >> TNI_LINE_LOG2;"),
    ("space/large.c", "    if (o->mark == 0) {\n      large_free(heap, o);",
     "    if (o->mark != 0 && i % 3 == 0) {\n      large_free(heap, o);"),
    ("space/lines.c", "    memset(hole->cursor, 0, TN_GC_HEADER);  // [lines.run]", "    ;"),
    # from one block to the next
    ("semi/semi.c", "  return t->to.block != TNI_NO_BLOCK &&\n"
     "         (t->scan_block != t->to.block || t->scan != t->to.cursor);", "  return false;"),
    ("semi/semi.c", "    t->scan = semi_scan_run(t, t->scan, end);\n",
     "    t->scan = semi_scan_run(t, t->scan, end);\n"
     "    if (t->scan_block != t->to.block) {\n"
     "      t->scan_block = heap->blocks.info[t->scan_block].next;\n"
     "      t->scan = tni_block_start(&heap->blocks, t->scan_block);\n"
     "    }\n"),
    ("space/linear.c", "        (uint32_t)(to->cursor - tni_block_start(&heap->blocks, to->block));",
     "        TNI_BLOCK_SIZE;"),
    ("space/lines.c", "first = (used + TNI_LINE_SIZE - 1) >> TNI_LINE_LOG2;",
     "first = used >> TNI_LINE_LOG2;"),
    ("space/lines.c", "  uint32_t first;\n  tni_hole_close(heap, hole);\n", "  uint32_t first;\n"),
    ("space/markregion.c", "  tni_hole_close(heap, &t.hole);\n", ""),
    ("gen/minor.c", "(&t.marker.tracer, true);\n  tni_hole_close(heap, &t.hole);\n",
     "(&t.marker.tracer, true);\n"),
    # weak references, ephemerons, finalizers, walks
    ("core/weak.c", "      weak->target = TN_REF_NULL;\n", ""),
    ("core/weak.c", "  tracer->visit(tracer, &e->value);", ""),
    ("core/finalize.c", "for (size_t i = walk->order.count; i-- > 0;) {",
     "for (size_t i = 0; i < walk->order.count; i++) {"),
    ("core/finalize.c", "  list->count = kept;\n", ""),
    ("core/work.c", "    tni_store_relaxed(&work->pool->overflow, 1);\n    return;",
     "    return;"),
]


def build(folder, source):
    """Link the tests with the collectors in folder/src/gc."""
    one = folder / "one.c"
    files = sorted(p.relative_to(folder / "src") for p in (folder / "src/gc").rglob("*.c"))
    one.write_text("".join(f'#include "{path}"\n' for path in files))
    flags = ["-std=c11", "-O1", f"-I{folder}/src", "-Iinclude", "-Isrc", "-Itest",
             "-fvisibility=hidden", "-w"]
    subprocess.run(["gcc", *flags, "-c", str(one), "-o", f"{folder}/one.o"], check=True)
    for test in source:
        name = f"{folder}/{pathlib.Path(test).name}"
        subprocess.run(["gcc", f"{source[test]}", f"{folder}/one.o",
                        f"{BUILD}/libtenure.a", "-pthread", "-lm", "-o", name], check=True)


def is_killed(folder):
    for test in TESTS:
        try:
            done = subprocess.run([f"{folder}/{pathlib.Path(test).name}"], timeout=20,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return True
        if done.returncode != 0:
            return True
    return False


def check(mutant, objects):
    """What is wrong with this mutant; None when it was killed."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shutil.copytree("src/gc", folder / "src/gc")
        if mutant:
            path = folder / "src/gc" / mutant[0]
            text = path.read_text()
            if text.count(mutant[1]) != 1:
                return f"{mutant[0]}: not there once: {mutant[1]!r}"
            path.write_text(text.replace(mutant[1], mutant[2]))
        build(folder, objects)
        killed = is_killed(folder)
    if mutant:
        return None if killed else f"{mutant[0]}: lives: {mutant[1]!r}"
    return "the original does not pass" if killed else None


def main():
    with tempfile.TemporaryDirectory() as name:
        objects = {}
        for test in TESTS:
            objects[test] = f"{name}/{pathlib.Path(test).name}.o"
            subprocess.run(["gcc", "-std=c11", "-O1", "-Iinclude", "-Isrc", "-Itest", "-c",
                            f"{test}.c", "-o", objects[test]], check=True)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            found = list(pool.map(lambda m: check(m, objects), [None, *MUTANTS]))
    wrong = [text for text in found if text]
    print("\n".join(wrong), end="\n" if wrong else "")
    print(f"{len(MUTANTS) - len(wrong)} of {len(MUTANTS)} mutants killed")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
