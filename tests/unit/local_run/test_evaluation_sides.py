"""How a side is asked; whole evaluations are in ``tests/unit/cli/test_evaluate_services.py``."""

from __future__ import annotations

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
    return make_suite(folders, MATTING, no_call("rmbg", {"answer_is": "matte"}), tmp_path / "made")


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
