"""What ``penstock run`` does, without what a person sees of it."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path

import pytest
from tests.unit.cli.made_runs import made_run

from penstock.bundle.failures import remember_failure
from penstock.foundation.errors import ExitCode, UsageError
from penstock.foundation.files import write_text
from penstock.local_run.engine import Listening
from penstock.local_run.requested_run import carry_out, go_on, is_resumable
from penstock.local_run.run_folder import REFUSED, REQUEST
from penstock.local_run.run_request import Options
from penstock.local_run.run_scratch import scratch
from penstock.tekton.run_json import ignore_events

PIPELINE = """
apiVersion: tekton.dev/v1
kind: Pipeline
metadata: {name: p}
spec:
  params: [{name: code}]
  tasks:
    - name: t
      params: [{name: code, value: $(params.code)}]
      taskSpec:
        params: [{name: code}]
        steps: [{name: s, image: x, command: [sh, -c, exit $(params.code)]}]
"""


def deaf() -> nullcontext[object]:
    return nullcontext(ignore_events)


LISTENING: Listening = deaf  # type: ignore[assignment]


def options(folder: Path, **given: str) -> Options:
    file = folder / "p.yaml"
    write_text(file, PIPELINE)
    params = (f"code={given['code']}",) if "code" in given else ()
    return Options(what=str(file), params=params, name=given.get("name", "r"), out=folder / "out")


def test_any_pipeline_runs_and_its_request_is_kept(tmp_path: Path) -> None:
    finished = carry_out(options(tmp_path, code="0"), listening=LISTENING, say=str)
    assert (finished.code, finished.track, finished.go_on) == (ExitCode.OK, False, "")
    assert finished.folder == tmp_path / "out" / "runs" / "r"
    assert json.loads((finished.folder / REQUEST).read_text(encoding="utf-8"))["params"] == {"code": "0"}
    with pytest.raises(UsageError, match="the run 'r' exists already"):
        carry_out(options(tmp_path, code="0"), listening=LISTENING, say=str)


def test_a_refused_run_leaves_its_name(tmp_path: Path) -> None:
    refused = carry_out(options(tmp_path), listening=LISTENING, say=str)
    assert refused.code == ExitCode.USAGE
    assert (refused.folder / REFUSED).exists()
    assert carry_out(options(tmp_path, code="7"), listening=LISTENING, say=str).code == ExitCode.REJECTED
    assert not (refused.folder / REFUSED).exists()


def test_a_run_that_goes_on_in_another_process_is_not_marked_refused(tmp_path: Path) -> None:
    given = options(tmp_path, code="0")
    folder = tmp_path / "out" / "runs" / "r"
    folder.mkdir(parents=True)
    with scratch(folder), pytest.raises(UsageError, match="going on in another process"):
        carry_out(given, listening=LISTENING, say=str)
    assert not (folder / REFUSED).exists()


@pytest.mark.parametrize(
    ("code", "resumable"),
    [
        (ExitCode.OK, False),
        (ExitCode.REJECTED, False),
        (ExitCode.USAGE, False),
        (ExitCode.INCONCLUSIVE, False),
        (ExitCode.WORLD, True),
        (ExitCode.BUG, True),
    ],
)
def test_going_on_is_offered_where_it_can_help(tmp_path: Path, code: ExitCode, resumable: bool) -> None:
    bundle = made_run(tmp_path / "runs", "r", "1.0.0")
    assert is_resumable(bundle.path.parent, code, track=True) == resumable
    remember_failure(bundle, "infer", "the server does not answer")
    assert is_resumable(bundle.path.parent, code, track=True) == resumable
    remember_failure(bundle, "infer", "the model cannot be read", resumable=False)
    assert not is_resumable(bundle.path.parent, code, track=True)
    assert go_on(Options(what="release", out=Path("my runs")), "r") == (
        "Go on with: penstock run release --out 'my runs' --resume r"
    )
