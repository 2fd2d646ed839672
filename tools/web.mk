# web.mk -- `make web`: the three arms for wasm32, and one page that runs them.
# clang and wasm-ld only; wasi-libc gives the malloc arm its malloc, and all of
# them the declarations of <string.h>.  Included by the Makefile.

WEB_STEPS  := 500
WASM_CC    := clang --target=wasm32-wasi
WASM_FLAGS := -DTNI_THREAD_LOCAL= -DTNI_RETURN_ADDRESS=NULL -std=c11 $(WARN) -O3 -ffp-contract=off -mbulk-memory \
  -isystem /usr/include/wasm32-wasi -Iinclude -Isrc -Ibench/threeway -MMD -MP
WASM_LINK  := wasm-ld --no-entry --gc-sections -z stack-size=65536 \
  -L/usr/lib/wasm32-wasi
web_core   := $(patsubst %.c,$(BUILD)/web/obj/%.o,$(core_src) src/os/os_wasm.c)
web_from   := bench/threeway

$(BUILD)/web/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,wasm,$@)
	$(Q)$(WASM_CC) $(WASM_FLAGS) -c $< -o $@
# An arm in each setting: the optimiser sees all of it, or opaque calls, which
# are external functions without a prototype.
$(BUILD)/web/visible/%.o: web/arm_%.c
	@mkdir -p $(@D)
	$(call say,wasm,$@)
	$(Q)$(WASM_CC) $(WASM_FLAGS) -c $< -o $@
$(BUILD)/web/opaque/%.o: web/arm_%.c
	@mkdir -p $(@D)
	$(call say,wasm,$@)
	$(Q)$(WASM_CC) $(WASM_FLAGS) -DTHREEWAY_OPAQUE -Wno-missing-prototypes -c $< -o $@

$(BUILD)/web/libtenure.a: $(web_core)
	$(call say,ar,$@)
	$(Q)rm -f $@ && llvm-ar rcs $@ $^
$(BUILD)/web/%/bump.wasm: $(BUILD)/web/%/bump.o $(BUILD)/web/libtenure.a
	$(call say,link,$@)
	$(Q)$(WASM_LINK) -o $@ $^
$(BUILD)/web/%/malloc.wasm: $(BUILD)/web/%/malloc.o
	$(call say,link,$@)
	$(Q)$(WASM_LINK) -o $@ $^ -lc
$(BUILD)/web/%/stack.wasm: $(BUILD)/web/%/stack.o
	$(call say,link,$@)
	$(Q)$(WASM_LINK) -o $@ $^

$(BUILD)/web/threeway.html: web/build_page.py web/threeway.html tools/web.mk \
  $(foreach s,visible opaque,$(foreach a,bump malloc stack,$(BUILD)/web/$s/$a.wasm))
	$(call say,page,$@)
	$(Q)python3 web/build_page.py web/threeway.html $@ $(BUILD)/web $(WEB_STEPS) \
	  bump=$(web_from)/ops_bump.h,$(web_from)/physics_bump.c \
	  malloc=$(web_from)/ops_malloc.h,$(web_from)/physics_manual.c \
	  stack=$(web_from)/ops_stack.h,$(web_from)/physics_stack.c

web: $(BUILD)/web/threeway.html
