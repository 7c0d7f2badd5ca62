"""``penstock evaluate``: folders of answers, alone and compared, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from tests.unit.evaluation.photo_folders import photo_folders
from tests.unit.families.matting.drawn_mattes import cutout, disc, save
from typer.testing import CliRunner, Result

from penstock.bundle.directory import Bundle
from penstock.cli.evaluate import evaluate as command
from penstock.foundation.errors import UsageError

pytestmark = pytest.mark.usefixtures("one_worker")
app = typer.Typer()
app.command()(command)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    return photo_folders(tmp_path)


def run(folders: Path, *arguments: Any, answers: str = "new") -> Result:
    words = [folders / "photos", "--truth", folders / "mattes", "--answers", folders / answers, *arguments]
    return CliRunner().invoke(app, [str(word) for word in words])


def values(done: Result) -> Any:
    assert done.exit_code == 0, done.output + repr(done.exception)
    return json.loads(done.stdout)


def refused(done: Result, match: str) -> UsageError:
    assert isinstance(done.exception, UsageError), done.output
    assert match in str(done.exception)
    return done.exception


@pytest.mark.slow
def test_one_folder_has_the_mean_of_each_metric_with_its_interval_and_slices(folders: Path) -> None:
    found = values(run(folders, "--slices", folders / "slices.yaml", "--json"))
    assert (found["family"], found["cases"], found["name"], found["failed"]) == ("matting", 3, "new", [])
    by_metric = {entry["metric"]: entry for entry in found["metrics"]}
    # a disc of radius 1 is five pixels of 80 x 60, all of them wrong
    assert by_metric["mae"]["mean"] == pytest.approx(5 / 4800)
    assert by_metric["sad"]["mean"] == pytest.approx(0.005)
    assert by_metric["mae"]["n"] == 3
    assert by_metric["mae"]["interval"] == pytest.approx([5 / 4800] * 2)
    low, high = by_metric["iou"]["interval"]
    assert low < by_metric["iou"]["mean"] < high
    assert "latency" not in by_metric  # nobody was asked, so that no time is known
    assert [(entry["slice"], entry["n"]) for entry in found["slices"] if entry["metric"] == "mae"] == [
        ("hair", 2),
        ("shadow", 1),
    ]
    rows = {row["slice"]: row for row in found["by_slice"]}
    assert [(name, row["cases"], row["share"]) for name, row in rows.items()] == [
        (None, 3, 1.0),
        ("hair", 2, pytest.approx(2 / 3)),
        ("shadow", 1, pytest.approx(1 / 3)),
    ]
    # the metrics that the family names; nothing is known of fringe without true colours
    assert [entry["metric"] for entry in rows["hair"]["metrics"]] == ["iou", "uea", "spurious", "mae", "hd95"]
    assert rows[None]["metrics"][0]["mean"] == by_metric["iou"]["mean"]
    assert {entry["change"] for row in rows.values() for entry in row["metrics"]} == {None}
    text = run(folders, "--slices", folders / "slices.yaml").stdout
    assert "new: 3 photos, matting; bounds at level 0.05; no rule is applied" in text
    assert ["MAE", "0.00104", "0.00104", "…", "0.00104", "3"] in [line.split() for line in text.splitlines()]
    lines = text.splitlines()
    heads = next(line for line in lines if line.startswith("slice"))
    assert " ".join(heads.split()) == "slice cases share IoU [%] usable edge [%] spurious edge [%] MAE HD95 [px]"
    hair = next(place for place, line in enumerate(lines) if line.startswith("hair"))
    assert lines[hair].split()[:3] == ["hair", "2", "67"]
    assert lines[hair].split()[-2:] == ["0.00104", "0.00"]
    assert lines[hair + 1].split()[-6:] == ["0.00104", "…", "0.00104", "0.00", "…", "0.00"]
    assert lines[hair + 2].strip() == ""  # nothing was compared


@pytest.mark.slow
def test_two_folders_are_compared_with_wins_slices_and_a_page(folders: Path, tmp_path: Path) -> None:
    out = tmp_path / "made" / "evaluation"
    options = ("--against", folders / "old", "--slices", folders / "slices.yaml", "--out", out)
    found = values(run(folders, *options, "--json"))
    assert (found["baseline"], found["candidate"], found["page"]) == ("old", "new", str(out / "index.html"))
    mae = next(entry for entry in found["metrics"] if entry["metric"] == "mae")
    assert mae["candidate"] == pytest.approx(5 / 4800)
    assert mae["change"] == pytest.approx(mae["candidate"] - mae["baseline"])
    assert mae["change"] < 0
    assert (mae["better"], mae["worse"], mae["n"]) == (3, 0, 3)
    spurious = next(entry for entry in found["metrics"] if entry["metric"] == "hd100")
    assert (spurious["better"], spurious["worse"]) == (0, 3)  # the speck
    assert {entry["slice"] for entry in found["slices"]} == {"hair", "shadow"}
    whole, hair, _ = found["by_slice"]
    before, after, change = (
        next(entry[what] for entry in found["metrics"] if entry["metric"] == "iou")
        for what in ("baseline", "candidate", "change")
    )
    iou = whole["metrics"][0]
    assert (iou["mean"], iou["change"], iou["standing"]) == (after, change, "better")
    assert iou["change"] == pytest.approx(after - before)
    assert hair["metrics"][0]["change_interval"][0] > 0
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "This is an evaluation of answers without a release" in page
    assert "MAE (hair)" in page
    candidate = Bundle(out / "candidate")
    assert candidate.invocations()[0].output == "outputs/anna/output.png"
    assert candidate.run().track == "evaluation"
    assert (candidate.path / "outputs/anna/output.png").read_bytes() == (folders / "new" / "anna.png").read_bytes()
    assert Bundle(out / "baseline").run().suite == candidate.run().suite
    assert [path.name for path in out.parent.iterdir()] == ["evaluation"]  # nothing half made is left
    refused(run(folders, *options), "there is something already")
    text = run(folders, "--against", folders / "old", "--slices", folders / "slices.yaml").stdout.splitlines()
    place = next(place for place, line in enumerate(text) if line.startswith("hair"))
    assert text[place].split()[4] == f"{100 * hair['metrics'][0]['mean']:.2f}"
    assert text[place + 2].split()[:2] == [f"{100 * hair['metrics'][0]['change']:+.2f}", "better"]


def test_a_page_of_one_side_does_not_speak_of_a_first_release(folders: Path, tmp_path: Path) -> None:
    done = run(folders, "--out", tmp_path / "page")
    assert f"page: {tmp_path / 'page' / 'index.html'}" in done.stdout
    page = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    assert "first release" not in page
    assert "compared with nothing" in page
    assert "What was measured" in page


def test_files_without_a_partner_are_named_before_anything_is_measured(folders: Path) -> None:
    (folders / "mattes" / "bob.png").unlink()
    save(folders / "new" / "dora.png", cutout(disc()))
    error = refused(run(folders), "bob: there is no truth of this name; dora: there is no photo of this name")
    assert "2 of 4 names are not complete" in error.what
    assert str(folders / "mattes") in error.where


@pytest.mark.parametrize("kind", ["new", "photos", "mattes"])
def test_an_empty_or_missing_folder(folders: Path, kind: str) -> None:
    shutil.rmtree(folders / kind)
    refused(run(folders), f"{folders / kind}: the folder is missing")
    (folders / kind).mkdir()
    refused(run(folders), f"{folders / kind}: the folder holds no picture")


def test_a_truth_of_another_size_or_no_picture(folders: Path) -> None:
    save(folders / "mattes" / "bob.png", disc((40, 30)))
    error = refused(run(folders), "40x30 pixels, and the photo, upright, is 80x60")
    assert error.where == str(folders / "photos" / "bob.jpg")
    (folders / "mattes" / "bob.png").write_text("<html>", encoding="utf-8")
    error = refused(run(folders), "bob.png")
    assert error.where == str(folders / "mattes" / "bob.png")


@pytest.mark.slow
def test_an_answer_that_cannot_be_measured_is_told_and_exits_with_2(folders: Path) -> None:
    save(folders / "new" / "bob.png", cutout(disc((40, 30))))
    (folders / "new" / "cleo.png").write_bytes(b"no picture")
    done = run(folders)
    assert done.exit_code == 2, repr(done.exception)
    assert "! new, bob: the answer is 40x30 pixels where 80x60 are wanted" in done.stdout
    assert "! new, cleo: the output is not a PNG with alpha" in done.stdout
    # there is no mean of the others, which would flatter; and it is said once, not of each metric
    assert done.stdout.count("no value for 'bob' (the answer is 40x30") == 1
    assert "  MAE, MSE, SAD" in done.stdout
    found = json.loads(run(folders, "--json").stdout)
    assert [each["case"] for each in found["failed"]] == ["bob", "cleo"]
    assert found["metrics"][0]["mean"] is None


@pytest.mark.slow
def test_several_annotators_trimaps_and_colours(folders: Path) -> None:
    for name, radius in (("anna", 16), ("bob", 17), ("cleo", 18)):
        save(folders / "second" / f"{name}.png", disc(radius=radius))
        save(folders / "maps" / f"{name}.png", np.full((60, 80), 128, np.uint8))
        save(folders / "colours" / f"{name}.png", np.full((60, 80, 3), 120, np.uint8))
    save(folders / "colours" / "more.png", np.full((60, 80, 3), 120, np.uint8))  # of other photos: no harm
    more = ("--truth", folders / "second", "--trimap", folders / "maps", "--foreground", folders / "colours")
    found = values(run(folders, *more, "--json"))
    by_metric = {entry["metric"]: entry for entry in found["metrics"]}
    assert by_metric["mae"]["mean"] > 5 / 4800  # the second annotator sees a larger disc
    assert by_metric["fringe"]["mean"] > 0
    alone = values(run(folders, "--json"))
    shown = {entry["metric"] for entry in alone["metrics"]}
    assert by_metric.keys() - shown == {"fringe"}, "without true colours it says nothing of any photo"


def test_names_that_a_case_cannot_have(tmp_path: Path) -> None:
    folders = photo_folders(tmp_path, ("1#Dog (2)", "1-Dog-2-", "été"))
    assert values(run(folders, "--json"))["cases"] == 3


def test_slices_that_name_no_photo(folders: Path) -> None:
    (folders / "slices.yaml").write_text("hair: [anna]\nshadow:\n  - cloe\n", encoding="utf-8")
    error = refused(run(folders, "--slices", folders / "slices.yaml"), "there is no photo 'cloe'")
    assert "slices.yaml:3" in error.where
    assert "Did you mean 'cleo'?" in error.todo


def test_what_goes_together(folders: Path) -> None:
    refused(run(folders, "--command", "x"), "give --answers, --command, --url or --contract")
    refused(run(folders, "--url", "http://127.0.0.1:1"), "give --answers, --command, --url or --contract")
    refused(
        run(folders, "--against", folders / "old", "--against-command", "x"),
        "give --against, --against-command, --against-url or",
    )
    refused(run(folders, "--timeout", "0"), "this is no time for one photo: 0 s")
    refused(run(folders, "--family", "talking-head"), "are not compared with truth")
    refused(run(folders, "--preset", "rmgb"), "there is no preset 'rmgb'")
    words = [str(folders / "photos"), "--truth", str(folders / "mattes")]
    refused(CliRunner().invoke(app, words), "give --answers, --command, --url or --contract")
    refused(CliRunner().invoke(app, [*words, "--command", "python run.py {image}"]), "no argument holds '{output}'")
    refused(CliRunner().invoke(app, [*words, "--command", "x {image} {output} {what}"]), "what")


@pytest.mark.slow
def test_grey_mattes_are_answers_where_it_is_said(folders: Path) -> None:
    for name, radius in (("anna", 14), ("bob", 16), ("cleo", 16)):
        save(folders / "new" / f"{name}.png", disc(radius=radius))
    alone = run(folders)
    assert alone.exit_code == 2
    assert "the output is not a PNG with alpha" in alone.output
    found = values(run(folders, "--param", "answer_is=matte", "--json"))
    assert next(entry["mean"] for entry in found["metrics"] if entry["metric"] == "mae") > 0
    refused(run(folders, "--param", "answer_is=7"), "'answer_is' is 7")
    refused(run(folders, "--param", "answer_is"), "'answer_is' is not NAME=VALUE")


def test_a_failure_names_the_photo_as_its_owner_does(tmp_path: Path) -> None:
    folders = photo_folders(tmp_path, ("été 1", "人像", "plain"))
    save(folders / "new" / "人像.png", disc())
    alone = run(folders)
    assert alone.exit_code == 2
    assert "! new, 人像: the output is not a PNG with alpha" in alone.output
