"""Where a model comes from: git, weights, the build of its image."""
