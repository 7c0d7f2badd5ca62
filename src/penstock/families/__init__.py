"""How a kind of model is put to the test, and which metrics speak about its answer."""
