"""How a side is asked; whole evaluations are in ``tests/unit/cli/test_evaluate_services.py``."""

from __future__ import annotations

import hashlib
import json
import pickle
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.evaluation.photo_folders import photo_folders

from penstock.evaluation.photo_suite import PhotoFolders, PhotoSuite, make_suite
from penstock.families.registry import family
from penstock.foundation.errors import UsageError
from penstock.local_run.evaluation_sides import (
    BASELINE,
    CANDIDATE,
    Answering,
    AskedModel,
    Calling,
    asked,
    no_call,
    side_names,
)

MATTING = family("matting")


@pytest.fixture
def listening() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def made(tmp_path: Path) -> PhotoSuite:
    root = photo_folders(tmp_path / "given", ("anna",))
    (tmp_path / "made").mkdir()
    folders = PhotoFolders(root / "photos", {"truth": [root / "mattes"]}, {})
    return make_suite(folders, MATTING, no_call(Calling("rmbg", {"answer_is": "matte"})), tmp_path / "made")


def ask(made: PhotoSuite, of: Answering, calling: Calling | None = None) -> AskedModel:
    found = asked(made, MATTING, of, CANDIDATE, calling or Calling())
    assert found is not None
    return found


def test_answers_that_are_there_are_not_asked_for(made: PhotoSuite, tmp_path: Path) -> None:
    assert asked(made, MATTING, Answering(tmp_path), CANDIDATE, Calling()) is None
    assert made.contract.call.parameters == {"scale_over": 2000, "scale_to": 1024, "answer_is": "matte"}


def test_a_service_without_a_preset_gets_a_form_at_its_own_address(made: PhotoSuite, listening: str) -> None:
    model = ask(made, Answering(url=f"{listening}/v1/{{cut}}/"), Calling(concurrency=4, timeout_s=2.5))
    http = model.contract.call.http
    assert http is not None
    assert (str(model.service), http.path) == (listening, "/v1/%7Bcut%7D")
    assert (http.method, http.files, http.response, http.concurrency) == ("POST", {"image": "image"}, "image/png", 4)
    assert (model.contract.call.timeout_s, model.contract.call.warmup) == (2.5, 0)
    assert model.given == f"{listening}/v1/{{cut}}/"


@pytest.mark.parametrize(
    ("given", "base"), [("", ""), ("/api/remove-bg", ""), ("/v2", "/v2"), ("/v2/api/remove-bg/", "/v2")]
)
def test_a_preset_has_its_own_path(made: PhotoSuite, listening: str, given: str, base: str) -> None:
    model = ask(made, Answering(url=listening + given), Calling("rmbg"))
    http = model.contract.call.http
    assert http is not None
    assert (str(model.service), http.path) == (listening + base, "/api/remove-bg")
    assert http.body is not None
    assert http.body.template == {"image": "{image|base64}"}
    assert model.contract.call.parameters["answer_is"] == "matte"


def test_a_program_is_started_here_with_the_time_that_was_given(made: PhotoSuite) -> None:
    model = ask(made, Answering(command="python cut.py {image} {output}"), Calling(timeout_s=3))
    assert model.contract.call.command is not None
    assert model.contract.call.command.argv == ["python", "cut.py", "{image}", "{output}"]
    assert (model.code, model.service, model.contract.call.timeout_s) == (Path.cwd(), None, 3)
    with pytest.raises(UsageError, match="no command line"):
        ask(made, Answering(command="python '"))


def test_two_sides_of_one_name_are_told_apart() -> None:
    url = Answering(url="http://host")
    assert side_names({CANDIDATE: url, BASELINE: Answering(Path("a/new"))}) == {CANDIDATE: url.url, BASELINE: "new"}
    assert side_names({CANDIDATE: url, BASELINE: url}) == {
        CANDIDATE: "http://host (candidate)",
        BASELINE: "http://host (baseline)",
    }


def model_at(folder: Path, **changes: object) -> Path:
    """A model's directory, with weights."""
    folder.mkdir()
    (folder / "weights.npy").write_bytes(WEIGHTS)
    contract = {
        "version": 1,
        "name": "cutter",
        "family": "matting",
        "weights": [{"path": "weights.npy", "sha256": hashlib.sha256(WEIGHTS).hexdigest(), "source": "lfs"}],
        "call": {"command": {"argv": ["python", "cut.py", "{image}", "{output}"], "output": ".png"}, "warmup": 3},
        "suite": "suite",
        "policy": {"rules": [{"metric": "mae", "max": 1}]},
    }
    (folder / "penstock.yaml").write_text(json.dumps(contract | changes), encoding="utf-8")
    return folder


WEIGHTS = (
    b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }".ljust(127) + b"\n" + bytes(8)
)


def test_a_model_is_called_as_its_contract_says_over_these_photos(made: PhotoSuite, tmp_path: Path) -> None:
    code = model_at(tmp_path / "cutter")
    for given in (code, code / "penstock.yaml"):
        model = ask(made, Answering(contract=given), Calling(parameters={"answer_is": "matte"}, timeout_s=9))
        assert model.contract.call.command is not None
        assert model.contract.call.command.argv == ["python", "cut.py", "{image}", "{output}"]
        assert (model.contract.call.warmup, model.contract.call.timeout_s) == (3, 9)
        assert model.contract.call.parameters == {"answer_is": "matte"}  # none of --preset's, which are others'
        assert (model.contract.suite, model.code, model.service) == (made.contract.suite, code, None)
        assert side_names({CANDIDATE: Answering(contract=given)}) == {CANDIDATE: "cutter"}


def test_the_truth_of_the_model_s_own_suite_is_hidden(made: PhotoSuite, tmp_path: Path) -> None:
    code = model_at(tmp_path / "cutter")
    photo_folders(code / "suite", ("anna",))
    case = {"name": "anna", "inputs": {"image": "photos/anna.jpg"}, "truth": "mattes/anna.png"}
    suite = {"version": 1, "family": "matting", "cases": [case]}
    (code / "suite" / "suite.yaml").write_text(json.dumps(suite), encoding="utf-8")
    assert ask(made, Answering(contract=code)).hidden == (code.resolve() / "suite" / "mattes" / "anna.png",)


WANTS = {"command": {"argv": ["python", "cut.py", "{image}", "{strength}", "{output}"], "output": ".png"}}


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"family": "talking-head"}, "the model is of the family 'talking-head', not 'matting'"),
        ({"call": WANTS}, "its calls want 'strength', and here there is the input 'image' alone"),
        ({"suit": "suite"}, "suit"),
    ],
)
def test_a_model_that_cannot_be_asked(made: PhotoSuite, tmp_path: Path, changes: dict[str, object], match: str) -> None:
    code = model_at(tmp_path / "cutter", **changes)
    with pytest.raises(UsageError, match=match):
        ask(made, Answering(contract=code))


def test_weights_must_be_there_as_the_contract_names_them(made: PhotoSuite, tmp_path: Path) -> None:
    code = model_at(tmp_path / "cutter")
    (code / "weights.npy").write_bytes(WEIGHTS + b"x")
    with pytest.raises(UsageError, match=r"the weights are sha256:[0-9a-f]{64}, and the contract names sha256:"):
        ask(made, Answering(contract=code))
    (code / "weights.npy").unlink()
    with pytest.raises(UsageError, match="the weights are not there"):
        ask(made, Answering(contract=code))
    pickled = pickle.dumps(print)
    (code / "weights.npy").write_bytes(pickled)
    (code / "penstock.yaml").write_text(
        (code / "penstock.yaml")
        .read_text(encoding="utf-8")
        .replace(hashlib.sha256(WEIGHTS).hexdigest(), hashlib.sha256(pickled).hexdigest()),
        encoding="utf-8",
    )
    with pytest.raises(UsageError, match="not a NumPy array"):
        ask(made, Answering(contract=code))
    with pytest.raises(UsageError, match=r"there is no penstock\.yaml"):
        ask(made, Answering(contract=tmp_path))
