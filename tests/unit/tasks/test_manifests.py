"""Entrypoint, image and Task of each step are one thing under one name."""

from __future__ import annotations

import dataclasses
import importlib
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from images.recipe import recipes
from tests.unit.manifests.installed import read

ROOT = Path(__file__).parents[3]
STEPS = sorted(path.parent.name for path in (ROOT / "tasks").glob("*/entrypoint.py"))


FOR_TEKTON = {name: {"weights-mount", "weights-folder"} for name in ("infer", "browse", "interface", "export", "load")}
"""Parameters that say what is mounted into a step's container: the step finds it there."""


def task(step: str) -> dict[str, Any]:
    return read(f"tasks/{step}.yaml")[0]


def entrypoint(step: str) -> Any:
    return importlib.import_module(f"penstock_tasks.{step}.entrypoint")


def fields(step: str, kind: str) -> dict[str, Any]:
    found = dataclasses.fields(entrypoint(step).Arguments)
    return {field.name.replace("_", "-"): field.metadata for field in found if field.metadata["kind"] == kind}


def beside(step: str) -> set[str]:
    """Parameters and workspaces that only the sidecar of a Task is given, or the model's step before its own."""
    *before, own = task(step)["spec"]["steps"]
    given = {"own": [own], "others": [*before, *task(step)["spec"].get("sidecars", [])]}
    texts = {whose: " ".join(arg for each in all_of for arg in each["args"]) for whose, all_of in given.items()}
    named = {whose: set(re.findall(r"\$\((?:params|workspaces)\.([a-z-]+)", text)) for whose, text in texts.items()}
    return named["others"] - named["own"]


def test_each_step_has_its_three_folders() -> None:
    named = {path.stem for path in (ROOT / "tekton" / "tasks").glob("*.yaml")}
    images = {name for name, recipe in recipes().items() if recipe.is_step}
    assert set(STEPS) == named == images
    wanted = {
        "clone",
        "weights",
        "build",
        "plan",
        "infer",
        "collect",
        "measure",
        "gate",
        "report",
        "archive",
        "publish",
    }
    assert wanted | {"notify"} <= set(STEPS)


def test_each_step_has_a_console_script() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    steps = {name.removeprefix("penstock-"): target for name, target in scripts.items() if name != "penstock"}
    assert steps == {step: f"penstock_tasks.{step}.entrypoint:main" for step in STEPS}


@pytest.mark.parametrize("step", STEPS)
def test_parameters_are_the_arguments(step: str) -> None:
    given = task(step)["spec"].get("params", [])
    params = {param["name"]: param for param in given if param["name"] not in beside(step)}
    params = {name: param for name, param in params.items() if name not in FOR_TEKTON.get(step, ())}
    arguments = fields(step, "param")
    assert params.keys() == arguments.keys()
    for name, metadata in arguments.items():
        default = metadata["default"]
        written = None if default is None else str(default).lower() if isinstance(default, bool) else str(default)
        assert params[name].get("default") == written, name
        assert params[name]["type"] == "string"
        assert params[name]["description"]


@pytest.mark.parametrize("step", STEPS)
def test_workspaces_are_the_arguments(step: str) -> None:
    given = task(step)["spec"].get("workspaces", [])
    workspaces = {entry["name"]: entry for entry in given if entry["name"] not in beside(step)}
    arguments = fields(step, "workspace")
    assert workspaces.keys() == arguments.keys()
    for name, metadata in arguments.items():
        assert workspaces[name].get("optional", False) == (metadata["default"] is not None), name


@pytest.mark.parametrize("step", STEPS)
def test_results_are_what_the_entrypoint_writes(step: str) -> None:
    results = task(step)["spec"].get("results", [])
    assert [result["name"] for result in results] == list(entrypoint(step).RESULTS)
    assert {result["name"]: result["type"] for result in results if result["type"] != "string"} == (
        {"shards": "array", "second": "array"} if step == "plan" else {}
    )


@pytest.mark.parametrize("step", STEPS)
def test_the_one_step_passes_all_of_it_and_nothing_else(step: str) -> None:
    *before, only = task(step)["spec"]["steps"]
    assert [each["name"] for each in before] == {"export": ["backends"], "load": ["drive"], "build": ["layers"]}.get(
        step, []
    )
    assert only["name"] == step
    # the step infer runs in the model's own image, and brings its program along
    in_the_models_image = step == "infer"
    folder = "$(workspaces.runtime.path)/bin/" if in_the_models_image else ""
    assert only["command"] == [f"{folder}penstock-{step}"]
    expected = [f"--{name}=$(params.{name})" for name in fields(step, "param")]
    expected += [f"--{name}=$(workspaces.{name}.path)" for name in fields(step, "workspace")]
    expected += [f"--result={name}=$(results.{name}.path)" for name in entrypoint(step).RESULTS]
    assert only["args"] == expected
    assert "script" not in only
    assert only["image"] == ("$(params.image)" if in_the_models_image else f"penstock.local/{step}:0.1.0")


@pytest.mark.parametrize("step", STEPS)
def test_the_task_is_hardened_bounded_and_labelled(step: str) -> None:
    manifest = task(step)
    assert manifest["apiVersion"] == "tekton.dev/v1"
    assert manifest["metadata"]["labels"]["app.kubernetes.io/version"] == "0.1.0"
    wanted = {"pipelines.minVersion", "tags", "categories", "displayName", "platforms"}
    assert {f"tekton.dev/{name}" for name in wanted} <= manifest["metadata"]["annotations"].keys()
    assert manifest["spec"]["description"].splitlines()[0].endswith(".")
    *before, only = manifest["spec"]["steps"]
    held_by_the_least(step, only, card="1" if step == "infer" else None)
    for each in before:
        held_by_the_least(step, each, card=None if step == "build" else "1")
    assert "computeResources" not in manifest["spec"]
    sidecars = manifest["spec"].get("sidecars", [])
    assert [sidecar["name"] for sidecar in sidecars] == (["model"] if step in ("browse", "interface") else [])
    for sidecar in sidecars:
        # a run adds a card to the service of a page that asks for one
        held_by_the_least(step, sidecar, card=None)


def held_by_the_least(step: str, only: dict[str, Any], *, card: str | None) -> None:
    security = only["securityContext"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"]["drop"] == ["ALL"]
    assert "privileged" not in security
    if step != "build":
        assert security["runAsNonRoot"] is True
        assert security["readOnlyRootFilesystem"] is True
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert "add" not in security["capabilities"]
    resources = only["computeResources"]
    # the card is asked for by one container of one pod, the step that runs the model: as a limit, which Kubernetes
    # takes for the request too, so that a run can change it in one place
    assert resources["limits"].pop("nvidia.com/gpu", None) == card
    assert resources["requests"].keys() == resources["limits"].keys() == {"cpu", "memory"}


@pytest.mark.parametrize("step", ["browse", "interface"])
def test_the_service_beside_a_step_is_the_model_as_infer_runs_it(step: str) -> None:
    """In the model's image, with the driver on a volume; every option of its program is given, and none else."""
    (sidecar,) = task(step)["spec"]["sidecars"]
    assert f"--step={step}" in sidecar["args"]
    (infer,) = task("infer")["spec"]["steps"]
    assert sidecar["image"] == infer["image"] == "$(params.image)"
    assert sidecar["command"] == ["$(workspaces.runtime.path)/bin/penstock-serve"]
    assert sidecar["securityContext"] == infer["securityContext"]
    given = {arg.partition("=")[0].removeprefix("--").replace("-", "_") for arg in sidecar["args"]}
    serve = importlib.import_module("penstock_tasks.browse.serve")
    assert given == {field.name for field in dataclasses.fields(serve.Arguments)} - {"model_dir"}


def test_what_is_exported_runs_as_infer_does() -> None:
    """In the model's image, with the driver on a volume; every option of its program is given, and none else."""
    backends, _ = task("export")["spec"]["steps"]
    (infer,) = task("infer")["spec"]["steps"]
    assert backends["image"] == infer["image"] == "$(params.image)"
    assert backends["command"] == ["$(workspaces.runtime.path)/bin/penstock-backends"]
    assert (backends["securityContext"], backends["computeResources"]) == (
        infer["securityContext"],
        infer["computeResources"],
    )
    given = {arg.partition("=")[0].removeprefix("--").replace("-", "_") for arg in backends["args"]}
    program = importlib.import_module("penstock_tasks.export.backends")
    assert given == {field.name for field in dataclasses.fields(program.Arguments)} - {"model_dir"}


def test_what_puts_the_load_runs_as_infer_does() -> None:
    """In the model's image, with the driver on a volume; every option of its program is given, and none else."""
    driving, _ = task("load")["spec"]["steps"]
    (infer,) = task("infer")["spec"]["steps"]
    assert driving["image"] == infer["image"] == "$(params.image)"
    assert driving["command"] == ["$(workspaces.runtime.path)/bin/penstock-drive"]
    assert (driving["securityContext"], driving["computeResources"]) == (
        infer["securityContext"],
        infer["computeResources"],
    )
    given = {arg.partition("=")[0].removeprefix("--").replace("-", "_") for arg in driving["args"]}
    program = importlib.import_module("penstock_tasks.load.drive")
    assert given == {field.name for field in dataclasses.fields(program.Arguments)} - {"model_dir"}


@pytest.mark.slow
@pytest.mark.parametrize("pipeline", ["release", "verify"])
def test_an_export_is_compared_before_the_model_runs_and_only_where_there_is_one(pipeline: str) -> None:
    spec = read(f"pipelines/{pipeline}.yaml")[0]["spec"]
    tasks = {entry["name"]: entry for entry in spec["tasks"]}
    export = tasks["export"]
    assert export["when"] == [{"input": "$(tasks.plan.results.export)", "operator": "in", "values": ["true"]}]
    assert {"name": "runtime-id", "value": "$(tasks.plan.results.runtime)"} in export["params"]
    places = {one["name"]: one["subPath"] for one in export["workspaces"]}
    infer = {one["name"]: one["subPath"] for one in tasks["infer"]["workspaces"]}
    assert places == infer, "neither cache nor secret"
    for name in {"infer", "infer-turns"} & tasks.keys():
        assert tasks[name]["runAfter"] == ["export"]
    assert "$(tasks.export" not in yaml.safe_dump(spec), "results of a step that may be skipped"


def test_a_page_is_tried_only_where_there_is_one_and_with_a_card_only_where_it_asks() -> None:
    spec = read("pipelines/release.yaml")[0]["spec"]
    tasks = {entry["name"]: entry for entry in spec["tasks"]}
    for name, page in (("browse", "plain"), ("browse-with-card", "card")):
        assert tasks[name]["when"] == [{"input": "$(tasks.plan.results.page)", "operator": "in", "values": [page]}]
        assert {"name": "runtime-id", "value": "$(tasks.plan.results.runtime)"} in tasks[name]["params"]
        places = {one["name"]: one["subPath"] for one in tasks[name]["workspaces"]}
        assert set(places) == {"source", "bundle", "runtime", "weights"}, "neither cache nor secret"
        infer = {one["name"]: one["subPath"] for one in tasks["infer"]["workspaces"]}
        assert places["weights"] == infer["weights"]
        assert places["runtime"] == "cache/runtime/$(tasks.plan.results.runtime)"
        assert name in tasks["gate"]["runAfter"]
        assert tasks[name]["runAfter"] == ["measure"], "both write measurements.jsonl"
    same = {key: value for key, value in tasks["browse"].items() if key not in ("name", "when")}
    assert same == {key: value for key, value in tasks["browse-with-card"].items() if key not in ("name", "when")}
    run = read("runs/release.yaml")[0]["spec"]
    template = read("triggers/template-release.yaml")[0]
    (started,) = template["spec"]["resourcetemplates"]
    for specs in (run["taskRunSpecs"], started["spec"]["taskRunSpecs"]):
        (card,) = (one for one in specs if one["pipelineTaskName"] == "browse-with-card")
        (model,) = card["sidecarSpecs"]
        assert model == {"name": "model", "computeResources": {"limits": {"nvidia.com/gpu": "1"}}}
        assert "browse" not in {one["pipelineTaskName"] for one in specs}


def test_a_service_is_tested_against_its_document_only_where_there_is_one() -> None:
    spec = read("pipelines/release.yaml")[0]["spec"]
    tasks = {entry["name"]: entry for entry in spec["tasks"]}
    interface = tasks["interface"]
    assert interface["when"] == [{"input": "$(tasks.plan.results.interface)", "operator": "in", "values": ["true"]}]
    assert {"name": "runtime-id", "value": "$(tasks.plan.results.runtime)"} in interface["params"]
    places = {one["name"]: one["subPath"] for one in interface["workspaces"]}
    assert places == {one["name"]: one["subPath"] for one in tasks["browse"]["workspaces"]}, "neither cache nor secret"
    assert interface["runAfter"] == ["measure", "browse", "browse-with-card"], "all write measurements.jsonl"
    assert "interface" in tasks["gate"]["runAfter"]


@pytest.mark.parametrize("pipeline", ["drift", "promote", "release", "verify"])
def test_pipelines_fit_their_tasks(pipeline: str) -> None:
    spec = read(f"pipelines/{pipeline}.yaml")[0]["spec"]
    for entry in [*spec["tasks"], *spec.get("finally", [])]:
        step = entry["taskRef"]["name"]
        matrix = entry.get("matrix", {}).get("params", [])
        given = {param["name"] for param in [*entry.get("params", []), *matrix]}
        known = {param["name"]: param for param in task(step)["spec"].get("params", [])}
        assert given <= known.keys(), step
        assert {name for name, param in known.items() if "default" not in param} <= given, step
        bound = {workspace["name"] for workspace in entry.get("workspaces", [])}
        wanted = task(step)["spec"].get("workspaces", [])
        assert {workspace["name"] for workspace in wanted if not workspace.get("optional")} <= bound, step


@pytest.mark.parametrize("pipeline", ["release", "verify"])
def test_the_model_is_run_once_a_shard_and_only_where_its_outputs_are_not_known(pipeline: str) -> None:
    spec = read(f"pipelines/{pipeline}.yaml")[0]["spec"]
    tasks = {entry["name"]: entry for entry in spec["tasks"]}
    infer = tasks["infer"]
    unchanged, *beside = infer["when"]
    assert unchanged == {"input": "$(tasks.plan.results.unchanged)", "operator": "in", "values": ["false"]}
    assert beside == (
        [{"input": "$(tasks.plan.results.beside)", "operator": "notin", "values": ["turns"]}]
        if pipeline == "release"
        else []
    )
    assert infer["matrix"] == {"params": [{"name": "shard", "value": "$(tasks.plan.results.shards[*])"}]}
    # Tekton 1.15 looks for results in parameters, matrix and when: a subPath alone would keep the text of the reference
    assert {"name": "runtime-id", "value": "$(tasks.plan.results.runtime)"} in infer["params"]
    bound = {workspace["name"]: workspace.get("subPath", "") for workspace in infer["workspaces"]}
    assert bound["runtime"] == "cache/runtime/$(tasks.plan.results.runtime)"
    assert set(bound) == {"source", "bundle", "runtime", "weights"}, "the model's container sees no cache and no secret"
    # what is mounted where the step build said, in a folder of the clone
    assert bound["weights"].endswith("/source/$(tasks.build.results.weights-folder)")
    for name in ("weights-mount", "weights-folder"):
        assert {"name": name, "value": f"$(tasks.build.results.{name})"} in infer["params"]
    (weights,) = (one for one in task("infer")["spec"]["workspaces"] if one["name"] == "weights")
    assert (weights["mountPath"], weights["readOnly"]) == ("$(params.weights-mount)", True)
    assert tasks["collect"]["runAfter"][0] == "infer"
    assert "$(tasks.infer" not in yaml.safe_dump(spec), "results of a step that may be skipped"


@pytest.mark.parametrize("pipeline", ["release", "verify"])
def test_a_transcriber_is_named_with_its_model(pipeline: str) -> None:
    spec = read(f"pipelines/{pipeline}.yaml")[0]["spec"]
    measure = next(entry for entry in spec["tasks"] if entry["name"] == "measure")
    for name in ("transcriber", "transcriber-model"):
        assert {"name": name, "value": f"$(params.{name})"} in measure["params"]


@pytest.mark.parametrize("pipeline", ["release", "verify"])
def test_the_transcribers_key_comes_to_the_one_step_that_asks_it(pipeline: str) -> None:
    spec = read(f"pipelines/{pipeline}.yaml")[0]["spec"]
    bound = {
        entry["name"]
        for entry in [*spec["tasks"], *spec["finally"]]
        for one in entry.get("workspaces", [])
        if one.get("workspace") == "transcriber-key"
    }
    assert bound == {"measure"}
    (declared,) = [one for one in spec["workspaces"] if one["name"] == "transcriber-key"]
    assert declared["optional"] is True
    (step,) = task("measure")["spec"]["steps"]
    assert step["command"] == ["penstock-measure"], "it decodes what a model has made, and runs nothing of it"


@pytest.mark.parametrize("pipeline", ["release", "verify"])
def test_a_lost_pod_is_tried_again(pipeline: str) -> None:
    """But for the message: whether it is sent changes nothing about the run, and Tekton wants one or the other."""
    spec = read(f"pipelines/{pipeline}.yaml")[0]["spec"]
    once = {entry["name"]: entry for entry in [*spec["tasks"], *spec["finally"]] if not entry.get("retries")}
    assert list(once) == ["notify"]
    assert once["notify"]["onError"] == "continue"


def test_publishing_asks_for_the_verdict_twice() -> None:
    """A false ``when`` skips only one task, so the entrypoint holds the verdict too."""
    spec = read("pipelines/release.yaml")[0]["spec"]
    publish = next(entry for entry in spec["tasks"] if entry["name"] == "publish")
    assert publish["when"] == [{"input": "$(tasks.gate.results.verdict)", "operator": "in", "values": ["pass"]}]
    assert {"name": "verdict", "value": "$(tasks.gate.results.verdict)"} in publish["params"]
    assert entrypoint("publish").main(["--verdict=fail", "--store=/nowhere", "--bundle=/nowhere"]) == 2


@pytest.mark.parametrize(("verdict", "code"), [("pass", 0), ("fail", 1), ("inconclusive", 3), ("maybe", 2)])
def test_enforce_makes_the_run_red(verdict: str, code: int) -> None:
    assert entrypoint("enforce").main([f"--verdict={verdict}", "--reason=because"]) == code
