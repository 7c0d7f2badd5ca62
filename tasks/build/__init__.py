"""The step *build*."""
