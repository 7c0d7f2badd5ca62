"""mAP: worked by hand, and on resamples of pictures. Against pycocotools: tests/parity/test_detection.py."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.metrics.detection import MOST, OVERLAPS, PictureBoxes, match, mean_average_precision, overlap

SQUARE = (0.0, 0.0, 10.0, 10.0)
FAR = (50.0, 50.0, 10.0, 10.0)


def picture(found: list[tuple[str, float, tuple]], true: list[tuple[str, tuple]]) -> PictureBoxes:
    return PictureBoxes(
        tuple(label for label, _, _ in found),
        np.array([box for _, _, box in found], np.float64).reshape(-1, 4),
        np.array([confidence for _, confidence, _ in found]),
        tuple(label for label, _ in true),
        np.array([box for _, box in true], np.float64).reshape(-1, 4),
    )


def at_half(*pictures: PictureBoxes) -> float:
    return float(mean_average_precision(pictures)[0, 0])


def test_overlaps() -> None:
    boxes = np.array([SQUARE, FAR, (5, 5, 10, 10)])
    assert overlap(boxes, boxes[:1]).ravel() == pytest.approx([1, 0, 25 / 175])


def test_all_found_is_1_and_nothing_found_is_0() -> None:
    assert mean_average_precision([picture([("cat", 0.5, SQUARE)], [("cat", SQUARE)])]) == pytest.approx(1)
    assert at_half(picture([], [("cat", SQUARE)])) == 0
    assert at_half(picture([("dog", 0.9, SQUARE)], [("cat", SQUARE)])) == 0


def test_a_wrong_box_above_the_right_one_costs_half() -> None:
    # precision 0/1, then 1/2 at recall 1: 1/2 at all 101 recalls
    assert at_half(picture([("cat", 0.9, FAR), ("cat", 0.5, SQUARE)], [("cat", SQUARE)])) == pytest.approx(0.5)
    assert at_half(picture([("cat", 0.4, FAR), ("cat", 0.5, SQUARE)], [("cat", SQUARE)])) == pytest.approx(1.0)


def test_a_second_box_of_the_same_thing_is_wrong() -> None:
    twice = [("cat", 0.9, SQUARE), ("cat", 0.8, SQUARE), ("cat", 0.7, FAR)]
    # right, wrong, right: precision 1, 1/2, 2/3 at recalls 1/2, 1/2, 1; 51 recalls at 1, 50 at 2/3
    assert at_half(picture(twice, [("cat", SQUARE), ("cat", FAR)])) == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_the_order_is_over_all_pictures() -> None:
    good, bad = picture([("cat", 0.6, SQUARE)], [("cat", SQUARE)]), picture([("cat", 0.9, FAR)], [])
    assert at_half(good, bad) == pytest.approx(0.5)


def test_labels_weigh_the_same_and_those_that_are_nowhere_true_weigh_nothing() -> None:
    pictures = [picture([("cat", 0.6, SQUARE), ("ghost", 0.99, FAR)], [("cat", SQUARE), ("cat", FAR), ("cup", FAR)])]
    assert at_half(*pictures) == pytest.approx((51 / 101 + 0) / 2)


def test_a_box_that_is_a_little_off_counts_at_low_overlaps() -> None:
    off = picture([("cat", 0.9, (0.0, 0.0, 10.0, 7.6))], [("cat", SQUARE)])  # IoU 0.76
    assert mean_average_precision([off]).ravel().tolist() == pytest.approx([1] * 6 + [0] * 4)


def test_no_more_than_a_hundred_boxes_of_a_label_count() -> None:
    many = [("cat", 1 - number / 1000, FAR) for number in range(MOST)]
    assert at_half(picture([*many, ("cat", 0.1, SQUARE)], [("cat", SQUARE)])) == 0
    assert at_half(picture([*many[1:], ("cat", 0.1, SQUARE)], [("cat", SQUARE)])) == pytest.approx(1 / MOST)


def test_each_takes_the_best_that_is_free() -> None:
    overlaps = np.array([[0.9, 0.8], [0.95, 0.6]])
    assert match(overlaps, np.array([0.5, 0.7])).tolist() == [[True, True], [True, False]]


one = st.tuples(st.sampled_from(["a", "b"]), st.sampled_from([0.1, 0.5, 0.9]), st.sampled_from([SQUARE, FAR]))


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(
            st.lists(one, max_size=3),
            st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([SQUARE, FAR])), max_size=2),
        ),
        min_size=1,
        max_size=4,
    ),
    st.data(),
)
def test_a_resample_is_the_pictures_as_often_as_they_were_drawn(drawn, data) -> None:
    # distinct confidences: copies of one picture stand together, as in the weighted sum
    pictures = [
        picture([(label, c - n / 100 - m / 1000, box) for m, (label, c, box) in enumerate(found)], true)
        for n, (found, true) in enumerate(drawn)
    ]
    counts = data.draw(st.lists(st.integers(0, 1), min_size=len(pictures), max_size=len(pictures)))
    kept = [each for each, count in zip(pictures, counts, strict=True) if count]
    value = mean_average_precision(pictures, np.array([counts]))
    if any(each.true_labels for each in kept):
        assert value == pytest.approx(mean_average_precision(kept))
        assert ((value >= 0) & (value <= 1)).all()
    else:
        assert np.isnan(value).all()


def test_the_overlaps_are_cocos() -> None:
    assert pytest.approx([0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]) == OVERLAPS
