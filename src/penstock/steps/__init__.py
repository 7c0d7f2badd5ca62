"""What the entrypoints of all steps share."""
