"""Compiled loops over rows of pictures: how they are declared, compiled, cached and run on all cores.

Nothing in this folder knows a filter, so other packages may declare kernels of their own with it.
"""
