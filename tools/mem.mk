# mem.mk -- example/swap is a C program with a half in assembly, x86-64 only.
$(BUILD)/example/swap: example/swap.c example/swap.S $(LIB) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,example,$@)
	$(Q)$(CC) $(FLAGS) $(DEFS_main) -o $@ $(filter %.c %.S,$^) $(LIB) $(LINK)
