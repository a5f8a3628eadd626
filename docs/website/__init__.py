"""Builds the documentation as a site: `python -m website` with docs/ on PYTHONPATH, or `make docs`."""
