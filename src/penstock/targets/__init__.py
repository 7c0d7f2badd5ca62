"""Where releases are served: bring the pair there that was judged, wait until it serves, put back what was there."""
