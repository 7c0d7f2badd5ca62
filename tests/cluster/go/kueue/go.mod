module penstock.local/cluster/kueue

go 1.26.0

// Read for its CustomResourceDefinitions (tests/e2e/test_operations.py); nothing of it is built.
require sigs.k8s.io/kueue v0.19.0
