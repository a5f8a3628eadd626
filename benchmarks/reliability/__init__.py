"""The parts of benchmarks/faults.py and benchmarks/long_runs.py."""
