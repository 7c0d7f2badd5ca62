"""All that knows Tekton: manifests, substitution, the runner for one machine, what step entrypoints share."""
