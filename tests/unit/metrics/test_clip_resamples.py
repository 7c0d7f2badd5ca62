"""FID and KID on resamples of the clips, held against computing each resample anew."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from penstock.foundation.errors import UsageError
from penstock.metrics import clip_resamples
from penstock.metrics.clip_resamples import draw_clips, resampled_frechet, resampled_kernel
from penstock.metrics.frechet import frechet_distance, kernel_distance


def make_clips(lengths, d, *, seed=0, worse=0.0):
    """Frames of a clip lie around a place of its own."""
    spectrum = np.arange(1, d + 1) ** -0.5
    clips = []
    for number, length in enumerate(lengths):
        random = np.random.default_rng([seed, number])
        place = random.normal(size=d)
        frames = (place + (0.5 + worse) * random.normal(size=(length, d))) * spectrum * (1 + worse)
        clips.append(np.maximum(0.0, 0.4 + frames).astype(np.float32))
    return clips


def drawn(clips, row):
    return np.concatenate([clip for clip, count in zip(clips, row, strict=True) for _ in range(count)])


def kid_anew(clips, reference, row):
    """By the definition, pair by pair: no frame with itself, no copy of a clip with another copy."""
    d = reference.shape[1]
    copies = [(number, clip) for number, (clip, count) in enumerate(zip(clips, row, strict=True)) for _ in range(count)]
    total = pairs = 0.0
    for i, (name, rows) in enumerate(copies):
        for j, (other, columns) in enumerate(copies):
            kernel = (rows.astype(np.float64) @ columns.T / d + 1.0) ** 3
            if i == j:
                total += kernel.sum() - np.trace(kernel)
                pairs += kernel.size - len(kernel)
            elif name != other:
                total += kernel.sum()
                pairs += kernel.size
    rows = np.concatenate([clip for _, clip in copies]).astype(np.float64)
    return total / pairs - 2.0 * ((rows @ reference.T / d + 1.0) ** 3).mean()


LENGTHS = (7, 12, 1, 9, 30, 4, 11, 8)
NAMES = [f"case-{number}" for number in range(len(LENGTHS))]


def test_draw_depends_on_the_names_alone():
    first, second = draw_clips(NAMES), draw_clips(NAMES[::-1])
    assert first.key == second.key
    assert np.array_equal(first.counts, second.counts)
    assert first.counts.shape == (1000, len(NAMES))
    assert set(first.counts.sum(axis=1)) == {len(NAMES)}
    for other in (draw_clips([*NAMES[:-1], "another"]), draw_clips(NAMES, resamples=999)):
        assert other.key != first.key
        assert not np.array_equal(other.counts[:999], first.counts[:999])


def test_draw_is_the_same_on_every_machine():
    """A release's values are compared with those of an older Penstock: the draw must never change under its key."""
    draw = draw_clips(["a", "b", "c", "d", "e"], resamples=4)
    text = b"penstock clip resamples 1\n4\na\nb\nc\nd\ne"
    assert draw.key == hashlib.sha256(text).hexdigest()
    stream = hashlib.shake_256(text).digest(80)
    indices = [int.from_bytes(stream[at : at + 4], "little") * 5 // 2**32 for at in range(0, 80, 4)]
    assert draw.counts.tolist() == [[indices[at : at + 5].count(clip) for clip in range(5)] for at in range(0, 20, 5)]


def test_draw_is_even():
    counts = draw_clips([str(number) for number in range(50)], resamples=4000).counts
    assert np.abs(counts.mean(axis=0) - 1.0).max() < 5 * np.sqrt(0.98 / 4000)
    assert counts.var() == pytest.approx(0.98, rel=0.02)


@pytest.mark.parametrize("names", [[], ["a", "a"]])
def test_draw_of_no_clips_or_of_the_same_twice_is_a_mistake(names):
    with pytest.raises(ValueError, match="clips"):
        draw_clips(names)


@pytest.mark.slow
@pytest.mark.parametrize(("d", "m"), [(12, 40), (12, 8), (100, 60), (150, 400)])
def test_fid_is_that_of_the_frames_drawn(d, m):
    clips, reference = make_clips(LENGTHS, d), np.concatenate(make_clips([m], d, seed=1))
    counts = draw_clips(NAMES, resamples=40).counts
    point = frechet_distance(np.concatenate(clips), reference)
    expected = [frechet_distance(drawn(clips, row), reference) for row in counts]
    assert resampled_frechet(clips, reference, counts, point=point) == pytest.approx(expected, rel=2e-5)


@pytest.mark.parametrize(("d", "m"), [(12, 40), (100, 60), (3, 5)])
def test_kid_is_that_of_the_pairs_drawn(d, m):
    clips, reference = make_clips(LENGTHS, d), np.concatenate(make_clips([m], d, seed=1))
    counts = draw_clips(NAMES, resamples=40).counts
    point = kernel_distance(np.concatenate(clips), reference)
    ones = np.ones(len(clips), np.int64)
    level = point - kid_anew(clips, reference, ones)
    expected = [kid_anew(clips, reference, row) + level for row in counts]
    values = resampled_kernel(clips, reference, counts, point=point)
    assert values == pytest.approx(expected, abs=2e-6 * (1 + np.abs(expected).max()))


def test_each_clip_once_is_the_point_value():
    clips, reference = make_clips(LENGTHS, 300), np.concatenate(make_clips([500], 300, seed=1))
    ones = np.ones((1, len(clips)), np.int64)
    for resampled in (resampled_frechet, resampled_kernel):
        assert resampled(clips, reference, ones, point=1.25) == pytest.approx([1.25], rel=1e-12)


@pytest.mark.slow
def test_fid_in_more_dimensions_than_are_kept_is_close(monkeypatch):
    """On noise that fills all dimensions alike, which suits the approximation least: differences of two models within
    0.15 of their standard deviation, which itself is right to 2 %.
    """
    monkeypatch.setattr(clip_resamples, "DIRECTIONS", 90)
    names = [str(number) for number in range(30)]
    sides = [make_clips([25] * 30, 210, worse=worse) for worse in (0.0, 0.03)]
    reference = np.concatenate(make_clips([40] * 12, 210, seed=1))
    counts = draw_clips(names, resamples=60).counts
    approximate, exact = [], []
    for clips in sides:
        point = frechet_distance(np.concatenate(clips), reference)
        approximate.append(resampled_frechet(clips, reference, counts, point=point))
        exact.append(np.array([frechet_distance(drawn(clips, row), reference) for row in counts]))
    assert np.corrcoef(approximate[0], exact[0])[0, 1] > 0.99
    assert approximate[0] == pytest.approx(exact[0], rel=0.03)
    change, truth = approximate[1] - approximate[0], exact[1] - exact[0]
    assert change.std() == pytest.approx(truth.std(), rel=0.02)
    assert (change - truth).std() < 0.15 * truth.std()


def test_kid_of_many_frames_takes_some_of_every_clip(monkeypatch):
    clips, reference = make_clips([60] * 20, 20), np.concatenate(make_clips([200], 20, seed=1))
    counts = draw_clips([str(number) for number in range(20)], resamples=200).counts
    whole = resampled_kernel(clips, reference, counts, point=0.1)
    monkeypatch.setattr(clip_resamples, "MOST_FRAMES", 400)
    monkeypatch.setattr(clip_resamples, "MOST_REFERENCE", 150)
    thinned = resampled_kernel(clips, reference, counts, point=0.1)
    assert not np.array_equal(whole, thinned)
    assert np.corrcoef(whole, thinned)[0, 1] > 0.95
    assert thinned.std() == pytest.approx(whole.std(), rel=0.25)


def test_kid_in_blocks_is_kid_at_once(monkeypatch):
    clips, reference = make_clips(LENGTHS, 20), np.concatenate(make_clips([50], 20, seed=1))
    counts = draw_clips(NAMES, resamples=30).counts
    whole = resampled_kernel(clips, reference, counts, point=0.0)
    monkeypatch.setattr(clip_resamples, "_BLOCK_FRAMES", 10)
    assert resampled_kernel(clips, reference, counts, point=0.0) == pytest.approx(whole, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("same", ["one", "all"])
def test_features_without_any_spread_have_finite_values(same):
    clip = np.ones((5, 4), np.float32)
    clips = [clip, clip] if same == "all" else [clip, clip * 2]
    counts = np.array([[1, 1], [2, 0], [0, 2]])
    for distance, resampled in ((frechet_distance, resampled_frechet), (kernel_distance, resampled_kernel)):
        point = distance(np.concatenate(clips), clip)
        values = resampled(clips, clip, counts, point=point)
        assert np.isfinite(values).all()
        if same == "all":
            assert values == pytest.approx([0.0] * 3, abs=1e-6)


def test_resample_without_two_frames_to_pair_is_refused():
    clips, reference = make_clips([1, 1], 4), np.concatenate(make_clips([9], 4, seed=1))
    twice = np.array([[2, 0]])
    assert resampled_frechet(clips, reference, twice, point=1.0).shape == (1,)
    with pytest.raises(UsageError, match="no two frames"):
        resampled_kernel(clips, reference, twice, point=1.0)
    with pytest.raises(UsageError, match="fewer than two frames"):
        resampled_frechet(clips[:1], reference, np.array([[1]]), point=1.0)


@pytest.mark.slow
def test_values_do_not_depend_on_the_number_of_cores():
    code = """
import os, sys
os.sched_setaffinity(0, set(list(os.sched_getaffinity(0))[:int(sys.argv[1])]))
sys.path.insert(0, ".")
from tests.unit.metrics.test_clip_resamples import *
clips, reference = make_clips([40] * 9, 220), np.concatenate(make_clips([300], 220, seed=1))
counts = draw_clips([str(number) for number in range(9)], resamples=50).counts
found = [resampled(clips, reference, counts, point=0.5) for resampled in (resampled_frechet, resampled_kernel)]
print(repr(np.concatenate(found).round(7).tolist()))
"""
    one, all_of_them = (
        subprocess.run([sys.executable, "-c", code, cores], capture_output=True, text=True, check=True).stdout
        for cores in ("1", "64")
    )
    assert len(one) > 500
    assert one == all_of_them
