"""The size of what the CPU works on at once, which callers of compiled code and compiled code must agree on."""

BLOCK = 256
"""Pixels in a block: as many as an 8-bit channel has levels, so that a table of all of them is a block too."""

LEVELS_8 = 256

PERIOD = 96
"""Values of a row that are added up side by side: a whole number of pixels, and of vectors of any size up to 32."""

ENDS = 16320
"""Intervals of the tables that end a cascade for 8 bits; a multiple of 255, as of all tables, see `tables.SIZES`."""
