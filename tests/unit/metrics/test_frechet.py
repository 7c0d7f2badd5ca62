import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.foundation.errors import UsageError
from penstock.metrics import frechet
from penstock.metrics.frechet import frechet_distance, kernel_distance

SHAPES = st.tuples(st.integers(2, 24), st.integers(2, 24), st.integers(1, 16), st.integers(0, 2**31))
SLOW_MACHINE = settings(deadline=None, max_examples=60)


def pair(shape):
    n, m, d, seed = shape
    random = np.random.default_rng(seed)
    return random.normal(size=(n, d)), random.normal(size=(m, d)) * 1.5 + 0.5


def naive_frechet(a, b):
    """By the definition: eigenvalues of the product of the covariances."""
    first, second = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (a, b))
    gap = a.mean(axis=0) - b.mean(axis=0)
    shared = np.sqrt(np.linalg.eigvals(first @ second).astype(complex)).real.sum()
    return gap @ gap + np.trace(first) + np.trace(second) - 2 * shared


def naive_kid(a, b):
    """By the definition, pair by pair."""

    def kernel(x, y):
        return (sum(p * q for p, q in zip(x, y, strict=True)) / len(x) + 1) ** 3

    def within(rows):
        pairs = [kernel(x, y) for i, x in enumerate(rows) for j, y in enumerate(rows) if i != j]
        return sum(pairs) / len(pairs)

    return within(a) + within(b) - 2 * sum(kernel(x, y) for x in a for y in b) / (len(a) * len(b))


@SLOW_MACHINE
@given(SHAPES)
def test_fid_equals_the_definition(shape):
    a, b = pair(shape)
    # The definition itself is good to about the root of the machine precision where covariances are singular.
    assert frechet_distance(a, b) == pytest.approx(naive_frechet(a, b), rel=1e-4, abs=1e-5)


@SLOW_MACHINE
@given(SHAPES)
def test_fid_is_symmetric_and_zero_for_the_same_set(shape):
    a, b = pair(shape)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-6, abs=1e-6)
    assert frechet_distance(a, a) == pytest.approx(0.0, abs=1e-6)
    assert frechet_distance(a, a[::-1]) == pytest.approx(0.0, abs=1e-6)


@SLOW_MACHINE
@given(SHAPES)
def test_fid_and_kid_do_not_change_when_the_feature_space_turns(shape):
    a, b = pair(shape)
    turn, _ = np.linalg.qr(np.random.default_rng(shape[3]).normal(size=(shape[2], shape[2])))
    assert frechet_distance(a @ turn, b @ turn) == pytest.approx(frechet_distance(a, b), rel=1e-6, abs=1e-6)
    assert kernel_distance(a @ turn, b @ turn) == pytest.approx(kernel_distance(a, b), rel=1e-9, abs=1e-9)


def test_fid_of_known_gaussians():
    """Sets with exactly known mean and covariance: |gap|² + Σ (σa - σb)²."""
    cube = np.array([[x, y] for x in (-1.0, 1.0) for y in (-1.0, 1.0)]) * np.sqrt(3 / 4)
    assert frechet_distance(cube, cube * [3.0, 1.0] + [0.0, 2.0]) == pytest.approx(4.0 + 4.0)


@pytest.mark.parametrize("d", [8, 200])
def test_fid_on_either_side_of_the_square_is_the_same_number(d):
    """A feature that is always 0 changes the route (n below d), not the value."""
    random = np.random.default_rng(0)
    a, b = random.normal(size=(50, 8)), random.normal(size=(40, 8)) + 0.3
    wide = np.zeros((50, d)), np.zeros((40, d))
    wide[0][:, :8], wide[1][:, :8] = a, b
    assert frechet_distance(*wide) == pytest.approx(naive_frechet(a, b), rel=1e-9)


def test_fid_of_features_that_depend_on_each_other():
    random = np.random.default_rng(1)
    a, b = random.normal(size=(60, 5)), random.normal(size=(60, 5)) * 2
    doubled = np.hstack([a, a, np.zeros((60, 2))]), np.hstack([b, b, np.zeros((60, 2))])
    assert frechet_distance(*doubled) == pytest.approx(2 * naive_frechet(a, b), rel=1e-6)


def test_fid_of_float32_features_far_from_zero_keeps_its_digits():
    random = np.random.default_rng(2)
    a, b = random.normal(size=(300, 20)), random.normal(size=(300, 20)) + 0.1
    near, far = frechet_distance(a, b), frechet_distance((a + 1000).astype(np.float32), (b + 1000).astype(np.float32))
    assert far == pytest.approx(near, rel=1e-3)


@settings(deadline=None, max_examples=30)
@given(st.tuples(st.integers(2, 8), st.integers(2, 8), st.integers(1, 5), st.integers(0, 2**31)))
def test_kid_equals_the_definition(shape):
    a, b = pair(shape)
    assert kernel_distance(a, b) == pytest.approx(naive_kid(a, b), rel=1e-9, abs=1e-9)
    assert kernel_distance(a, b) == pytest.approx(kernel_distance(b, a), rel=1e-9, abs=1e-9)


def test_kid_is_unbiased_where_fid_is_not():
    random = np.random.default_rng(3)
    values = [kernel_distance(random.normal(size=(40, 32)), random.normal(size=(40, 32))) for _ in range(200)]
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(len(values))
    assert min(values) < 0 < max(values)


def test_kid_in_blocks_is_kid_at_once(monkeypatch):
    a, b = pair((50, 37, 6, 4))
    whole = kernel_distance(a, b)
    monkeypatch.setattr("penstock.metrics.frechet.BLOCK_ROWS", 7)
    assert kernel_distance(a, b) == pytest.approx(whole, rel=1e-12)


def test_kid_of_large_sets_is_the_mean_over_drawn_subsets():
    a, b = pair((60, 50, 4, 5))
    random = np.random.RandomState(9)
    expected = np.mean(
        [naive_kid(a[random.choice(60, 10, replace=False)], b[random.choice(50, 10, replace=False)]) for _ in range(4)]
    )
    assert kernel_distance(a, b, subsets=4, subset_size=10, seed=9) == pytest.approx(expected, rel=1e-9)
    assert kernel_distance(a, b, subsets=4, subset_size=10, seed=9) == kernel_distance(
        a, b, subsets=4, subset_size=10, seed=9
    )
    assert kernel_distance(a, b, subsets=4, subset_size=10, seed=8) != pytest.approx(expected, rel=1e-9)


def subset_kid(a, b, *, subsets, size):
    """KID subset by subset, as torch-fidelity draws them, all of it in float64."""

    def kernel(x, y):
        base = x @ y.T / x.shape[1] + 1
        return base * base * base

    random, values = np.random.RandomState(2020), []
    for _ in range(subsets):
        x, y = (rows[random.choice(len(rows), size, replace=False)].astype(np.float64) for rows in (a, b))
        within = sum(kernel(z, z)[~np.eye(size, dtype=bool)].mean() for z in (x, y))
        values.append(within - 2 * kernel(x, y).mean())
    return np.mean(values)


@pytest.mark.parametrize("subsets", [3, 6, 12], ids=["each subset by itself", "some by themselves", "pairs shared"])
@pytest.mark.parametrize(("scale", "offset", "apart"), [(1.0, 0.4, 0.02), (1e-3, 0.0, 0.0), (1.0, 30.0, 0.01)])
def test_kid_of_many_frames_loses_no_digit_to_float32(subsets, scale, offset, apart):
    """More than a thousand frames are multiplied in float32. Far from 0 the kernels are 1e8 times the KID."""
    random = np.random.default_rng(5)
    a = (random.normal(size=(1400, 64)) * scale + offset).astype(np.float32)
    b = (random.normal(size=(1100, 64)) * scale + offset + apart).astype(np.float32)
    expected = subset_kid(a, b, subsets=subsets, size=500)
    assert kernel_distance(a, b, subsets=subsets, subset_size=500) == pytest.approx(expected, rel=1e-5, abs=1e-8)


def test_kid_computes_a_pair_that_many_subsets_share_once(monkeypatch):
    a, b = pair((60, 50, 4, 5))
    rows, entries = frechet._Rows, []

    def counted(self, mine, other, theirs):
        found = kernel(self, mine, other, theirs)
        entries.append(found.size)
        return found

    kernel = rows.kernel
    monkeypatch.setattr(rows, "kernel", counted)
    kernel_distance(a, b, subsets=100, subset_size=20)
    assert sum(entries) <= (60 + 50) ** 2  # 100 subsets by themselves have 120,000


def test_fid_takes_singular_values_only_where_their_squares_lose_digits(monkeypatch):
    random = np.random.default_rng(4)
    a, b = random.normal(size=(80, 20)), random.normal(size=(70, 20)) + 0.3
    svd, calls = np.linalg.svd, []
    monkeypatch.setattr(np.linalg, "svd", lambda *given, **options: calls.append(1) or svd(*given, **options))
    far = frechet_distance(a, b)
    assert far == pytest.approx(naive_frechet(a, b), rel=1e-9)
    assert not calls
    assert frechet_distance(a, a * (1 + 1e-7)) == pytest.approx(0.0, abs=1e-11)
    assert calls


@pytest.mark.parametrize("statistic", [frechet_distance, kernel_distance])
@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (np.ones((1, 3)), np.ones((4, 3)), "the first set has 1 image.*at least two"),
        (np.ones((4, 3)), np.ones((0, 3)), "the second set has 0 images"),
        (np.ones((4, 3)), np.ones((4, 2)), "3 and 2 features"),
        (np.ones(4), np.ones((4, 2)), "shape"),
        (np.ones((4, 0)), np.ones((4, 0)), "shape"),
        (np.full((4, 3), np.nan), np.ones((4, 3)), "first set has features that are not finite"),
        (np.ones((4, 3)), np.full((4, 3), np.inf), "second set has features that are not finite"),
    ],
)
def test_sets_that_cannot_be_compared_are_refused(statistic, a, b, message):
    with pytest.raises(UsageError, match=message):
        statistic(a, b)


@pytest.mark.parametrize(("subsets", "subset_size", "seed"), [(0, 10, 0), (1, 1, 0), (1, 10, -1), (1, 10, 2**32)])
def test_impossible_subsets_are_refused(subsets, subset_size, seed):
    with pytest.raises(UsageError):
        kernel_distance(np.eye(4), np.eye(4), subsets=subsets, subset_size=subset_size, seed=seed)
