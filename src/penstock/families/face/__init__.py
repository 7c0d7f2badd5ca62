"""Face recognition: comparisons of two faces, scores of quality, embeddings."""
