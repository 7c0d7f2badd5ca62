"""Composites whose matte and foreground colours are known exactly, because they are made from them."""
