"""The step *measure*."""
