"""The step *collect*."""
