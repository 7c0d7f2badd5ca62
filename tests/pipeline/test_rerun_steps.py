"""The steps of ``baseline: rerun``, one by one: what the released model is, how it is run, and what breaks the run."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from penstock_tasks.clone import entrypoint as clone
from penstock_tasks.collect import entrypoint as collect
from penstock_tasks.infer import entrypoint as infer
from penstock_tasks.notify import entrypoint as notify
from penstock_tasks.plan import entrypoint as plan
from penstock_tasks.weights import entrypoint as weights
from tests.pipeline.pipeline_runs import MODEL, contract, files, text
from tests.unit.sources.source_servers import commit, git, new_repository

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Image
from penstock.bundle.rerun_bundle import TRACK
from penstock.bundle.shards import shards_folder
from penstock.bundle.steps import begin
from penstock.releases.release import publish
from penstock.store.archive import archive
from penstock.store.open import open_store

IMAGES = {name: Image(kind="image", url="registry:5000/tiny", digest=f"sha256:{name * 64}") for name in "ab"}
"""Of the candidate and of the released model."""
PROCESS = Image(kind="process", digest="sha256:" + "c" * 64)
CASES = [f"case-{number}" for number in range(5)]


def repository(folder: Path, **changes: str) -> Path:
    """A model's repository with five cases."""
    content = files()
    inputs = yaml.safe_load(str(content["suite/suite.yaml"]))["cases"][0]["inputs"]
    cases = [{"name": name, "inputs": inputs, "parameters": {"number": name[-1]}} for name in CASES]
    content["suite/suite.yaml"] = text({"version": 1, "family": "talking-head", "cases": cases})
    content |= {name.replace("_", "."): value for name, value in changes.items()}
    commit(new_repository(folder), content, "release")
    return folder


class Run:
    """The workspaces of a run with two models, and its steps."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys
        self.source, self.released = folder / "source", folder / "released"
        self.bundle, self.baseline = Bundle(folder / "bundle"), Bundle(folder / "baseline")
        (folder / "runtime").mkdir()
        begin(self.bundle, run_id="run", track="release")
        begin(self.baseline, run_id="first", track=TRACK)

    def images(self, candidate: Image, released: Image) -> None:
        for bundle, image in ((self.bundle, candidate), (self.baseline, released)):
            bundle.update_run(bundle.run().model_copy(update={"image": image}))

    def step(self, module: ModuleType, expected: int, *more: str, **workspaces: Path) -> dict[str, str]:
        """Run a step over the workspaces; returns its results, or what it said when it failed."""
        results = {name: self.folder / "results" / name for name in module.RESULTS}
        given = [f"--{name}={path}" for name, path in workspaces.items()]
        given += [f"--result={name}={path}" for name, path in results.items()]
        self.capsys.readouterr()
        assert module.main([*given, *more]) == expected, self.capsys.readouterr().out
        if expected:
            lines = [json.loads(line) for line in self.capsys.readouterr().out.splitlines()]
            return {"error": next(line["error"] for line in lines if line["event"] in ("error", "bug"))}
        return {name: path.read_text(encoding="utf-8") for name, path in results.items()}

    def plan(self, *more: str, expected: int = 0) -> dict[str, str]:
        places = {"source": self.source, "bundle": self.bundle.path, "cache": self.folder / "cache"}
        places |= {"released": self.released, "baseline": self.baseline.path}
        return self.step(plan, expected, *more, **places)

    def infer(self, shard: str, image: str, *, released: bool = False, turns: bool = False, expected: int = 0) -> str:
        places = {"source": self.source, "bundle": self.baseline.path if released else self.bundle.path}
        places["runtime"] = self.folder / "runtime"
        if released or turns:
            places["released"] = self.released
        if turns:
            places["baseline"] = self.baseline.path
        told = self.step(infer, expected, f"--shard={shard}", f"--image={image}", "--runtime-id=x", **places)
        return told.get("error", "")

    def collect(self, *more: str, released: bool = False, expected: int = 0) -> str:
        bundle = self.baseline if released else self.bundle
        places = {"source": self.source, "bundle": bundle.path, "cache": self.folder / "cache"}
        flag = f"--released={str(released).lower()}"
        return self.step(collect, expected, flag, *more, **places).get("error", "")


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Run]:
    def made(**released: str) -> Run:
        repository(tmp_path / "source")
        repository(tmp_path / "released", **released)
        return Run(tmp_path, capsys)

    return made


def order(run: Run) -> str:
    """``C`` and ``R`` with the case's number, by the time of the calls."""
    sides = (("C", run.bundle), ("R", run.baseline))
    calls = [(call.started or "", f"{name}{call.case[-1]}") for name, side in sides for call in side.invocations()]
    return " ".join(name for _, name in sorted(calls))


def test_images_run_in_four_blocks_one_after_another(run: Callable[..., Run]) -> None:
    two = run()
    two.images(*IMAGES.values())
    planned = two.plan()
    images = [f"{image.url}@{image.digest}" for image in IMAGES.values()]
    assert (planned["image"], planned["released-image"]) == tuple(images)
    assert (planned["beside"], planned["unchanged"]) == ("blocks", "false")
    assert sum(len(name) + len(value) for name, value in planned.items()) < 1024
    (first,), (second,) = json.loads(planned["shards"]), json.loads(planned["second"])
    # as the pipeline has them: infer, infer-released, infer-released-again, infer-again
    two.infer(first, images[0])
    two.infer(first, images[1], released=True)
    two.infer(second, images[1], released=True)
    two.infer(second, images[0])
    two.collect()
    two.collect(released=True)
    assert order(two) == "C0 C2 C4 R0 R2 R4 R1 R3 C1 C3"
    for side, image in zip((two.bundle, two.baseline), images, strict=True):
        inference = side.run().inference
        assert inference is not None
        assert [shard.image for shard in inference.shards] == [image, image]
    assert two.baseline.run().suite == two.bundle.run().suite


def test_more_shards_are_more_in_each_block(run: Callable[..., Run]) -> None:
    two = run()
    two.images(*IMAGES.values())
    planned = two.plan("--shards=2")
    assert json.loads(planned["shards"]) == ["1/4", "2/4"]
    assert json.loads(planned["second"]) == ["3/4", "4/4"]
    many = json.loads(two.plan("--shards=32")["shards"])
    assert len(many) == 3, "not more parts than cases, in two blocks"
    assert "Choose 1 to 32" in two.plan("--shards=33", expected=2)["error"]


def test_one_case_is_one_block_each(run: Callable[..., Run]) -> None:
    two = run()
    suite = two.source / "suite" / "suite.yaml"
    cases = yaml.safe_load(suite.read_text(encoding="utf-8"))
    suite.write_text(text(cases | {"cases": cases["cases"][:1]}), encoding="utf-8")
    two.images(*IMAGES.values())
    planned = two.plan()
    assert planned["beside"] == "block"
    # Tekton skips a task over an empty array and all that comes after it: the array of what is not run is not empty
    assert json.loads(planned["second"]) == json.loads(planned["shards"]) == ["1/1"]


def test_without_images_both_take_turns_in_one_step(run: Callable[..., Run]) -> None:
    """Also where the released model was released as an image: then its code runs as the candidate's does."""
    two = run()
    source = two.bundle.run().source
    assert source is None
    two.images(PROCESS, IMAGES["b"])
    planned = two.plan("--shards=4")
    assert (planned["beside"], json.loads(planned["shards"])) == ("turns", ["1/1"])
    two.infer("1/1", planned["image"], turns=True)
    two.collect()
    two.collect(released=True)
    assert order(two) == "C0 R0 R1 C1 C2 R2 R3 C3 C4 R4"


def test_turns_are_taken_up_where_they_were_torn_apart(run: Callable[..., Run]) -> None:
    """A case that was put to one of the two only is put to both again: a pair is of one time."""
    two = run()
    two.images(PROCESS, PROCESS)
    planned = two.plan()
    two.infer("1/1", planned["image"], turns=True)
    ours, theirs = (Bundle(shards_folder(side) / "1-of-1") for side in (two.bundle, two.baseline))
    before = ours.invocations()
    ours.write_invocations(before[:4])
    theirs.write_invocations(theirs.invocations()[:3])
    two.infer("1/1", planned["image"], turns=True)
    after = ours.invocations()
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, True, True, False, False]
    assert [call.case for call in theirs.invocations()] == CASES


def test_pairs_are_fresh_although_the_candidate_is_unchanged(run: Callable[..., Run]) -> None:
    two = run()
    two.images(PROCESS, PROCESS)
    alone = {"source": two.source, "bundle": two.bundle.path, "cache": two.folder / "cache"}
    assert two.step(plan, 0, **alone)["unchanged"] == "false"
    two.infer("1/1", "none")
    two.collect()
    again = two.step(plan, 0, **alone)
    assert (again["unchanged"], again["beside"]) == ("true", "")
    beside = two.plan()
    assert (beside["unchanged"], beside["beside"]) == ("false", "turns")
    kept = sorted((two.folder / "cache" / "steps" / "infer").iterdir())
    two.infer("1/1", beside["image"], turns=True)
    two.collect()
    assert sorted((two.folder / "cache" / "steps" / "infer").iterdir()) == kept


def test_the_released_model_is_called_its_own_way_with_the_candidates_parameters(run: Callable[..., Run]) -> None:
    own = {"argv": ["python", "other.py", "{level}", "{output}"], "output": ".mp4"}
    script = 'import shutil, sys\nprint("level", sys.argv[1])\nshutil.copyfile("answer.mp4", sys.argv[2])\n'
    call = {"command": own, "parameters": {"level": 1}, "warmup": 3, "timeout_s": 1.0}
    two = run(penstock_yaml=text(contract(call=call)), other_py=script)
    told = two.source / "penstock.yaml"
    told.write_text(text(contract(call=contract()["call"] | {"parameters": {"level": 7}})), encoding="utf-8")
    two.images(PROCESS, PROCESS)
    two.infer("1/1", two.plan()["image"], turns=True)
    two.collect(released=True)
    said = (two.baseline.path / "logs" / "model.log").read_text(encoding="utf-8")
    assert said.count("level 7") == len(CASES)
    assert "level 1" not in said
    assert two.baseline.run().parameters == two.bundle.run().parameters == {"level": 7}


# what breaks the run


def test_the_candidate_in_an_image_is_not_compared_with_a_process(run: Callable[..., Run]) -> None:
    two = run()
    two.images(IMAGES["a"], PROCESS)
    error = two.plan(expected=4)["error"]
    assert "the released model cannot be run again: " in error
    assert "build-mode=process" in error


def test_a_case_that_the_released_model_cannot_be_called_with(run: Callable[..., Run]) -> None:
    argv = ["python", "model.py", "{image}", "{audio}", "{output}", "{mood}"]
    two = run(penstock_yaml=text(contract(call=contract()["call"] | {"command": {"argv": argv}})))
    two.images(PROCESS, PROCESS)
    error = two.plan(expected=4)["error"]
    assert "the released model cannot be run again: the case 'case-0' has nothing that fills '{mood}'" in error


def test_a_contract_that_is_none(run: Callable[..., Run]) -> None:
    two = run(penstock_yaml="version: 0\n")
    two.images(PROCESS, PROCESS)
    assert "the released model cannot be run again: " in two.plan(expected=4)["error"]


def test_a_released_model_that_crashes_always_is_no_baseline(run: Callable[..., Run]) -> None:
    two = run(model_py="raise SystemExit('no card')\n")
    two.images(PROCESS, PROCESS)
    two.infer("1/1", two.plan()["image"], turns=True)
    two.collect()
    error = two.collect(released=True, expected=4)
    assert "the released model cannot be run again: 5 of 5 calls of it failed, first: the model exited" in error
    assert "no card" in error
    told = two.step(notify, 0, "--status=Failed", bundle=two.bundle.path, baseline=two.baseline.path)
    assert "5 of 5 calls of it failed" in told["summary"]


def test_a_case_that_the_released_model_crashes_on_is_not_held_against_the_candidate(run: Callable[..., Run]) -> None:
    crashing = MODEL.replace(
        "import os, shutil, sys", "import os, shutil, sys\nif '肖像' in str(sys.argv): sys.exit(1)"
    )
    two = run(model_py=crashing)
    suite = two.source / "suite" / "suite.yaml"
    cases = yaml.safe_load(suite.read_text(encoding="utf-8"))["cases"]
    cases[0]["inputs"] = cases[0]["inputs"] | {"image": "肖像.png"}
    suite.write_text(text({"version": 1, "family": "talking-head", "cases": cases}), encoding="utf-8")
    two.images(PROCESS, PROCESS)
    two.infer("1/1", two.plan()["image"], turns=True)
    error = two.collect(released=True, expected=4)
    assert "case case-0: the released model cannot be run again: 1 of 5 calls of it failed" in error
    assert "take it out of the suite" in error


@pytest.mark.parametrize("turns", [True, False], ids=["turns", "block"])
def test_a_released_service_that_does_not_start_is_named(run: Callable[..., Run], turns: bool) -> None:
    http = {"argv": ["python", "service.py", "{port}"], "path": "/generate", "response": "video/mp4"}
    call = {"http": http | {"files": {"image": "image"}, "ready_timeout_s": 5.0}}
    two = run(penstock_yaml=text(contract(call=call)), service_py="raise SystemExit('no card')\n")
    two.images(*((PROCESS, PROCESS) if turns else IMAGES.values()))
    planned = two.plan()
    image = planned["image" if turns else "released-image"]
    error = two.infer(json.loads(planned["shards"])[0], image, released=not turns, turns=turns, expected=4)
    assert "the released model cannot be run again: the model exited with code 1 before it was ready" in error
    assert "baseline: stored" in error


# which model is the released one


class Store:
    """A store with one release."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "store"
        self.repository = repository(folder / "repository")
        git(self.repository, "tag", "v1.0.0")
        self.bundle = Bundle(folder / "first")
        args = ["--url", str(self.repository), "--revision=v1.0.0", "--run-id=first", "--allow-local=true"]
        args += [f"--source={folder / 'first-source'}", f"--cache={folder / 'cache'}"]
        assert clone.main([*args, f"--bundle={self.bundle.path}"]) == 0

    def release(self) -> None:
        from penstock.bundle.verdict_record import Verdict

        run = self.bundle.run()
        self.bundle.update_run(run.model_copy(update={"model": "tiny", "image": PROCESS}))
        self.bundle.write_verdict(Verdict(verdict="pass", level=0.05, rules=[]))
        store = open_store(str(self.folder), None)
        archive(self.bundle, store, model="tiny", run_id="first")
        publish(store, self.bundle)


def bring(run: Run, store: Store, *more: str) -> dict[str, str]:
    cloned = store.bundle.run().source
    run.bundle.update_run(run.bundle.run().model_copy(update={"source": cloned}))
    places = {"source": run.source, "bundle": run.bundle.path, "cache": run.folder / "cache"}
    return run.step(weights, 0, f"--store={store.folder}", *more, **places, baseline=run.folder / "found")


def test_the_release_of_today_is_found_only_where_the_policy_asks_for_it(
    run: Callable[..., Run], tmp_path: Path
) -> None:
    two, store = run(), Store(tmp_path)
    rules = text({"rules": contract()["policy"]["rules"], "baseline": "rerun"})
    (two.source / "rerun.yaml").write_text(rules, encoding="utf-8")
    none = {"released-run": "", "released-commit": ""}
    assert bring(two, store, "--policy=rerun.yaml").items() >= none.items(), "the first release"
    store.release()
    assert bring(two, store).items() >= none.items(), "its own policy says nothing of a rerun"
    assert not (two.folder / "found").exists()
    source = store.bundle.run().source
    assert source is not None
    found = bring(two, store, "--policy=rerun.yaml")
    assert found.items() >= {"released-run": "first", "released-commit": source.commit}.items()
    begun = Bundle(two.folder / "found").run()
    assert (begun.run_id, begun.track, begun.image) == ("first", TRACK, PROCESS)
    assert bring(two, store, "--policy=rerun.yaml") == found, "a second attempt"


def cloned(run: Run, store: Store, commit: str, expected: int) -> str:
    """What is said when the released code is brought."""
    places = {
        name: run.folder / place for name, place in (("source", "brought"), ("bundle", "found"), ("cache", "cache"))
    }
    more: Sequence[str] = [f"--url={store.repository}", f"--revision={commit}", "--run-id=first", f"--track={TRACK}"]
    told = run.step(clone, expected, *more, "--released=true", "--allow-local=true", **places)
    return told.get("error", "")


def test_the_released_code_is_that_of_the_release(run: Callable[..., Run], tmp_path: Path) -> None:
    two, store = run(), Store(tmp_path)
    store.release()
    (two.source / "rerun.yaml").write_text(
        text({"rules": contract()["policy"]["rules"], "baseline": "rerun"}), encoding="utf-8"
    )
    commit = bring(two, store, "--policy=rerun.yaml")["released-commit"]
    cloned(two, store, commit, 0)
    begun = Bundle(two.folder / "found")
    assert begun.run().source == store.bundle.run().source.model_copy(update={"revision": commit})
    source = begun.run().source.model_copy(update={"tree": "0" * 64})
    begun.update_run(begun.run().model_copy(update={"source": source}))
    assert "its commit are not those that were released" in cloned(two, store, commit, 4)
    assert "the released model cannot be run again: " in cloned(two, store, "0" * 40, 4)
