"""A preset fills the whole call of a known system."""

from __future__ import annotations

from penstock.families.talking_head.presets import PRESETS


def test_each_field_has_a_default_or_is_filled_from_the_audio() -> None:
    for preset in PRESETS.values():
        fields = {text.strip("{}") for text in preset.http["fields"].values()}
        assert fields - set(preset.parameters) == {"duration"}
        assert set(preset.parameters) <= fields
        assert preset.http["path"].startswith("/")
