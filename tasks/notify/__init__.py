"""The step *notify*."""
