"""The caches in which benchmarks count misses under valgrind.

Its own choice is a model of the machine it runs on, and so would the counts be.
"""
# Bytes, ways, bytes a line: a Zen 5's first levels and its last.
FLAGS = ["--I1=32768,8,64", "--D1=49152,12,64", "--LL=33554432,16,64"]
