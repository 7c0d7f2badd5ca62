"""Why a step failed is left in the bundle, for the step that tells people."""

from __future__ import annotations

import json

import pytest
from tests.unit.bundle.failing_step import run

from penstock.bundle.directory import Bundle
from penstock.bundle.failures import first_failure, forget_failure, remember_failure
from penstock.bundle.rerun_bundle import ReleasedError, released_errors
from penstock.foundation.errors import NoSpaceError, WorldError


def test_want_of_space_is_remembered_and_is_not_read_from_what_a_model_said(bundle: Bundle) -> None:
    """A bisection stops over a full disk; a model that says it is out of space is a commit that cannot be measured."""
    run(bundle, "--error=the model exited with code 1; the end of its log: no space is left on the disk")
    failure = first_failure(bundle)
    assert failure is not None
    assert not failure.full_disk
    assert run(bundle, "--full-disk=true") == 4
    failure = first_failure(bundle)
    assert failure is not None
    assert failure.full_disk


def test_the_released_model_s_failure_is_named_once_and_keeps_its_cause() -> None:
    with pytest.raises(ReleasedError) as caught, released_errors(), released_errors():
        raise NoSpaceError("no space is left on the disk", where="/work", todo="Free space.")
    assert caught.value.what == "the released model cannot be run again: no space is left on the disk"
    assert (caught.value.full_disk, caught.value.where) == (True, "/work")
    begins = "the released model cannot be run again: says the model"
    with pytest.raises(ReleasedError, match=f"the released model cannot be run again: {begins}"), released_errors():
        raise WorldError(begins)  # another's words do not count as ours


def test_a_second_try_that_succeeds_takes_it_back(bundle: Bundle) -> None:
    run(bundle, "--error=no")
    assert run(bundle) == 0
    assert first_failure(bundle) is None


def test_a_shard_that_succeeds_does_not_take_back_what_another_said(bundle: Bundle) -> None:
    run(bundle, "--error=the model crashed", "--shard=1/2", name="infer")
    run(bundle, "--shard=2/2", name="infer")
    failure = first_failure(bundle)
    assert failure is not None
    assert failure.error.endswith("the model crashed. Try again.")


def test_the_first_failure_is_the_cause(bundle: Bundle) -> None:
    remember_failure(bundle, "build", "first")
    remember_failure(bundle, "archive", "second")
    remember_failure(bundle, "enforce", "that there is no verdict is no cause")
    assert [entry.name for entry in sorted(bundle.failures.iterdir())] == ["archive.json", "build.json"]
    (bundle.failures / "clone.json").write_text("torn")
    failure = first_failure(bundle)
    assert failure is not None
    assert failure.step == "build"


def test_it_is_no_part_of_the_evidence(bundle: Bundle) -> None:
    remember_failure(bundle, "report", "lost")
    bundle.seal()
    assert list(bundle.verify().files) == ["run.json"]
    remember_failure(bundle, "archive", "S3 is away")
    bundle.verify()
    forget_failure(bundle, "archive")


def test_what_cannot_be_written_hides_no_error(bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    bundle.failures.rmdir()
    bundle.failures.write_text("in the way")
    assert run(bundle, "--error=no space is left on the disk") == 4
    (line,) = capsys.readouterr().out.splitlines()
    assert "no space is left on the disk" in json.loads(line)["error"]
