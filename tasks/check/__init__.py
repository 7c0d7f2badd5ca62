"""The step *check*."""
