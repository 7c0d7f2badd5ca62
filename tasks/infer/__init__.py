"""The step *infer*."""
