"""The step *export*."""
