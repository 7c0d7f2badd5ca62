import numpy as np
import pytest

from penstock.foundation.errors import UsageError
from penstock.metrics.flicker import Flicker, dtssd


def clip(*alphas):
    return [np.full((2, 2), float(alpha)) for alpha in alphas]


def test_by_hand():
    # Of four pixels one goes from 0.2 to 0.6 where the truth goes from 0.2 to 0.3, then back as the truth does:
    # √(0.3² / 4) = 0.15 and √(0.3² / 4) = 0.15 again.
    truths, answers = clip(0.2, 0.3, 0.2), clip(0.2, 0.3, 0.2)
    answers[1][0, 0] = 0.6
    assert dtssd(answers, truths) == pytest.approx(15)
    # The root is taken of each pair of frames before the mean: 0.3 in one of two pairs.
    assert dtssd(clip(0.2, 0.5, 0.5), clip(0.2, 0.2, 0.2)) == pytest.approx(100 * (0.3 + 0) / 2)


def test_motion_that_is_true_and_an_error_that_stays_are_no_flicker():
    moving = [np.roll(np.eye(6), n, axis=1) for n in range(4)]
    assert dtssd(moving, moving) == 0
    assert dtssd([frame * 0.5 + 0.25 for frame in clip(0.2, 0.2)], clip(0.2, 0.2)) == pytest.approx(0)
    assert dtssd(clip(0.5, 0.6, 0.7), clip(0.1, 0.2, 0.3)) == pytest.approx(0)
    assert dtssd(moving[:1] * 4, moving) > 0


def test_most_is_200():
    assert dtssd(clip(0, 1, 0), clip(1, 0, 1)) == 200


def test_two_frames_are_held_and_iterators_read_once():
    drawn = []

    def frames():
        for number in range(5):
            drawn.append(number)
            yield np.full((3, 3), number / 10)

    assert dtssd(frames(), iter([np.zeros((3, 3))] * 5)) == pytest.approx(10)
    assert drawn == [0, 1, 2, 3, 4]


def test_what_is_no_clip():
    with pytest.raises(UsageError, match="fewer than two frames"):
        dtssd(clip(0.5), clip(0.5))
    with pytest.raises(UsageError, match="fewer than two frames"):
        dtssd([], [])
    with pytest.raises(UsageError, match="the true alpha ends after 2 frames"):
        dtssd(clip(0, 0, 0), clip(0, 0))
    with pytest.raises(UsageError, match="the answer ends after 1 frames"):
        dtssd(clip(0), clip(0, 0))
    with pytest.raises(UsageError, match=r"frame 1 has the shape \(3, 2\), the one before \(2, 2\)"):
        dtssd([np.zeros((2, 2)), np.zeros((3, 2))], [np.zeros((2, 2)), np.zeros((3, 2))])


def test_a_frame_at_a_time():
    flicker = Flicker()
    shares = [
        flicker.look(answer, truth) for answer, truth in zip(clip(0.2, 0.5, 0.4), clip(0.2, 0.2, 0.2), strict=True)
    ]
    assert shares == [None, pytest.approx(30), pytest.approx(10)]
    assert flicker.dtssd == dtssd(clip(0.2, 0.5, 0.4), clip(0.2, 0.2, 0.2)) == pytest.approx(20)
