"""The model's own page in a real browser: what somebody does on it, and what comes of that."""
