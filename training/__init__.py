"""Code that makes the small stand-in extractors and the demo's assets; nothing in `src/` imports it."""
