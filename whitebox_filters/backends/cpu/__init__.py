"""Compiled cascades on the CPU: all cores, one pass over the pixels however many filters there are."""
