"""What a run is asked for: its request and its name."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from penstock.foundation.errors import UsageError
from penstock.local_run.run_folder import begin
from penstock.local_run.run_request import Options, RunRequest, new_request, read_request, run_name, with_floor


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
        Options(what="file.yaml", repo="x"),
        Options(what="release", repo="x", revision="v1", params=("nothing",)),
        Options(what="release", regate="nowhere"),
        Options(what="verify", repo="x", revision="v1", regate="first"),
        Options(what="file.yaml", regate="first"),
        Options(what="file.yaml", weights="new.dat"),
        Options(what="release", repo="x", revision="v1", weights="absent.dat"),
        Options(what="verify", repo="x", revision="v1", policy_floor=Path("/nowhere.yaml")),
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
    assert again == RunRequest("release", first.params | {"regate": "first"}, first.workspaces)
    given = Options(what="release", regate="first", revision="v2", store="s3://bucket/a", params=("depth=1",))
    assert new_request(given, tmp_path).params == first.params | {
        "regate": "first",
        "revision": "v2",
        "store": "s3://bucket/a",
        "depth": "1",
    }
    elsewhere = new_request(Options(what="release", repo="model", revision="v1", regate="other"), tmp_path)
    assert elsewhere.params["regate"] == "other"


def test_a_run_that_is_judged_again_has_the_name_of_its_model_or_is_missed(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "first"
    request = new_request(Options(what="release", repo="my-model", revision="v1.1.0"), tmp_path)
    begin(folder, asdict(request))
    assert run_name(Options(what="release", regate="first", out=tmp_path)).startswith("my-model-1.1.0-")
    with pytest.raises(UsageError, match="there is no run 'other' on this machine"):
        new_request(Options(what="release", regate="other", out=tmp_path), tmp_path)


@pytest.mark.parametrize("name", ["UPPER", "-a", "a/b", "../a", "a" * 64])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is not a run's name"):
        run_name(Options(what="verify", name=name))


def test_a_run_that_is_resumed_is_what_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "first"
    begin(folder, asdict(new_request(Options(what="release", repo="m", revision="v1"), tmp_path)))
    resumed = read_request(folder, Options(what="release", resume="first"))
    assert resumed.params["revision"] == "v1"
    with pytest.raises(UsageError, match="--revision cannot be changed"):
        read_request(folder, Options(what="release", resume="first", revision="v2"))
    with pytest.raises(UsageError, match="the run 'first' is of release"):
        read_request(folder, Options(what="verify", resume="first"))
    with pytest.raises(UsageError, match="no run that can be resumed"):
        read_request(tmp_path / "runs" / "second", Options(what="release", resume="second"))
    assert with_floor(resumed, folder).workspaces == resumed.workspaces | {"policy-floor": str(folder / "policy-floor")}


def test_weights_are_a_parameter_of_both_tracks_and_of_a_run_that_is_judged_again(tmp_path: Path) -> None:
    """By their digest: what is resumed, or judged again, has the weights that it began with."""
    text = f"https://x.org/w#sha256={'a' * 64}"
    for what in ("verify", "release"):
        request = new_request(Options(what=what, repo="model", revision="v1", weights=text), tmp_path)
        assert request.params["weights"] == text
        assert "weights" not in new_request(Options(what=what, repo="model", revision="v1"), tmp_path).params
    folder = tmp_path / "runs" / "first"
    folder.mkdir(parents=True)
    begin(folder, asdict(request))
    assert new_request(Options(what="release", regate="first"), tmp_path).params["weights"] == text
    other = text.replace("a" * 64, "b" * 64)
    again = new_request(Options(what="release", regate="first", weights=other), tmp_path)
    assert again.params["weights"] == other
    with pytest.raises(UsageError, match="--weights cannot be changed"):
        read_request(folder, Options(what="release", resume="first", weights=text))
