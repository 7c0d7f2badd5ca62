"""What all unit tests share."""

from __future__ import annotations

from hypothesis import settings

# a loaded machine is not a fault: speed is shown by `make bench`, never by a test
settings.register_profile("penstock", deadline=None)
settings.load_profile("penstock")
