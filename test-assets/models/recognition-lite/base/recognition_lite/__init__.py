"""recognition-lite: what is in a picture, where, and what its signs say."""

import os

# Before NumPy is imported: on small matrices its threads wait for each other most of the time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
