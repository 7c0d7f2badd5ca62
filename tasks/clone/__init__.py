"""The step *clone*."""
