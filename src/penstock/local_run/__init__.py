"""Runs on this machine: what `penstock run`, `calibrate` and `bisect` do."""
