"""The step *look*."""
