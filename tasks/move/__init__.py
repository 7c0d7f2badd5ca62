"""The step *move*."""
