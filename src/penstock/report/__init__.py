"""The page and the summaries that people read."""
