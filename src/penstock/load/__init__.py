"""Requests at a stated rate or concurrency, and how long their answers took: see ``docs/load.md``."""
