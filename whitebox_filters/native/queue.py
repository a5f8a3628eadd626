"""The queue through which the threads of one call share its passes: where its words lie, and its kernels.

A job is a row of int64. It calls a row kernel for ranges of rows: any thread that is free takes the next range. No job
is used twice, so a late thread finds nothing to do. A queue is two int64 that all threads read, each the address of a
job or 0: the CURRENT job, which is done first, and the BACKGROUND job, for threads that have nothing else to do.
"""

from __future__ import annotations

from whitebox_filters.native.kernel import Function
from whitebox_filters.native.signature import INDEX, Source

# Words of a job: the address of the row kernel, where the words of its arguments begin, how many ranges there are, the
# next one to take, and how many are finished. Then follow the first rows of the ranges and the end of the last one.
KERNEL, ARGUMENTS, RANGES, NEXT, FINISHED, ROWS = range(6)
# Words of a queue, and what stands for the current job once the call is over.
CURRENT, BACKGROUND = range(2)
CLOSED = -1

# Jobs and queues are passed by address: it never changes, and a check would take longer than the call.
_LOOPS = "whitebox_filters.native.queue_loops"

set_word = Function(Source(_LOOPS, "set_word"), {"queue": INDEX, "place": INDEX, "word": INDEX})
"""Show all threads a new word of the queue, and everything that was written before it."""

run_job = Function(Source(_LOOPS, "run_job"), {"queue": INDEX, "job": INDEX})
"""Make a job the current one, work at it, and return when all of its ranges are finished."""

finish_job = Function(Source(_LOOPS, "finish_job"), {"job": INDEX})
"""Work at a job, and return when all of its ranges are finished."""

work = Function(Source(_LOOPS, "work"), {"queue": INDEX, "patience": INDEX})
"""Work at the jobs of a queue until it is closed, or until so many looks in a row have found nothing to do."""
