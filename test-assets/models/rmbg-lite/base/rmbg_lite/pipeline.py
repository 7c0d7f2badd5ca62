"""The whole way from a picture's file to its subject's."""

from __future__ import annotations

import numpy as np

from rmbg_lite import finish, foreground, picture, resize
from rmbg_lite.backend import Backend


def remove_background(content: bytes, backend: Backend) -> bytes:
    """A PNG with alpha. The same file gives the same answer. Raises RequestError (422) for what is no picture."""
    found = picture.decode(content)
    alpha = resize.from_network(backend.run(resize.to_network(found)), *found.shape[:2])
    alpha = finish.finish(alpha, found)
    colour = foreground.foreground(found, alpha)
    return picture.encode(colour, np.round(alpha * 255).astype(np.uint8))
