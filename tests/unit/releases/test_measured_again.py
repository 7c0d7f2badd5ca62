"""A stored baseline of another arithmetic: its archived outputs are brought, and what was measured of them counts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation, Measurement, Run
from penstock.bundle.rerun_bundle import is_measured_again
from penstock.contract.policy import Policy
from penstock.foundation.errors import ExitCode, UsageError, WorldError
from penstock.releases.baseline import baseline
from penstock.releases.measured_again import NotMeasuredAgainError, bring_outputs, measured_again, put_in_place
from penstock.releases.release import publish
from penstock.releases.rerun_baseline import baseline_of
from penstock.store.archive import archive
from penstock.store.local import LocalStore

MODEL = "sonic-lite"
F32 = f"syncnet@sha256:{'a' * 64}"
BF16 = f"{F32}+bf16-openvino"
OTHER = f"syncnet@sha256:{'b' * 64}"
OUTPUT = "outputs/größe/output.mp4"
STORED = Policy.model_validate({"rules": [{"metric": "lse_d", "margin": 0.1}]})
VALUES = [
    Measurement(case="c", metric="lse_d", value=7.0, extractor=BF16),
    Measurement(case="d", metric="lse_d", value=None, error="no face", extractor=BF16),
    Measurement(case="c", metric="sharpness", value=9.0),
]


def bundle_of(folder: Path, run_id: str, label: str, values: Sequence[Measurement], **more: str | None) -> Bundle:
    bundle = accepted_bundle(folder / run_id, run_id=run_id, **more)  # type: ignore[arg-type]
    bundle.update_run(bundle.run().model_copy(update={"extractors": {"lipsync": label}}))
    calls = [("c", OUTPUT, "ok"), ("d", None, "failed")]
    bundle.write_invocations(Invocation(case=case, status=status, output=path) for case, path, status in calls)  # type: ignore[arg-type]
    bundle.write_measurements(values)
    return bundle


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    """run-1 is released, measured in bf16."""
    store = LocalStore(tmp_path / "store")
    release(store, bundle_of(tmp_path, "run-1", BF16, VALUES))
    return store


def release(store: LocalStore, bundle: Bundle) -> None:
    archive(bundle, store, model=MODEL, run_id=bundle.run().run_id)
    publish(store, bundle)


@pytest.fixture
def candidate(tmp_path: Path) -> Bundle:
    """Measured in f32."""
    values = [Measurement(case="c", metric="lse_d", value=7.3, extractor=F32)]
    return bundle_of(tmp_path, "run-2", F32, values, version="1.1.0")


def archived(store: LocalStore, name: str) -> Path:
    """A file of the release, to be changed."""
    path = Path(store.uri) / "runs" / MODEL / "run-1" / name
    path.chmod(0o600)
    return path


def measure(released: Bundle, *values: Measurement, label: str = F32) -> None:
    """As *measure* leaves it."""
    released.update_run(released.run().model_copy(update={"extractors": {"lipsync": label}}))
    released.write_measurements(values)


AGAIN = (
    Measurement(case="c", metric="lse_d", value=7.1, extractor=F32),
    Measurement(case="d", metric="lse_d", value=None, error="no face", extractor=F32),
    Measurement(case="c", metric="sharpness", value=9.5),
    Measurement(case="c", metric="new", value=1.0, extractor=F32),
)


def test_calls_and_outputs_come_and_the_bundle_says_what_it_is(
    store: LocalStore, candidate: Bundle, tmp_path: Path
) -> None:
    released = Bundle(tmp_path / "baseline")
    run = bring_outputs(store, candidate.run(), released.path)
    assert is_measured_again(released)
    assert (run.run_id, run.track, run.stored_extractors) == ("run-1", "measured-again", {"lipsync": BF16})
    assert (released.path / OUTPUT).read_bytes() == b"video" * 1000
    assert [call.case for call in released.invocations()] == ["c", "d"]
    assert not released.measurements_file.exists(), "nothing that is stored may be taken for measured again"
    assert released.failures.is_dir()
    measure(released, *AGAIN)
    assert bring_outputs(store, candidate.run(), released.path) == released.run(), "a second attempt changes nothing"
    assert len(released.measurements()) == len(AGAIN)


@pytest.mark.parametrize("killed_after", ["record", "outputs", "mark"])
def test_an_attempt_that_was_killed_is_taken_up(
    store: LocalStore, candidate: Bundle, tmp_path: Path, killed_after: str
) -> None:
    from penstock.store.archive import fetch

    released = Bundle(tmp_path / "baseline")
    only = ("run.json",) if killed_after == "record" else ("run.json", "invocations.jsonl", "outputs")
    fetch(store, MODEL, "run-1", released.path, only=only)
    if killed_after == "mark":
        known = {"track": "measured-again", "stored_extractors": {"lipsync": BF16}}
        released.update_run(released.run().model_copy(update=known))
    bring_outputs(store, candidate.run(), released.path)
    assert (released.path / OUTPUT).is_file()
    assert not released.manifest_file.exists()
    assert released.run().stored_extractors == {"lipsync": BF16}


@pytest.mark.parametrize(
    "change", [{"extractors": {"lipsync": OTHER}}, {"parameters": {"steps": 4}, "schema_version": 2}], ids=str
)
def test_what_else_cannot_be_compared_is_refused_before_outputs_come(
    store: LocalStore, candidate: Bundle, tmp_path: Path, change: dict[str, object]
) -> None:
    released = Bundle(tmp_path / "baseline")
    with pytest.raises(UsageError, match="the two runs cannot be compared"):
        bring_outputs(store, candidate.run().model_copy(update=change), released.path)
    assert not released.outputs.exists()


@pytest.mark.parametrize(
    ("spoil", "said"), [(Path.unlink, "größe/output.mp4"), (lambda path: path.write_bytes(b"x"), "größe/output.mp4")]
)
def test_outputs_that_are_gone_or_damaged_are_the_worlds_failure(
    store: LocalStore, candidate: Bundle, tmp_path: Path, spoil, said: str
) -> None:
    spoil(archived(store, OUTPUT))
    with pytest.raises(NotMeasuredAgainError, match="the archived outputs of the current release cannot") as told:
        bring_outputs(store, candidate.run(), tmp_path / "baseline")
    assert told.value.exit_code == ExitCode.WORLD
    assert said in str(told.value)
    assert "stored in lipsync=bf16-openvino, this run's are in lipsync=f32" in told.value.todo
    assert "baseline: rerun" in told.value.todo
    assert not is_measured_again(Bundle(tmp_path / "baseline"))


def test_an_output_that_was_never_archived_is_not_passed_over(candidate: Bundle, tmp_path: Path) -> None:
    """Measured without it, the release would only look worse."""
    store = LocalStore(tmp_path / "other")
    bundle = bundle_of(tmp_path, "run-1", BF16, VALUES)
    (bundle.path / OUTPUT).unlink()
    release(store, bundle)
    with pytest.raises(NotMeasuredAgainError, match=r"'outputs/größe/output\.mp4' is not archived"):
        bring_outputs(store, candidate.run(), tmp_path / "baseline")


def test_another_release_meanwhile_ends_the_run(store: LocalStore, candidate: Bundle, tmp_path: Path) -> None:
    released = Bundle(tmp_path / "baseline")
    with pytest.raises(WorldError, match="the current release is none"):
        bring_outputs(LocalStore(tmp_path / "empty"), candidate.run(), released.path)
    bring_outputs(store, candidate.run(), released.path)
    measure(released, *AGAIN)
    release(store, bundle_of(tmp_path, "run-3", BF16, VALUES, version="1.0.1", baseline="run-1"))
    for again in (
        lambda: bring_outputs(store, candidate.run(), released.path),
        lambda: baseline_of(store, MODEL, STORED, candidate, released.path),
    ):
        with pytest.raises(WorldError, match="'run-3', and the outputs of 'run-1' were measured again") as told:
            again()
        assert "Start the run again" in told.value.todo


def test_values_of_networks_take_the_place_of_stored_ones_and_no_other(
    store: LocalStore, candidate: Bundle, tmp_path: Path
) -> None:
    released = Bundle(tmp_path / "baseline")
    bring_outputs(store, candidate.run(), released.path)
    measure(released, *AGAIN)
    for _ in range(2):  # the step may be run again
        pointer, found = baseline_of(store, MODEL, STORED, candidate, released.path)
        assert pointer is not None
        assert found is not None
        assert found.measurements() == [AGAIN[0], AGAIN[1], VALUES[2]]
    record = measured_again(released)
    assert record is not None
    assert (record.metrics, record.stored, record.measured) == (["lse_d"], {"lipsync": BF16}, {"lipsync": F32})
    kept = Bundle(candidate.path / "baseline")
    assert (kept.run(), kept.measurements()) == (released.run(), released.measurements())
    assert {"baseline/run.json", "baseline/measurements.jsonl"} <= set(candidate.seal().files)


@pytest.mark.parametrize("values", [(AGAIN[0].model_copy(update={"value": None, "error": "cut off"}),), ()], ids=len)
def test_a_value_that_cannot_be_had_again_is_not_held_against_the_candidate(
    store: LocalStore, candidate: Bundle, tmp_path: Path, values: tuple[Measurement, ...]
) -> None:
    released = Bundle(tmp_path / "baseline")
    bring_outputs(store, candidate.run(), released.path)
    measure(released, *values)
    with pytest.raises(WorldError, match=r"'lse_d' is stored, and cannot be measured again: (cut off|it was not)"):
        put_in_place(store, baseline(store, MODEL), candidate, released)


def test_a_machine_that_computed_as_it_is_stored_changes_nothing(
    store: LocalStore, candidate: Bundle, tmp_path: Path
) -> None:
    """The second *measure* ran elsewhere: the gate then names both labels."""
    released = Bundle(tmp_path / "baseline")
    bring_outputs(store, candidate.run(), released.path)
    measure(released, *(line.model_copy(update={"value": 1.0}) for line in VALUES[:1]), VALUES[1], label=BF16)
    put_in_place(store, baseline(store, MODEL), candidate, released)
    assert released.measurements() == VALUES
    assert measured_again(released) is None


def test_a_bundle_that_was_fetched_or_ran_again_was_not_measured_again(store: LocalStore, tmp_path: Path) -> None:
    candidate = bundle_of(tmp_path, "run-2", BF16, [], version="1.1.0")
    _, fetched = baseline_of(store, MODEL, STORED, candidate, tmp_path / "baseline")
    assert fetched is not None
    assert measured_again(fetched) is None
    fetched.update_run(Run(penstock="1", run_id="run-1", track="rerun"))
    assert measured_again(fetched) is None
