"""Runs and releases shown in MLflow: a copy for people who look there, never what anything is decided by."""
