"""The field's metrics: arrays in, numbers out. Names, units and directions are in :mod:`penstock.metrics.registry`."""
