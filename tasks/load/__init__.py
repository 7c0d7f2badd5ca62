"""The step *load*."""
