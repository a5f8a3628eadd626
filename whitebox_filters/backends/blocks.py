"""The size of what the CPU works on at once, which callers of compiled code and compiled code must agree on."""

BLOCK = 256
"""Pixels in a block: as many as an 8-bit channel has levels, so that a table of all of them is a block too."""

LEVELS_8 = 256
