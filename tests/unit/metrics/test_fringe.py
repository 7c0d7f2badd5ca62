import numpy as np
import pytest
from tests.unit.metrics.strand_mattes import pair

from penstock.foundation.errors import UsageError
from penstock.metrics import fringe as module
from penstock.metrics.ciede2000 import ciede2000, lab_of_srgb
from penstock.metrics.fringe import BACKGROUNDS, fringe, fringe_map

BROWN = (90, 60, 30)


@pytest.fixture
def scene():
    """True foreground, true alpha (8 bits) and the perfect answer."""
    _, levels = pair("hair")
    rows, columns = np.indices(levels.shape)
    foreground = np.stack([80 + rows % 90, 50 + columns % 60, 20 + (rows + columns) % 40], axis=-1).astype(np.uint8)
    return foreground, levels / 255, np.dstack([foreground, levels])


def difference(one, other):
    """Of two colours, 0 to 255 each channel."""
    as_lab = [lab_of_srgb(np.array(colour, float)[:, None] / 255) for colour in (one, other)]
    return float(ciede2000(*as_lab)[0])


def over(colour, alpha, background):
    return [alpha * c + (1 - alpha) * b for c, b in zip(colour, background, strict=True)]


def test_the_truth_has_none(scene):
    foreground, alpha, answer = scene
    assert fringe(answer, foreground, alpha) == 0
    assert not fringe_map(answer, foreground, alpha).any()


def test_one_pixel_by_hand():
    alpha = np.zeros((9, 9))
    alpha[4, 4] = 0.4
    foreground = np.full((9, 9, 3), BROWN, np.uint8)
    answer = np.dstack([foreground, np.zeros((9, 9), np.uint8)])
    answer[4, 4] = (200, 190, 180, 51)
    wanted = np.mean([difference(over((200, 190, 180), 0.2, b), over(BROWN, 0.4, b)) for b in BACKGROUNDS])
    # Its band is 5 x 5, and in the other 24 pixels both are transparent.
    assert fringe(answer, foreground, alpha) == pytest.approx(wanted / 25)
    found = fringe_map(answer, foreground, alpha)
    assert found[4, 4] == pytest.approx(wanted)
    assert np.count_nonzero(found) == 1


def test_the_backgrounds_are_those_of_the_definition():
    assert BACKGROUNDS == ((0, 0, 0), (255, 255, 255), (128, 128, 128), (0, 177, 64))


def test_a_fringe_under_a_right_alpha_shows(scene):
    foreground, alpha, answer = scene
    white = answer.copy()
    part = (alpha > 0) & (alpha < 1)
    white[part, :3] = 255
    assert fringe(white, foreground, alpha) > 5
    # The same colours where the alpha is 0 or 1 are not in any band, or not seen.
    unseen = answer.copy()
    unseen[alpha == 0, :3] = 255
    assert fringe(unseen, foreground, alpha) == 0


def test_the_band_is_grown_by_two_pixels_and_ends_there():
    alpha = np.zeros((20, 20))
    alpha[:, :9] = 1
    alpha[:, 9] = 0.5
    foreground = np.full((20, 20, 3), BROWN, np.uint8)
    answer = np.dstack([foreground, np.rint(alpha * 255).astype(np.uint8)])
    answer[..., 3] = 255 - answer[..., 3]
    assert np.flatnonzero(fringe_map(answer, foreground, alpha)[0]).tolist() == [7, 8, 9, 10, 11]
    outside = np.dstack([foreground, np.rint(alpha * 255).astype(np.uint8)])
    still = fringe(outside, foreground, alpha)
    outside[:, :7] = outside[:, 12:] = 200
    assert fringe(outside, foreground, alpha) == still


def test_where_both_are_opaque_the_colours_alone_count():
    alpha = np.ones((5, 5))
    alpha[2, 2] = 0.5
    foreground = np.full((5, 5, 3), BROWN, np.uint8)
    answer = np.full((5, 5, 4), (100, 60, 30, 255), np.uint8)
    found = fringe_map(answer, foreground, alpha)
    assert found[0, 0] == pytest.approx(difference((100, 60, 30), BROWN))
    assert found[2, 2] > found[0, 0]


def test_every_pixel_of_a_scene_is_the_mean_over_the_backgrounds(scene, monkeypatch):
    foreground, alpha, answer = scene
    answer = np.roll(answer, 1, axis=1)
    monkeypatch.setattr(module, "_BLOCK", 100)
    found = fringe_map(answer, foreground, alpha)
    opaque = answer[..., 3:] / 255
    total = np.zeros(alpha.shape)
    for background in BACKGROUNDS:
        shown = opaque * answer[..., :3] + (1 - opaque) * background
        wanted = alpha[..., None] * foreground + (1 - alpha[..., None]) * background
        total += ciede2000(
            *(lab_of_srgb(np.ascontiguousarray(picture.reshape(-1, 3).T) / 255) for picture in (wanted, shown))
        ).reshape(alpha.shape)
    band = np.zeros(alpha.shape, bool)
    for y, x in np.argwhere((alpha > 0) & (alpha < 1)):
        band[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3] = True
    assert found == pytest.approx(np.where(band, total / 4, 0), abs=1e-9)
    assert fringe(answer, foreground, alpha) == pytest.approx(total[band].mean() / 4)


def test_there_is_no_value_without_a_band():
    alpha = np.zeros((4, 4))
    alpha[:2] = 1
    foreground = np.zeros((4, 4, 3), np.uint8)
    answer = np.zeros((4, 4, 4), np.uint8)
    for call in (fringe, fringe_map):
        with pytest.raises(UsageError, match="the true alpha is 0 or 1 everywhere"):
            call(answer, foreground, alpha)


def test_sizes_and_channels_must_agree():
    alpha, foreground, answer = np.full((4, 5), 0.5), np.zeros((4, 5, 3), np.uint8), np.zeros((4, 5, 4), np.uint8)
    for wrong in (answer[..., :3], answer[:3], answer.astype(float)):
        with pytest.raises(UsageError, match="the answer is"):
            fringe(wrong, foreground, alpha)
    with pytest.raises(UsageError, match="the true foreground is"):
        fringe(answer, answer, alpha)
