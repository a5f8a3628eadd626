"""Compiled loops over rows of pictures: how they are made, kept, and run on all cores. Nothing here knows a filter."""
