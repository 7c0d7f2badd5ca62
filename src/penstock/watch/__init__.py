"""Reading live evidence of a canary and deciding: good, bad, or not yet. See ``docs/watch.md``."""
