"""The step *archive*."""
