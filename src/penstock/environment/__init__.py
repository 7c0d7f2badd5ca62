"""What a model's image was built with, read without starting it, and whether its parts fit together."""
