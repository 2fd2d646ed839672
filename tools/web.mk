# web.mk -- `make web`: the three arms for wasm32, and one page that runs them.
# clang and wasm-ld only; wasi-libc gives the malloc arm its malloc, and all of
# them the declarations of <string.h>.  Included by the Makefile.

WEB_STEPS  := 500
WASM_CC    := clang --target=wasm32-wasi
WASM_FLAGS := -std=c11 $(WARN) -O3 -ffp-contract=off -mbulk-memory \
  -isystem /usr/include/wasm32-wasi -Iinclude -Isrc -Ibench/threeway -MMD -MP
WASM_LINK  := wasm-ld --no-entry --gc-sections -z stack-size=65536 \
  -L/usr/lib/wasm32-wasi
web_core   := $(core_src) $(wildcard src/os/os_wasm.c)
web_arm    := bench/threeway/ops_
web_arms   := bump malloc stack

$(BUILD)/web/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,wasm,$@)
	$(Q)$(WASM_CC) $(WASM_FLAGS) -c $< -o $@

$(BUILD)/web/bump.wasm: $(BUILD)/web/obj/web/arm_bump.o $(web_core:%.c=$(BUILD)/web/obj/%.o)
	$(call say,link,$@)
	$(Q)$(WASM_LINK) -o $@ $^
$(BUILD)/web/malloc.wasm: $(BUILD)/web/obj/web/arm_malloc.o
	$(call say,link,$@)
	$(Q)$(WASM_LINK) -o $@ $^ -lc
$(BUILD)/web/stack.wasm: $(BUILD)/web/obj/web/arm_stack.o
	$(call say,link,$@)
	$(Q)$(WASM_LINK) -o $@ $^

$(BUILD)/web/threeway.html: web/build_page.py web/threeway.html tools/web.mk \
  $(web_arms:%=$(BUILD)/web/%.wasm)
	$(call say,page,$@)
	$(Q)python3 web/build_page.py web/threeway.html $@ $(WEB_STEPS) \
	  bump=$(BUILD)/web/bump.wasm:$(web_arm)bump.h,bench/threeway/physics_bump.c \
	  malloc=$(BUILD)/web/malloc.wasm:$(web_arm)malloc.h,bench/threeway/physics_manual.c \
	  stack=$(BUILD)/web/stack.wasm:$(web_arm)stack.h,bench/threeway/physics_stack.c

web: $(BUILD)/web/threeway.html
-include $(shell find $(BUILD)/web -name '*.d' 2>/dev/null)
