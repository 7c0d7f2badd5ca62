"""The step *weights*."""
