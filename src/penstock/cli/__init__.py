"""The penstock command: one module a subcommand."""
