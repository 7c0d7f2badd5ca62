"""Each piece of news has its words in :mod:`penstock.notices.release_notice`."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import get_args

import pytest

from penstock.notices.release_notice import news_notice
from penstock.targets.news import News, NewsEvent, unheard


@pytest.mark.parametrize("event", get_args(NewsEvent))
def test_every_one_has_words(event: NewsEvent) -> None:
    news = News(event, "sonic", "1.1.0", "run-1", "1" * 40, "studio", "it fails", "ann", "1.0.0")
    told = news_notice(news)
    assert told.what.startswith("sonic 1.1.0: ")
    assert told.why.startswith("promoted by ann to 'studio': it fails. ")
    assert told.tone in ("warning", "failure")
    unheard(news)
    with pytest.raises(FrozenInstanceError):
        news.reason = "another"  # type: ignore[misc]
