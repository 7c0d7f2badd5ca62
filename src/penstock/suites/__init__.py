"""What a suite is worth: whether its cases repeat each other, are known to the model, are of all kinds, may be used."""
