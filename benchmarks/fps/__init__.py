"""The parts of benchmarks/fps_vs_filters.py."""
