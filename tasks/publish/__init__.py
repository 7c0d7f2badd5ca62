"""The step *publish*."""
