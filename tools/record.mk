# record.mk -- libtenure-record.so: what `tenure run` preloads.  libc only; the
# frame pointers are how a hook finds its caller's frame.  Included by the
# Makefile.

# The reader is in it to look at the end for what is left.
record_src   := $(wildcard src/record/*.c src/trace/read*.c) src/base/status.c
record_obj   := $(record_src:%.c=$(BUILD)/obj/record/%.o)
RECORD_FLAGS := -fno-omit-frame-pointer -fno-optimize-sibling-calls \
  -fno-stack-protector -fno-builtin-malloc -fno-builtin-calloc \
  -fno-builtin-realloc -fno-builtin-free -ftls-model=initial-exec
# Sanitizers do not belong into a library that stands under an allocator.
record_cc     = $(CC) $(filter-out -fsanitize=% -fno-sanitize-recover=%,$(FLAGS)) \
  $(RECORD_FLAGS) -DTN_DEBUG=0 -DTN_HARDEN=0

all: $(BUILD)/libtenure-record.so
$(BUILD)/obj/record/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,cc,$@)
	$(Q)$(record_cc) -c $< -o $@
$(BUILD)/libtenure-record.so: $(record_obj)
	$(call say,link,$@)
	$(Q)$(CC) -shared -Wl,-soname,libtenure-record.so -Wl,-z,now -o $@ $^

.PHONY: install-record
install: install-record
install-record: all
	install -d $(into)/lib
	install -m 755 $(BUILD)/libtenure-record.so $(into)/lib
