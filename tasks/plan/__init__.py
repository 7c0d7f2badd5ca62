"""The step *plan*."""
