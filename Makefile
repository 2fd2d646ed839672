# Makefile -- builds and proves Tenure.  No configure step.
#
#   make            libraries and the tenure command, in build/
#   make run        the main job          make test    quick tests
#   make check      everything CI runs    make bench   the benchmarks
#   make install    PREFIX=/usr/local DESTDIR=
#   make web        build/web/            make fresh   proof on a bare Debian (root)
#
# Variables: CC, BUILD, OS (linux, fake, wasm), DEBUG (0..3), HARDEN (0..2),
# STRESS (a list), SAN (address or thread), ONE (1: one-object build).  Each
# set of them needs a BUILD of its own; doc/design/modes.md is the table.

CC     = gcc
CXX    = g++
BUILD  = build
OS     = linux
DEBUG  = 0
HARDEN = 0
STRESS =
SAN    =
ONE    = 0
PREFIX = /usr/local
DESTDIR =
VERSION = 0.1.0

comma := ,
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
  -Wundef -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wcast-qual \
  -Wwrite-strings -Wdouble-promotion -Wimplicit-fallthrough -Werror
SAN_FLAGS := $(if $(filter address,$(SAN)),-fsanitize=address$(comma)undefined \
  -fno-sanitize-recover=undefined -fno-omit-frame-pointer) \
  $(if $(filter thread,$(SAN)),-fsanitize=thread)
STRESS_FLAGS := $(foreach s,$(subst $(comma), ,$(STRESS)),-DTN_STRESS_$(s)=1)
DEFS  := -DTN_DEBUG=$(DEBUG) -DTN_HARDEN=$(HARDEN) $(STRESS_FLAGS)
OPT   := -O2 -g
CFLAGS_ALL := -std=c11 $(OPT) $(WARN) $(SAN_FLAGS) $(DEFS) -Iinclude -Isrc \
  -fvisibility=hidden -fPIC -MMD -MP $(CFLAGS)
LDFLAGS_ALL := $(SAN_FLAGS) $(LDFLAGS)

# Layers that are in the core library, lowest first (tools/layers.txt).
CORE := base os event vm scope provider bump arena pool ring buddy stack array \
  planned rc mem plan heap guard
core_src := $(foreach l,$(filter-out os,$(CORE)),$(wildcard src/$l/*.c)) \
  $(wildcard src/gc/*/*.c)
os_src    = $(filter-out $(wildcard src/os/os_*.c),$(wildcard src/os/*.c)) \
  $(wildcard src/os/os_$(1).c src/os/os_$(1)_*.c)
lib_src  := $(core_src) $(call os_src,$(OS))
lib_obj  := $(if $(filter 1,$(ONE)),$(BUILD)/obj/tenure.o,$(lib_src:src/%.c=$(BUILD)/obj/%.o))
fake_obj := $(core_src:src/%.c=$(BUILD)/obj/%.o) \
  $(patsubst src/%.c,$(BUILD)/obj/%.o,$(call os_src,fake))
cmd_src  := $(wildcard cmd/*.c)
trace_src := $(wildcard src/trace/*.c)
cmd_obj  := $(cmd_src:%.c=$(BUILD)/obj/%.o) $(trace_src:src/%.c=$(BUILD)/obj/%.o)

.PHONY: all run check test bench install web fresh clean format
all: $(BUILD)/libtenure.a $(BUILD)/libtenure.so $(if $(cmd_src),$(BUILD)/tenure)

$(BUILD)/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -c $< -o $@
$(BUILD)/obj/cmd/%.o: cmd/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -c $< -o $@
$(BUILD)/obj/tenure.o: src/tenure.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -DTNI_AMALGAM_OS=$(OS) -c $< -o $@

$(BUILD)/libtenure.a: $(lib_obj)
	rm -f $@ && $(AR) rcs $@ $^
$(BUILD)/libtenure.so: $(lib_obj)
	$(CC) $(LDFLAGS_ALL) -shared -Wl,-soname,libtenure.so.0 -o $@ $^ -pthread
$(BUILD)/libtenure-fake.a: $(fake_obj)
	rm -f $@ && $(AR) rcs $@ $^
$(BUILD)/tenure: $(cmd_obj) $(BUILD)/libtenure.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ -pthread

# ---- Tests: every test/*/test_*.c is a program, test_*.py and *.sh a script.
# Tests in test/oom and those named test_fake_* run on the fake system.
test_src  := $(wildcard test/*/test_*.c)
test_bin  := $(test_src:%.c=$(BUILD)/%)
is_fake    = $(or $(findstring test/oom/,$(1)),$(findstring /test_fake_,$(1)))
test_lib   = $(BUILD)/libtenure$(if $(is_fake),-fake).a
test_scripts := $(wildcard test/*/test_*.py)

.SECONDEXPANSION:
$(BUILD)/test/%: test/%.c $$(call test_lib,test/%)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -Itest -rdynamic -o $@ $< $(call test_lib,$<) \
	  $(LDFLAGS_ALL) -pthread

test: all $(test_bin)
	@BUILD=$(BUILD) CC="$(CC)" tools/run_tests.py $(test_bin) $(test_scripts)

clean:
	rm -rf $(BUILD)
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
