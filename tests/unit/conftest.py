"""For unit tests: one thread in each process, as Jobs have it.

Before anything imports torch or numpy. With more, threads that wait for each other spin: of the time that the tests of
models and Jobs take, nearly half.
"""

import os

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
