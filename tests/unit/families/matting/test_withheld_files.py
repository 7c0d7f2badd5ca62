"""What a case compares with is checked, digested, carried along and hidden, as the case alone says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.contract.found_faults import faults, only
from tests.unit.families.matting.drawn_clips import discs, write_clip
from tests.unit.families.matting.drawn_mattes import cutout, disc, save
from tests.unit.families.matting.matting_repository import matting_repository

from penstock.bisect.fixed_suite import PLACE, load_reference, put_reference
from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation
from penstock.bundle.steps import begin
from penstock.contract.load import load_contract, load_suite, withheld_paths
from penstock.contract.models import Contract, Suite
from penstock.evaluation.infer import Calls
from penstock.evaluation.measure import measure
from penstock.evaluation.measure_cache import suite_digest
from penstock.evaluation.plan import plan
from penstock.foundation.errors import UsageError
from penstock.gating.measurements import Table
from penstock.invocation.sandbox import ImageFiles
from penstock.report.cases import means


def loaded(root: Path) -> tuple[Contract, Suite]:
    contract = load_contract(root)
    return contract, load_suite(root, contract)


def planned(root: Path, tmp_path: Path) -> None:
    bundle = Bundle(tmp_path / "bundle")
    bundle.path.mkdir()
    begin(bundle, run_id="r", track="release")
    plan(*loaded(root), root, bundle, cache=None)


def test_check_finds_nothing_wrong_with_a_good_one(tmp_path: Path) -> None:
    assert faults(matting_repository(tmp_path)) == []


@pytest.mark.parametrize(
    ("truth", "what"),
    [
        ("truth/none.png", "truth/none.png: the file is missing (case 'a')"),
        ("suite.yaml", "suite.yaml: this is no image, sound or video"),
        ("../../../outside.png", "leaves"),
    ],
)
def test_check_names_the_line_of_a_truth_that_is_not_one(tmp_path: Path, truth: str, what: str) -> None:
    rule = {"metric": "mae", "max": 1}
    found = only(matting_repository(tmp_path, rule=rule, case={"truth": ["truth/t1.png", truth]}))
    assert what in found
    assert "cases[0].truth[1]" in found


def test_check_warns_of_a_truth_that_the_model_gets(tmp_path: Path) -> None:
    found = only(matting_repository(tmp_path, case={"inputs": {"image": "truth/t2.png"}}))
    assert "cases[0].truth[1]: truth/t2.png: the model gets this file as an input" in found
    assert found.endswith("(warning)")


def test_plan_decodes_truths_to_their_end(tmp_path: Path) -> None:
    root = matting_repository(tmp_path / "model")
    file = root / "suite" / "truth" / "t2.png"
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(UsageError, match="cut short") as caught:
        planned(root, tmp_path)
    assert "'truth[1]' of case 'a' in suite/suite.yaml" in caught.value.where


@pytest.mark.parametrize(
    ("name", "picture", "what"),
    [
        ("truth/t1.png", disc((40, 60)), "pixels, and"),
        ("photo/a.png", np.zeros((60, 90, 3), np.uint8), "the photo, upright, is 90x60"),
        ("truth/t2.png", cutout(disc())[:, :, :3] + np.array([0, 1, 2], np.uint8), "coloured and has no alpha"),
    ],
)
def test_plan_refuses_files_that_do_not_fit_together(tmp_path: Path, name: str, picture: Any, what: str) -> None:
    root = matting_repository(tmp_path / "model")
    save(root / "suite" / name, picture)
    with pytest.raises(UsageError, match=what) as caught:
        planned(root, tmp_path)
    assert caught.value.where == "case 'a' in suite/suite.yaml"


def test_the_digest_covers_them(tmp_path: Path) -> None:
    root = matting_repository(tmp_path)
    contract, suite = loaded(root)
    before = suite_digest(root, contract, suite)
    save(root / "suite" / "truth" / "t2.png", disc(radius=5))
    assert suite_digest(root, contract, suite) != before


def test_a_bisection_carries_them_to_other_commits(tmp_path: Path) -> None:
    reference = load_reference(matting_repository(tmp_path / "bad", truths=("t1.png", "new.png")))
    source = matting_repository(tmp_path / "commit")
    assert put_reference(source, reference) == ["suite"]
    assert (source / PLACE / "suite" / "truth" / "new.png").is_file()
    assert suite_digest(source, *loaded(source)) in reference.suite_digests


def test_the_model_may_not_read_them_unless_a_case_puts_them_to_it(tmp_path: Path) -> None:
    root = matting_repository(tmp_path / "model")
    contract, suite = loaded(root)
    assert withheld_paths(root, contract, suite.cases[0]) == {
        "truth": (root / "suite/truth/t1.png", root / "suite/truth/t2.png")
    }
    hidden = Calls(contract, suite, root, Bundle(tmp_path))._hidden
    assert hidden == (root / "suite/truth/t1.png", root / "suite/truth/t2.png")
    other = suite.cases[0].model_copy(update={"name": "b", "inputs": {"image": "truth/t2.png"}})
    both = suite.model_copy(update={"cases": [*suite.cases, other]})
    assert Calls(contract, both, root, Bundle(tmp_path))._hidden == (root / "suite/truth/t1.png",)
    code, image = tmp_path / "released", ImageFiles(tmp_path / "image")
    elsewhere = Calls(contract, both, root, Bundle(tmp_path), code=code, image=image)._hidden
    assert elsewhere == tuple(place / "suite/truth/t1.png" for place in (image.directory, root, code))


def test_a_repository_behind_a_link_hides_them_too(tmp_path: Path) -> None:
    root = matting_repository(tmp_path / "model")
    (tmp_path / "link").symlink_to(root)
    contract, suite = loaded(root)
    hidden = Calls(contract, suite, tmp_path / "link", Bundle(tmp_path))._hidden
    assert hidden == (root / "suite/truth/t1.png", root / "suite/truth/t2.png")


def test_measure_compares_with_them_and_writes_the_floor(tmp_path: Path) -> None:
    root = matting_repository(tmp_path / "model")
    contract, suite = loaded(root)
    bundle = Bundle(tmp_path / "bundle")
    output = save(bundle.outputs / "a" / "output.png", cutout(disc()))
    bundle.write_invocations(
        [Invocation(case="a", status="ok", output=output.relative_to(bundle.path).as_posix(), latency_s=0.5)]
    )
    measure(contract, suite, bundle, root)
    found = {line.metric: line for line in bundle.measurements()}
    apart = float(np.mean((disc() // 10) / 255))
    assert found["mae"].value == pytest.approx(apart / 2)
    assert found["mae"].floor == pytest.approx(apart)
    assert found["latency"].floor is None


def test_check_wants_several_references_for_a_margin_in_floors(tmp_path: Path) -> None:
    found = only(matting_repository(tmp_path / "one", truths=("t1.png",)))
    assert "policy.rules[0].margin" in found
    assert "no case has several" in found
    rule = {"metric": "mae", "slice": "hair", "margin": "2 floors"}
    found_too = faults(matting_repository(tmp_path / "two", rule=rule, case={"slices": ["glass"]}))
    assert any("no case with the slice 'hair' has several" in fault for fault in found_too)


def with_clip(root: Path) -> Path:
    """The repository with a clip as its only case."""
    case = {"inputs": {"video": "clip/v.mkv"}, "truth": "clip/t.mkv"}
    made = matting_repository(root, rule={"metric": "dtssd", "max": 2}, case=case)
    contract = made / "penstock.yaml"
    contract.write_text(contract.read_text(encoding="utf-8").replace("'{image}'", "'{video}'"), encoding="utf-8")
    write_clip(made / "suite" / "clip" / "v.mkv", discs())
    write_clip(made / "suite" / "clip" / "t.mkv", discs())
    return made


def test_check_and_plan_hold_a_clip_to_its_truth(tmp_path: Path) -> None:
    root = with_clip(tmp_path / "model")
    assert faults(root) == []
    planned(root, tmp_path)
    write_clip(root / "suite" / "clip" / "t.mkv", discs(3))
    with pytest.raises(UsageError, match=r"'t.mkv' has 3 frames, and the clip that the model gets has 4"):
        plan(*loaded(root), root, Bundle(tmp_path / "bundle"), cache=None)
    save(root / "suite" / "clip" / "p.png", disc())
    (root / "suite" / "clip" / "p.png").replace(root / "suite" / "clip" / "t.mkv")
    assert "this is an image file, where video is wanted" in only(root)


def test_what_does_not_apply_to_a_case_is_no_fault_of_its_call(tmp_path: Path) -> None:
    root = matting_repository(tmp_path / "model", rule={"metric": "mae", "max": 1})
    bundle = Bundle(tmp_path / "bundle")
    bundle.path.mkdir()
    bundle.write_invocations([Invocation(case="a", status="failed", error="no face")])
    lines = {line.metric: line for line in measure(*loaded(root), bundle, root)}
    assert (lines["dtssd"].applies, lines["dtssd"].error) == (False, "a photograph has no motion")
    assert (lines["fringe"].applies, lines["fringe"].error) == (False, "the case names no foreground")
    assert (lines["mae"].applies, lines["mae"].error) == (True, "no face")
    written = bundle.measurements_file.read_text(encoding="utf-8").splitlines()
    assert sum("applies" in line for line in written) == 2
    table = Table("candidate", bundle.measurements(), ["a"])
    assert table.values("dtssd", None).cases == set()
    assert table.values("mae", None).lost == {"a": "no face"}
    means_of = means(bundle.measurements())
    assert "dtssd" not in means_of
    assert means_of["mae"] is None
