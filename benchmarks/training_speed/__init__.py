"""What `benchmarks/training_step.py` is made of."""
