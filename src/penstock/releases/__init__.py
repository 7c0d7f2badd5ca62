"""The current release of each model: publishing, the baseline, names, history."""
