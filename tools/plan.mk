# plan.mk -- what of the planner is made small rather than fast: what runs once
# a plan, not once a node.  Included by the Makefile.

plan_small := conflict exact greedy improve memory model numbers pool rank share solve \
  units verify window
plan_small_obj := $(foreach m,main debug harden,$(foreach f,$(plan_small),\
  $(BUILD)/obj/$m/src/plan/$f.o))
$(plan_small_obj): private FLAGS += -Os
$(plan_small_obj): tools/plan.mk
