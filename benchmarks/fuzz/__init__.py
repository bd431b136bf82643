"""Hostile input: thousands of damaged videos and result files through the project's own doors.

``python -m benchmarks.fuzz`` makes them from a few small seeds (films made by ffmpeg, one real
result of a film with known people), reproducibly: the same seed number gives the same bytes.
"""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before NumPy is there: a process with threads must not fork
