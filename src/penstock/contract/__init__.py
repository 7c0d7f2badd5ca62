"""The contract that a model's repository makes with Penstock: ``penstock.yaml``, its suite and its policy."""
