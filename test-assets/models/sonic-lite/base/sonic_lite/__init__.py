"""Sonic-lite: a portrait and a speech recording become a talking head."""
