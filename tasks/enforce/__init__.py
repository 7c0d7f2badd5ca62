"""The step *enforce*."""
