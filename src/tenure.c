/* tenure.c -- the core library as one object
 *
 * `make ONE=1` compiles this file alone.  The list of files is generated from
 * the folders (Makefile), so it cannot miss one; static names are therefore
 * unique in the whole library (tools/check_statics.py).  The file of the
 * operating system is chosen by the same list.
 *
 * Tests  test/tools/test_one_object.py
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE  // os files need it before the first libc header
#include "tenure_files.h"
