"""Drawn people with identities: the same person in many photographs."""
