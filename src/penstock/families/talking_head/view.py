"""What the report shows of a talking head: how well lips and sound fit, what trembles, the mouth enlarged."""

from __future__ import annotations

from penstock.families.family import Closeup, Lane, View

VIEW = View(
    lanes=(
        Lane("sync", "sync distance", "sync_distance", "w", "where lips and sound fit worst", window=5),
        Lane("jitter", "jitter", "jitter", "j", "that jitter most"),
    ),
    # the mouth is four fifths down a face's box; without a box, it is where a portrait has it
    closeup=Closeup("mouth", "face", across=0.5, down=0.8, width=0.62, otherwise=(0.5, 0.55, 0.36)),
)
