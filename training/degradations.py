"""Seven ways to spoil a picture, each with a strength from 0 (nothing happens) to 1 (plain to see).

Needs only NumPy and OpenCV. They are what goes wrong in generated portraits: detail lost, noise, compression, blocks,
wrong colours, bent shapes, and a patch whose edge shows.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]


def blur(image: Image, strength: float, rng: np.random.Generator) -> Image:
    """Gaussian blur, up to 2 % of the side."""
    del rng
    sigma = 0.02 * image.shape[0] * strength
    return image if sigma < 0.15 else _picture(cv2.GaussianBlur(image, (0, 0), sigma))


def noise(image: Image, strength: float, rng: np.random.Generator) -> Image:
    """White Gaussian noise, up to 30 levels."""
    return _picture(image + rng.normal(size=image.shape).astype(np.float32) * np.float32(30 * strength))


def jpeg(image: Image, strength: float, rng: np.random.Generator) -> Image:
    """JPEG, quality 95 down to 5 (half-way 28: the loss that is seen grows evenly)."""
    del rng
    if strength == 0:
        return image
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, round(5 + 90 * (1 - strength) ** 2)])
    return _picture(cv2.imdecode(data, cv2.IMREAD_COLOR))


def blocks(image: Image, strength: float, rng: np.random.Generator) -> Image:
    """Mosaic: squares of one colour (up to 5 % of the side) shine through."""
    del rng
    side = image.shape[0]
    cells = round(side / (2 + 0.05 * side * strength))
    small = cv2.resize(image, (cells, cells), interpolation=cv2.INTER_AREA)
    mosaic = cv2.resize(small, (side, side), interpolation=cv2.INTER_NEAREST)
    return _picture(cv2.addWeighted(image, 1 - strength, mosaic, strength, 0))


def colour(image: Image, strength: float, rng: np.random.Generator) -> Image:
    """Each channel brighter or darker, by up to a third."""
    way = rng.choice([-1.0, 1.0], size=3) * rng.uniform(0.5, 1.0, size=3)
    return _picture(image * (1 + way * strength / 3).astype(np.float32))


def bend(image: Image, strength: float, rng: np.random.Generator) -> Image:
    """Shapes bent by smooth random displacements, standard deviation up to 4 % of the side."""
    side = image.shape[0]
    small = rng.normal(size=(6, 6, 2)).astype(np.float32) * np.float32(0.04 * side * strength)
    moves = np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC))
    rows, columns = np.indices((side, side), dtype=np.float32)
    bent = cv2.remap(
        image, columns + moves[..., 0], rows + moves[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return _picture(bent)


def seam(image: Image, strength: float, rng: np.random.Generator) -> Image:
    """The lower face is a pasted patch: shifted by up to 3 % of the side, brighter or darker by up to a fifth."""
    side = image.shape[0]
    left, right = (int(side * share) for share in (rng.uniform(0.2, 0.35), rng.uniform(0.65, 0.8)))
    top, bottom = (int(side * share) for share in (rng.uniform(0.45, 0.6), rng.uniform(0.75, 0.95)))
    shift = np.round(rng.choice([-1, 1], size=2) * 0.03 * side * strength).astype(int)
    moved = np.roll(image, (int(shift[0]), int(shift[1])), axis=(0, 1))
    result = image.copy()
    gain = np.float32(1 + rng.choice([-1, 1]) * 0.2 * strength)
    result[top:bottom, left:right] = _picture(moved[top:bottom, left:right] * gain)
    return result


KINDS: dict[str, Callable[[Image, float, np.random.Generator], Image]] = {
    "blur": blur,
    "noise": noise,
    "jpeg": jpeg,
    "blocks": blocks,
    "colour": colour,
    "bend": bend,
    "seam": seam,
}
"""Every kind: ``f(image, strength, rng)``; ``image`` is uint8 (side, side, 3) BGR, and so is what comes back."""


def _picture(values: npt.NDArray[np.generic] | cv2.typing.MatLike | None) -> Image:
    """Rounded and cut to uint8."""
    array = np.asarray(values)
    if array.dtype == np.uint8:
        return np.asarray(array, dtype=np.uint8)
    return np.asarray(np.clip(np.rint(array), 0, 255), dtype=np.uint8)
