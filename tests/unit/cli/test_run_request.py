"""What a run is asked for: its request, names and exit code."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from penstock.cli.run_request import Options, Request, begin, new_name, new_request, pairs, track_exit_code
from penstock.foundation.errors import ExitCode, UsageError
from penstock.tekton.run_json import PipelineRunResult, TaskRunRecord


def test_a_local_path_is_allowed_locally_and_a_url_is_left_as_it_is(tmp_path: Path) -> None:
    request = new_request(Options(what="release", repo="model", revision="v1"), tmp_path)
    assert request.params["url"] == str(Path("model").absolute())
    assert request.params["allow-local"] == "true"
    assert request.params["store"] == str(tmp_path / "store")
    for url in (
        "https://example.org/x.git",
        "git@example.org:x.git",
        "ssh://example.org/x",
        "ext::sh -c x",
        "file:///x",
    ):
        request = new_request(Options(what="release", repo=url, revision="v1", store="s3://bucket/a"), tmp_path)
        assert request.params["url"] == url
        assert "allow-local" not in request.params
        assert request.params["store"] == "s3://bucket/a"


@pytest.mark.parametrize(
    "options",
    [
        Options(what="release", revision="v1"),
        Options(what="release", repo="x"),
        Options(what="verify", repo="x", revision="v1", store="s"),
        Options(what="file.yaml", repo="x"),
        Options(what="release", repo="x", revision="v1", params=("nothing",)),
        Options(what="release", regate="nowhere"),
        Options(what="verify", repo="x", revision="v1", regate="first"),
        Options(what="file.yaml", regate="first"),
        Options(what="verify", repo="x", revision="v1", policy_floor=Path("floor.yaml")),
        Options(what="file.yaml", policy_floor=Path("floor.yaml")),
        Options(what="release", repo="x", revision="v1", policy_floor=Path("/nowhere.yaml")),
        Options(what="release", repo="x", revision="v1", workspaces=("basic-auth=/nowhere/at/all",)),
    ],
)
def test_options_that_do_not_fit_are_refused(options: Options, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        new_request(options, tmp_path)


def test_a_run_is_judged_again_as_it_was_started(tmp_path: Path) -> None:
    """From its name alone, if it ran here; what is given beside it wins."""
    first = new_request(Options(what="release", repo="model", revision="v1", params=("depth=0",)), tmp_path)
    folder = tmp_path / "runs" / "first"
    folder.mkdir(parents=True)
    begin(folder, asdict(first))
    again = new_request(Options(what="release", regate="first"), tmp_path)
    assert again == Request("release", first.params | {"regate": "first"}, first.workspaces)
    given = Options(what="release", regate="first", revision="v2", store="s3://bucket/a", params=("depth=1",))
    assert new_request(given, tmp_path).params == first.params | {
        "regate": "first",
        "revision": "v2",
        "store": "s3://bucket/a",
        "depth": "1",
    }
    elsewhere = new_request(Options(what="release", repo="model", revision="v1", regate="other"), tmp_path)
    assert elsewhere.params["regate"] == "other"


def test_values_keep_their_equals_signs() -> None:
    assert pairs(("a=b=c", "d="), "--param") == {"a": "b=c", "d": ""}
    with pytest.raises(UsageError, match="twice"):
        pairs(("a=1", "a=2"), "--param")


def ended(*failed: tuple[str, int | None]) -> PipelineRunResult:
    records = [
        TaskRunRecord(
            name=name, pipeline_task=name, status="False", exit_code=code, finished=f"2026-01-01T00:00:0{number}Z"
        )
        for number, (name, code) in enumerate(failed)
    ]
    status = "False" if failed else "True"
    return PipelineRunResult(
        name="r", pipeline="release", status=status, reason="Failed", message="", task_runs=records
    )


@pytest.mark.parametrize(
    ("failed", "code"),
    [
        ((), ExitCode.OK),
        ((("enforce", 1),), ExitCode.REJECTED),
        ((("enforce", 3),), ExitCode.INCONCLUSIVE),
        ((("notify", 4), ("enforce", 1)), ExitCode.REJECTED),
        ((("clone", 2),), ExitCode.USAGE),
        ((("infer", 4),), ExitCode.WORLD),
        ((("infer", 1),), ExitCode.BUG),
        ((("infer", 137),), ExitCode.WORLD),
        ((("measure", None),), ExitCode.WORLD),
        ((("measure", 70),), ExitCode.BUG),
    ],
)
def test_a_broken_run_never_looks_like_a_rejected_model(
    failed: tuple[tuple[str, int | None], ...], code: ExitCode
) -> None:
    assert track_exit_code(ended(*failed)) == code


def test_a_run_that_is_judged_again_has_the_name_of_its_model_or_is_missed(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "first"
    request = new_request(Options(what="release", repo="my-model", revision="v1.1.0"), tmp_path)
    begin(folder, asdict(request))
    assert new_name(Options(what="release", regate="first", out=tmp_path)).startswith("my-model-1.1.0-")
    with pytest.raises(UsageError, match="there is no run 'other' on this machine"):
        new_request(Options(what="release", regate="other", out=tmp_path), tmp_path)
