"""The bundle: the directory that a run fills, the only thing that steps hand to each other.

``run.json``, ``outputs/CASE/…``, ``invocations.jsonl``, ``measurements.jsonl``, ``verdict.json``, ``report/``,
``manifest.json``.
"""
