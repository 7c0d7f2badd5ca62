"""Step entrypoints of the pipeline, one folder a step; installed as ``penstock_tasks``."""

import gc

# A step is mostly its start, in which hundreds of modules are made and nothing becomes garbage: looking for some after
# every 700 objects is a tenth of it. `run_step` sets back what was.
gc.set_threshold(50_000)
