"""``make kind-up`` and ``make kind-down``: Penstock on kind, Kubernetes in Docker, with the cards of this machine."""
