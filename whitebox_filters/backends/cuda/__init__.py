"""Cascades on an NVIDIA GPU, compiled by Numba-CUDA."""
