"""Talking heads: a portrait and speech in, a video out."""
