"""With 'baseline: rerun' both models are put under load in turns: a slower one is told from a slower machine."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from tests.pipeline.loaded_service import ALONE, LOAD, contract, loaded_files
from tests.pipeline.pipeline_runs import release, run_release
from tests.unit.sources.source_servers import commit, git, new_repository

from penstock.bundle.directory import Bundle
from penstock.bundle.load_record import load_parts

POLICY = {
    "baseline": "rerun",
    "rules": [{"metric": "duration_error", "max": 0.1}, {"metric": "load_p50_ms", "margin": 30.0}],
}
SHORT = LOAD | ALONE | {"seconds": 2.0}


@pytest.mark.timeout(300)  # two runs
def test_a_slower_model_is_stopped_by_what_the_released_one_does_beside_it(tmp_path: Path) -> None:
    repository = new_repository(tmp_path / "speaker")
    commit(repository, loaded_files(SHORT, {}, policy=POLICY), "good")
    git(repository, "tag", "v1.0.0")
    # another rate of its own has no say: the candidate's is put to both
    slower = yaml.safe_dump(contract(SHORT | {"rate": 30.0}, policy=POLICY), sort_keys=False)
    release(repository, "v1.1.0", {"how.json": '{"answers_s": 0.2}', "penstock.yaml": slower})
    assert run_release(repository, tmp_path, "v1.0.0")[0] == 0
    code, bundle = run_release(repository, tmp_path, "v1.1.0")
    assert code == 1
    failed = {rule.metric: rule for rule in bundle.verdict().rules if rule.verdict != "pass"}
    assert list(failed) == ["load_p50_ms"]
    assert (failed["load_p50_ms"].candidate or 0) > 200
    assert 5 <= (failed["load_p50_ms"].baseline or 0) < 150
    assert failed["load_p50_ms"].interval is not None, "from resamples"
    baseline = Bundle(tmp_path / "runs" / "v1.1.0" / "baseline")
    for side in (bundle, baseline):
        assert [(part.part, part.rate, part.seconds, part.fault) for part in load_parts(side)] == [
            ("1/2", 30.0, 1.0, None),
            ("2/2", 30.0, 1.0, None),
        ]
    kept = Bundle(bundle.path / "baseline")
    assert "load_p50_ms" in {found.metric for found in kept.measurements()}
