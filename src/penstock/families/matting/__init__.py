"""Matting: a photo in, the same photo with alpha out: its background is removed."""
