"""Families of models: what is put to a model, and what is measured of its answers.

A family is one package and one line in :data:`penstock.families.registry.BUILT_IN`; :mod:`penstock.families.family`
says what a family must say. Nothing outside such a package names a family.
"""
