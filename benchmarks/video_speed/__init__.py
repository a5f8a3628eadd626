"""The parts of benchmarks/video.py."""
