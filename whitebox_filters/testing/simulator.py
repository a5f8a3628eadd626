"""Run pickled cases through Numba-CUDA's simulator: `agreement` starts this with NUMBA_ENABLE_CUDASIM=1."""

from __future__ import annotations

import sys

from numba import cloudpickle

from whitebox_filters.backends.cuda.plan import Plan
from whitebox_filters.cascade import Cascade


def main() -> None:
    """Read (filter, [(image, theta), ...]) from standard input, write the filtered images to standard output."""
    filter, cases = cloudpickle.loads(sys.stdin.buffer.read())
    plan = Plan(Cascade([filter]))
    results = [plan(image, [theta]).copy_to_host() for image, theta in cases]
    sys.stdout.buffer.write(cloudpickle.dumps(results))


if __name__ == "__main__":
    main()
