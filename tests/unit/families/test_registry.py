"""The table of families: what is known by name, and that nothing else knows a family."""

from __future__ import annotations

import ast
import functools
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.families.engine_metrics import CALL_METRICS
from penstock.families.registry import (
    BUILT_IN,
    STAND_IN,
    default_family,
    directions,
    family,
    family_names,
    find_metric,
    find_preset,
    is_stand_in,
    is_timed,
    is_whole_suite,
    known_metrics,
    shown_extractor,
    timed_metrics,
)
from penstock.foundation.errors import UsageError
from penstock.foundation.references import load

ROOT = Path(__file__).parents[3]
FAMILIES = [family(name) for name in BUILT_IN]
ROOMS = sorted(path for path in (ROOT / "src" / "penstock").iterdir() if path.is_dir() and path.name != "families")
# the networks that come with Penstock lie here by their names; metrics are computed here under theirs
OF_THE_FIELD = {"extractors", "metrics", "__pycache__"}
OF_OTHERS = {"src/penstock/targets/rollout_steps.py": {"duration"}}
"""Names that are also fields of somebody else's format: Argo Rollouts' steps."""
SOURCES = sorted(
    path
    for room in [*(room for room in ROOMS if room.name not in OF_THE_FIELD), ROOT / "tasks"]
    for path in room.rglob("*.py")
)


@functools.cache
def names() -> frozenset[str]:
    """Every name that a family gives to something of its own."""
    found: set[str] = set()
    for each in FAMILIES:
        found |= {each.name, *each.presets, *each.roles, *each.filled, *each.commands}
        found |= {metric.name for metric in each.metrics} | {role.stand_in for role in each.roles.values()}
        found |= {lane.series for lane in each.view.lanes}
    return frozenset(found)


def strings(tree: ast.Module) -> Iterator[str]:
    """Text constants of a module, docstrings left out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_outside_names_a_family(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    packages = {place.partition(":")[0].rpartition(".")[0] for place in BUILT_IN.values()}
    for node in ast.walk(tree):
        module = node.module if isinstance(node, ast.ImportFrom) else None
        imported = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [module or ""]
        assert not [name for name in imported if name.startswith(tuple(packages))]
    assert not (names() & set(strings(tree))) - OF_OTHERS.get(path.relative_to(ROOT).as_posix(), set())


def test_the_names_are_looked_for() -> None:
    assert len(SOURCES) > 150
    assert {"talking-head", "sonic", "lipsync", "lse_d", "kid", "duration", "syncnet-compact"} <= names()


@pytest.mark.parametrize("found", FAMILIES, ids=lambda found: found.name)
def test_all_that_a_family_names_is_there(found) -> None:
    assert BUILT_IN[found.name].startswith(f"penstock.families.{found.name.replace('-', '_')}.")
    for place in (found.case, found.measurer, *found.commands.values(), *filter(None, [found.figures])):
        assert callable(load(place))
    for role in found.roles.values():
        assert callable(load(role.loader))
    for filled in found.filled.values():
        assert callable(load(filled.finder))
        assert filled.input in found.inputs
    assert {metric.role for metric in found.metrics} - {None} == set(found.roles)
    assert {metric.instead for metric in found.metrics} - {None} <= {metric.name for metric in found.metrics}
    assert all(metric.meaning.endswith(".") for metric in found.metrics)
    keys = [lane.key for lane in found.view.lanes]
    assert len(set(keys)) == len(keys)
    assert not set(keys) & set("bmlnp")  # the viewer's own


def test_what_is_known_by_name() -> None:
    assert default_family() == family_names()[0] == "talking-head"
    assert find_metric("lse_d") is known_metrics()["lse_d"]
    assert find_metric("no_such_metric") is None
    assert directions()["lse_c"] == "higher"
    assert directions()["av_offset"] is None
    under_load = {f"{where}_p{share}_ms" for where in ("load", "saturated") for share in (50, 95, 99)}
    under_load |= {"throughput", "startup_s"}
    assert set(timed_metrics()) == {"real_time_factor", *(metric.name for metric in CALL_METRICS), *under_load}
    assert is_timed("latency")
    assert not is_timed("lse_d")
    assert is_whole_suite("fid")
    assert not is_whole_suite("no_such_metric")
    preset = find_preset("sonic")
    assert preset is not None
    assert preset.parameters["inference_steps"] == 25
    assert find_preset("sonik") is None
    assert is_stand_in("syncnet-compact@sha256:0")
    assert not is_stand_in("syncnet@sha256:0")
    assert not is_stand_in(None)
    assert shown_extractor("syncnet-compact@sha256:0") == "syncnet-compact@sha256:0 (stand-in)"


def test_a_family_that_there_is_not() -> None:
    with pytest.raises(UsageError, match="there is no family 'talking-heads'") as caught:
        family("talking-heads")
    assert caught.value.todo == "Did you mean 'talking-head'?"


STAND = "syncnet-compact@sha256:" + "d4" * 32
PUBLISHED = "syncnet-v2@sha256:" + "e5" * 32


def test_only_the_extractors_that_come_with_penstock_are_stand_ins() -> None:
    assert is_stand_in(STAND)
    assert not is_stand_in(PUBLISHED)
    assert not is_stand_in(None)


def test_the_glossary_has_each_metric_in_one_sentence() -> None:
    text = (Path(__file__).parents[3] / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in text.splitlines() if "`" in line]
    told = {row[1].strip("`"): (row[0].replace("\\|", "|"), row[4]) for row in rows if len(row) == 5}
    assert told == {metric.name: (metric.title, metric.meaning) for metric in known_metrics().values()}
    assert STAND_IN[1:] in text
    assert all(metric.meaning.endswith(".") and ". " not in metric.meaning for metric in known_metrics().values())


@pytest.fixture
def broken_family(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine on which another distribution's family raises when it is imported."""
    place = tmp_path / "installed"
    record = place / "blurry-1.0.dist-info"
    record.mkdir(parents=True)
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: blurry\nVersion: 1.0\n", encoding="utf-8")
    (record / "entry_points.txt").write_text(
        "[penstock.families]\nblurry = blurry:FAMILY\ngone = blurry_exit:FAMILY\n", encoding="utf-8"
    )
    (place / "blurry.py").write_text("raise RuntimeError('needs a \x1b[31mnewer\x1b[0m Penstock')\n", encoding="utf-8")
    (place / "blurry_exit.py").write_text("raise SystemExit('no')\n", encoding="utf-8")
    return os.environ | {"PYTHONPATH": str(place)}


@pytest.mark.slow
@pytest.mark.parametrize("command", [["families"], ["families", "--json"], ["schema"], ["score", "--help"]])
def test_a_broken_family_of_another_distribution_is_named_and_the_others_go_on(
    broken_family: dict[str, str], command: list[str]
) -> None:
    program = Path(sys.executable).with_name("penstock")
    done = subprocess.run([program, *command], env=broken_family, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    expected = {"families": "talking-head", "schema": "talking-head", "score": "lipsync"}[command[0]]
    assert expected in done.stdout
    first, second = done.stderr.splitlines()
    assert first.startswith("warning: penstock.families: blurry = blurry:FAMILY: the family 'blurry' cannot be loaded")
    assert "RuntimeError" in first
    assert "\x1b" not in first
    assert second.startswith(
        "warning: penstock.families: gone = blurry_exit:FAMILY: the family 'gone' cannot be loaded"
    )


@pytest.mark.slow
def test_a_model_of_a_broken_family_is_told_so(broken_family: dict[str, str]) -> None:
    code = "from penstock.families.registry import family; family('blurry')"
    done = subprocess.run([sys.executable, "-c", code], env=broken_family, capture_output=True, text=True, check=False)
    assert "the family 'blurry' cannot be loaded: RuntimeError: needs a" in done.stderr
    assert "Install a version of it that fits this Penstock." in done.stderr
