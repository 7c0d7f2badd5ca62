"""FID's Inception network from tensors: what does not fit is refused. Its numbers: tests/networks."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.extractors.inception_onnx import PUBLISHED_DIGEST_PREFIX, PUBLISHED_NAME, build, name_for
from penstock.foundation.errors import UsageError


def test_only_the_published_checkpoint_has_its_name() -> None:
    assert name_for(PUBLISHED_DIGEST_PREFIX + "0" * 56) == PUBLISHED_NAME
    assert name_for(PUBLISHED_DIGEST_PREFIX.upper() + "0" * 56) == PUBLISHED_NAME
    assert name_for("0" * 64) != PUBLISHED_NAME


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"Conv2d_1a_3x3.conv.weight": np.zeros((32, 3, 5, 5), np.float32)},
        {"Conv2d_1a_3x3.conv.weight": np.full((32, 3, 3, 3), np.nan, np.float32)},
    ],
)
def test_tensors_that_are_missing_or_do_not_fit_are_named(state: dict[str, np.ndarray]) -> None:
    with pytest.raises(UsageError) as refused:
        build(state, "x")
    assert "Conv2d_1a_3x3" in str(refused.value)
