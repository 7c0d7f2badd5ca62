"""The step *gate*."""
