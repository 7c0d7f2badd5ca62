"""The step *interface*."""
