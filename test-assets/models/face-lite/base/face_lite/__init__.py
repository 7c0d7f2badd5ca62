"""face-lite: who is on a photograph, as a vector, and how far to trust it."""

import os

# Before NumPy is imported: on small matrices its threads wait for each other most of the time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
