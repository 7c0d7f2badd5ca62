"""The report shows what the model was built with; whatever an image says is inert there."""

from __future__ import annotations

import pytest
from tests.unit.report.read_pages import read

from penstock.bundle.directory import Bundle
from penstock.bundle.environment_record import (
    DriverNeed,
    EnvironmentFinding,
    EnvironmentRecord,
    LayerRecord,
    write_environment_record,
)
from penstock.foundation.errors import UsageError
from penstock.report.environment_section import environment_section
from penstock.report.page import write_report

HOSTILE = "<script>alert(1)</script>\x1b[2J"
ERROR = EnvironmentFinding(kind="cuda", severity="error", what=f"CUDA 11 {HOSTILE}", todo="Take another.")
WARNING = EnvironmentFinding(kind="user", severity="warning", what="the image runs as root")
RECORD = EnvironmentRecord(
    read="image",
    python=["3.11"],
    packages={"torch": "2.6.0"},
    cuda=["11.8"],
    needs=[DriverNeed(wheel="torch 2.6.0", cuda=12, driver=525)],
    layers=[LayerRecord(digest="a", bytes=n << 20, made_by=f"RUN {n} {HOSTILE}") for n in range(60)],
    findings=[ERROR, WARNING],
    not_judged=["the driver: no card"],
)


def test_a_bundle_of_an_older_version_has_no_such_part(pair: tuple[Bundle, Bundle]) -> None:
    write_report(*pair)
    html, _ = read(pair[0].report / "index.html")
    assert environment_section(pair[0]) is None
    assert "built-with" not in html


def test_findings_sizes_and_what_was_not_judged(pair: tuple[Bundle, Bundle]) -> None:
    write_environment_record(pair[0], RECORD)
    section = environment_section(pair[0])
    assert section is not None
    assert section.rows == [
        ("Python", "3.11"),
        ("CUDA", "11.8"),
        ("torch 2.6.0", "built for CUDA 12: NVIDIA's driver 525 or later"),
        ("locale", "none"),
        ("user", "root"),
        ("health check", "none"),
        ("size", "1,770.0 MiB to fetch, in 60 layers"),
        ("Python packages", "1"),
    ]
    assert section.layers[0] == ("59.0 MiB", f"RUN 59 {HOSTILE}")
    assert (len(section.layers), section.more_layers) == (40, 20)
    write_report(*pair)
    html, _ = read(pair[0].report / "index.html")
    assert "does not fit" in html
    assert "error: <bdi>CUDA 11 &lt;script&gt;" in html
    assert "<script>alert" not in html
    assert "\x1b" not in html
    assert "Not judged: <bdi>the driver: no card</bdi>." in html


@pytest.mark.parametrize(
    ("changes", "chip"),
    [
        ({"findings": [WARNING]}, '<span class="chip warning">warning</span>'),
        ({"findings": []}, '<span class="chip pass">fits</span>'),
        ({"findings": [], "unreadable": "no <skopeo>"}, "not read</span> <bdi>no &lt;skopeo&gt;</bdi>"),
    ],
)
def test_the_outcome_in_a_word(pair: tuple[Bundle, Bundle], changes: dict[str, object], chip: str) -> None:
    write_environment_record(pair[0], RECORD.model_copy(update=changes))
    write_report(*pair)
    html, _ = read(pair[0].report / "index.html")
    assert chip in html


def test_a_broken_record_is_refused(pair: tuple[Bundle, Bundle]) -> None:
    (pair[0].path / "environment.json").write_text("{")
    with pytest.raises(UsageError):
        environment_section(pair[0])
