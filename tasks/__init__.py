"""Step entrypoints of the pipeline, one folder a step; installed as ``penstock_tasks``."""
