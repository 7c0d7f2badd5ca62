"""What is not run: fields that are not supported, by name; manifests that Tekton's webhook refuses; hostile files."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from tests.unit.tekton.documents import a_task, pipeline, pipeline_run, step, task

from penstock.foundation.errors import UsageError

STEP = "spec.tasks[0].taskSpec.steps[0]"
SIDECAR = {"name": "s", "image": "i", "script": "true"}


def with_step(**fields: Any) -> dict[str, Any]:
    return pipeline(task("a", steps=[step("true", **fields)]))


def with_task(**fields: Any) -> dict[str, Any]:
    return pipeline(task("a", **fields))


def with_spec(**fields: Any) -> dict[str, Any]:
    document = pipeline(task("a"))
    document["spec"]["tasks"][0]["taskSpec"].update(fields)
    return document


def with_run(**fields: Any) -> dict[str, Any]:
    return pipeline_run(task("a"), run=fields)


UNSUPPORTED = [
    (with_step(volumeMounts=[{"name": "v", "mountPath": "/v"}]), f"{STEP}.volumeMounts"),
    (with_step(envFrom=[{"configMapRef": {"name": "c"}}]), f"{STEP}.envFrom"),
    (
        with_step(env=[{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]),
        f"{STEP}.env[0].valueFrom",
    ),
    (with_step(stdoutConfig={"path": "/x"}), f"{STEP}.stdoutConfig"),
    (with_step(when=[{"cel": "true"}]), f"{STEP}.when[0].cel"),
    (pipeline(task("a", steps=[{"name": "r", "ref": {"name": "action"}}])), f"{STEP}.ref"),
    (with_step(stdin=True), f"{STEP}.stdin"),
    (with_step(securityContexts={}), f"{STEP}.securityContexts"),
    (with_spec(volumes=[{"name": "v", "emptyDir": {}}]), "spec.tasks[0].taskSpec.volumes"),
    (with_spec(sidecars=[{**SIDECAR, "livenessProbe": {"exec": {"command": ["true"]}}}]), "sidecars[0].livenessProbe"),
    (with_spec(sidecars=[{**SIDECAR, "tty": True}]), "sidecars[0].tty"),
    (with_spec(sidecars=[{**SIDECAR, "restartPolicy": "Always"}]), "sidecars[0].restartPolicy"),
    (with_spec(params=[{"name": "x", "enum": ["a"]}]), "spec.tasks[0].taskSpec.params[0].enum"),
    (with_task(when=[{"cel": "'a' == 'a'"}]), "spec.tasks[0].when[0].cel"),
    (pipeline({"name": "a", "taskRef": {"resolver": "git"}}), "spec.tasks[0].taskRef.resolver"),
    (pipeline({"name": "a", "taskRef": {"name": "t", "kind": "ClusterTask"}}), "spec.tasks[0].taskRef.kind"),
    (pipeline({"name": "a", "taskRef": {"name": "t", "apiVersion": "x/v1"}}), "spec.tasks[0].taskRef.apiVersion"),
    (pipeline({"name": "a", "pipelineRef": {"name": "t"}}), "spec.tasks[0].pipelineRef"),
    (pipeline({"name": "a", "pipelineSpec": {"tasks": [task("b")]}}), "spec.tasks[0].pipelineSpec"),
    (with_step(ref={}), f"{STEP}.ref"),
    (with_step(stdoutConfig={}), f"{STEP}.stdoutConfig"),
    (with_step(stderrConfig={}), f"{STEP}.stderrConfig"),
    (with_task(pipelineRef={}), "spec.tasks[0].pipelineRef"),
    (with_task(pipelineSpec={}), "spec.tasks[0].pipelineSpec"),
    (with_task(foo=1), "spec.tasks[0].foo"),
    (with_task(resources={}), "spec.tasks[0].resources"),
    (with_run(taskRunTemplate={"podTemplate": {"nodeSelector": {"a": "b"}}}), "spec.taskRunTemplate.podTemplate"),
    (with_run(taskRunTemplate={"serviceAccountName": "x"}), "spec.taskRunTemplate.serviceAccountName"),
    (with_run(serviceAccountName="x"), "spec.serviceAccountName"),
    (with_run(status="Cancelled"), "spec.status"),
    (with_run(managedBy="me"), "spec.managedBy"),
    (with_run(taskRunSpecs=[{"pipelineTaskName": "a", "podTemplate": {"x": 1}}]), "spec.taskRunSpecs[0].podTemplate"),
]


@pytest.mark.parametrize(("document", "field"), UNSUPPORTED, ids=[field for _, field in UNSUPPORTED])
def test_a_field_that_is_not_supported_is_refused_by_name(run, document, field):
    with pytest.raises(UsageError) as refused:
        run(document)
    assert field in refused.value.what
    name, _, line = refused.value.where.rpartition(":")
    assert name.endswith("p.yaml")
    assert int(line) > 1


@pytest.mark.parametrize(
    "fields",
    [
        {"securityContext": {"runAsUser": 1}},
        {"computeResources": {"limits": {"cpu": "1", "memory": "64Mi"}, "requests": {"cpu": 0.5, "memory": "1e6"}}},
        {"results": [{"name": "r", "properties": {"k": {}}}]},
        {"imagePullPolicy": "Always"},
        {"displayName": "x"},
    ],
)
def test_fields_that_change_nothing_are_accepted(run, fields):
    assert run(with_step(**fields)).result.succeeded


def test_a_known_field_that_is_null_is_not_there(run):
    nulls = dict.fromkeys(("name", "env", "results", "timeout", "ref", "stdoutConfig", "securityContext", "onError"))
    document = with_step(**nulls)
    fields = ("taskRef", "pipelineRef", "pipelineSpec", "matrix", "when", "runAfter", "timeout", "params")
    document["spec"]["tasks"][0].update(dict.fromkeys(fields))
    document["spec"].update({"finally": None, "params": None})
    document["metadata"].update(dict.fromkeys(("creationTimestamp", "deletionTimestamp", "selfLink", "labels")))
    assert run(document).result.succeeded


CLAIM = {"spec": {"resources": {"requests": {"storage": "lots"}}}}
CLAIM_OF_DEVICE = {"spec": {"resources": {"claims": None}}}
EMPTY = "expected at least one, got none: description, params, tasks, workspaces"


def override(**fields: Any) -> dict[str, Any]:
    return with_run(taskRunSpecs=[{"pipelineTaskName": "a", **fields}])


def with_template(**fields: Any) -> dict[str, Any]:
    return pipeline(task("a", steps=[{"command": ["echo"]}], stepTemplate={"image": "i", **fields}))


def given(value: Any) -> dict[str, Any]:
    return pipeline(task("t"), task("a", params=[{"name": "p", "value": value}]))


UNKNOWN = "unknown field"
METADATA = {"name": "p", "bogus": None}

INVALID = [
    (with_task(bogus=None), rf"spec.tasks\[0\].bogus: {UNKNOWN}"),
    (with_task(run_after=[]), rf"spec.tasks\[0\].run_after: {UNKNOWN}"),
    (with_task(task_ref=None), rf"spec.tasks\[0\].task_ref: {UNKNOWN}"),
    (with_step(**{"finally": None}), rf"steps\[0\].finally: {UNKNOWN}"),
    (with_step(env=[{"name": "E", "bogus": None}]), rf"env\[0\].bogus: {UNKNOWN}"),
    (with_task(params=[{"name": "p", "value": "x", "finally": None}]), rf"params\[0\].finally: {UNKNOWN}"),
    (with_spec(params=[{"name": "p", "bogus": None}]), rf"taskSpec.params\[0\].bogus: {UNKNOWN}"),
    (with_template(name=None), rf"stepTemplate.name: {UNKNOWN}"),
    (
        with_run(workspaces=[{"name": "w", "volumeClaimTemplate": CLAIM_OF_DEVICE}]),
        f"volumeClaimTemplate.spec.resources.claims: {UNKNOWN}",
    ),
    (with_run(bogus=None), rf"spec.bogus: {UNKNOWN}"),
    ({**pipeline(task("a")), "metadata": METADATA}, rf"metadata.bogus: {UNKNOWN}"),
    ({**pipeline(task("a")), "bogus": None}, rf"bogus: {UNKNOWN}"),
    (pipeline({"name": "a", "taskRef": {"name": "t", "bundle": None}}), rf"taskRef.bundle: {UNKNOWN}"),
    (pipeline(), EMPTY),
    ({**pipeline(), "spec": {}}, EMPTY),
    ({**pipeline_run(), "spec": {"pipelineSpec": {"tasks": []}}}, EMPTY),
    ({**pipeline_run(), "spec": {"pipelineSpec": {"finally": [], "params": []}}}, EMPTY),
    (with_template(env=[{"name": "E", "value": "$(params.nobody)"}]), "non-existent variable"),
    (with_template(args=["$(params.nobody)"]), "non-existent variable"),
    (with_template(image="i$(params.nobody)"), "non-existent variable"),
    (with_template(workingDir="$(context.taskRun.nothing)"), "non-existent variable"),
    (with_template(imagePullPolicy="$(steps.s.results.r)"), "imagePullPolicy: stepResult substitutions"),
    (with_template(name="s"), "stepTemplate.name: unknown field"),
    (with_template(env=[{"name": "E", "value": "$(tasks.nobody.results.r)"}]), "wasn't present in Pipeline"),
    (
        pipeline_run(task("a", steps=[step(command=["echo"])], stepTemplate={"args": ["$(params.nobody)"]})),
        "non-existent variable",
    ),
    (given("$(tasks.t.outputs.x)"), "enable-artifacts should be set to true"),
    (given(["x", "$(tasks.t.inputs.x)"]), "enable-artifacts should be set to true"),
    (given({"k": "$(tasks.t.outputs.x)"}), "enable-artifacts should be set to true"),
    (
        pipeline(task("t"), finally_=[task("a", params=[{"name": "p", "value": "$(tasks.t.outputs.x)"}])]),
        "finally.0..params.0..value: feature flag enable-artifacts",
    ),
    (pipeline(task("a", "cat $(step.artifacts.path)")), "enable-artifacts should be set to true"),
    (with_step(env=[{"name": "A", "value": "$(steps.s.inputs.x)"}]), "enable-artifacts should be set to true"),
    (with_spec(sidecars=[{**SIDECAR, "script": "cat $(artifacts.path)"}]), "does not support artifacts"),
    (with_step(computeResources={"limits": {"cpu": "two"}}), "limits.cpu: 'two' is not a quantity such as 500m"),
    (with_step(computeResources={"requests": {"memory": "$(params.m)"}}), "is not a quantity"),
    (with_step(computeResources={"limits": {"memory": "1GB"}}), "'1GB' is not a quantity"),
    (with_step(computeResources={"request": {}}), "computeResources.request: unknown field"),
    (with_step(securityContext={"runAsUser": "me"}), "securityContext.runAsUser"),
    (with_step(securityContext={"seccompProfile": {"kind": "x"}}), "seccompProfile.kind: unknown field"),
    (with_step(imagePullPolicy=1), "imagePullPolicy: it must be text, not 1"),
    (with_step(results=[{"name": "r", "type": "object", "properties": {"k": {}}}]), "must be of type string: k"),
    (with_spec(metadata={"labels": {"a": True}}), "metadata.labels.a: it must be text, not true"),
    (with_spec(params=[{"name": "o", "type": "object", "properties": {}}]), "needs its properties"),
    ({**pipeline(task("a")), "metadata": {"name": "My_Pipeline"}}, "invalid resource name 'My_Pipeline'"),
    ({**pipeline(task("a")), "metadata": {"name": "p" * 64}}, "invalid resource name"),
    (pipeline(task("a"), task("a")), "there are two tasks named 'a'"),
    (pipeline(task("A")), "valid DNS label"),
    (pipeline({"name": "a"}), "expected exactly one of taskRef and taskSpec"),
    (pipeline(task("a", runAfter=["b"]), task("b", runAfter=["a"])), "cycle detected"),
    (pipeline(task("a", runAfter=["a"])), "cycle detected"),
    (pipeline(task("a", runAfter=["nobody"])), "wasn't present in Pipeline"),
    (pipeline(task("a"), finally_=[task("f", runAfter=["a"])]), "no runAfter allowed under spec.finally"),
    (with_task(onError="continue", retries=1), 'cannot be set to "continue" when Retries is greater than 0'),
    (with_task(onError="maybe"), "OnError must be either"),
    (with_step(onError="maybe"), "onError must be either"),
    (with_task(when=[{"input": "a", "operator": "is", "values": ["a"]}]), "operator 'is'"),
    (with_task(when=[{"input": "a", "operator": "in", "values": []}]), "non-empty values"),
    (with_task(timeout="10"), "not a duration"),
    (pipeline(task("a", "echo $(params.nobody)")), "non-existent variable"),
    (pipeline(task("a", "echo $(params.l)", spec_params=[{"name": "l", "type": "array"}])), "variable type invalid"),
    (
        pipeline(
            task("a", steps=[step(command=["echo", "x$(params.l[*])"])], spec_params=[{"name": "l", "type": "array"}])
        ),
        "not properly isolated",
    ),
    (pipeline(task("a", params=[{"name": "x", "value": "$(params.nobody)"}])), "non-existent variable"),
    (pipeline(task("a", params=[{"name": "x", "value": "$(HOME)"}])), "must start with one of"),
    (pipeline(task("a", "echo $(results.nobody.path)")), "non-existent variable"),
    (pipeline(task("a", "echo $(context.taskRun.nothing)")), "non-existent variable"),
    (
        pipeline(task("a", params=[{"name": "x", "value": "$(tasks.b.status)"}]), task("b")),
        "can not refer to execution status",
    ),
    (pipeline(task("a", workspaces=[{"name": "w"}])), 'expects workspace with name "w"'),
    (
        pipeline(task("a"), params=[{"name": "x", "type": "array", "default": "text"}]),
        "does not match default value's type",
    ),
    (pipeline(task("a"), results=[{"name": "r", "value": "text"}]), "no expressions were found"),
    (pipeline(task("a"), results=[{"name": "r", "value": "$(tasks.b.results.r)"}]), "referencing a nonexistent task"),
    (
        pipeline(task("a", steps=[{"image": "i", "command": ["x"], "script": "y"}])),
        "script cannot be used with command",
    ),
    (pipeline(task("a", steps=[{"script": "true"}])), "image: missing field"),
    (pipeline(task("a", steps=[{"image": "i", "args": ["x"]}])), "neither command nor script"),
    (pipeline(task("a", steps=[])), "at least one step"),
    (pipeline(task("a", "cat /tekton/results/x")), "the literal path '/tekton'"),
    (pipeline(task("a", steps=[step(command=["ls", "/workspace/source"])])), "the literal path '/workspace'"),
    (pipeline(task("a"), params=[{"name": "x", "default": "/workspace/x"}]), "only there in a container"),
    (with_run(timeouts={"pipeline": "1m", "tasks": "2m"}), "should be <= pipeline duration"),
    (with_run(timeouts={"pipeline": "1m", "tasks": "40s", "finally": "40s"}), "should be <= pipeline duration"),
    (with_run(params=[{"name": "x", "value": "$(tasks.a.results.r)"}]), "cannot use result expressions"),
    (with_run(timeouts={"tasks": "61m"}), "should be <= pipeline duration"),
    (with_run(params=[{"name": "x", "value": "1"}, {"name": "X", "value": "2"}]), "'X' appears more than once"),
    (with_run(pipelineRef={"name": "p"}), "expected exactly one of pipelineRef and pipelineSpec"),
    (with_run(workspaces=[{"name": "w"}]), "expected exactly one, got neither"),
    (with_run(workspaces=[{"name": "w", "persistentVolumeClaim": {}}]), "persistentVolumeClaim.claimName: missing"),
    (with_run(workspaces=[{"name": "w", "secret": {}}]), "secret.secretName: missing field"),
    (with_run(workspaces=[{"name": "w", "emptyDir": {"sizeLimit": "1Q"}}]), "sizeLimit: '1Q' is not a quantity"),
    (with_run(workspaces=[{"name": "w", "volumeClaimTemplate": CLAIM}]), "storage: 'lots' is not a quantity"),
    (override(stepSpecs=[{"computeResources": {}}]), "stepSpecs.0..name: missing field"),
    (override(sidecarSpecs=[{"name": ""}]), "sidecarSpecs.0..name: missing field"),
    (override(stepSpecs=[{"name": "s"}, {"name": "S"}]), "stepSpecs.1..name: 'S' appears more than once"),
    (
        override(computeResources={}, stepSpecs=[{"name": "s", "computeResources": {"limits": {"cpu": 1}}}]),
        "got both: stepSpecs.resources, computeResources",
    ),
    (override(metadata={"labels": {"a": 1}}), "metadata.labels.a: it must be text, not 1"),
    (with_run(workspaces=[{"name": "w", "emptyDir": {}, "secret": {"secretName": "s"}}]), "expected exactly one"),
    ({**pipeline(task("a")), "apiVersion": "tekton.dev/v1beta1"}, "'tekton.dev/v1beta1' is not supported"),
    ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}, "kind: 'ConfigMap' is not supported"),
    (a_task("t", step("true")), "there is no Pipeline or PipelineRun"),
]


@pytest.mark.parametrize(("document", "words"), INVALID, ids=[words for _, words in INVALID])
def test_what_tekton_refuses_is_refused(run, document, words):
    with pytest.raises(UsageError, match=words):
        run(copy.deepcopy(document))


def test_a_result_that_is_called_outputs_is_no_artifact(run):
    made = task("a", "printf x > $(results.outputs.path)", results=["outputs"])
    used = task("b", steps=[step(command=["echo"], args=["$(tasks.a.results.outputs)"])])
    assert run(pipeline(made, used)).lines("b") == ["x"]


@pytest.mark.parametrize(
    ("version", "kind", "words"),
    [
        ("tekton.dev/v1beta1", "StepAction", r"kind: 'StepAction' \(tekton.dev/v1beta1\).*steps\[\].ref"),
        ("tekton.dev/v1alpha1", "StepAction", r"kind: 'StepAction' \(tekton.dev/v1alpha1\).*steps\[\].ref"),
        ("tekton.dev/v1", "TaskRun", r"kind: 'TaskRun' \(tekton.dev/v1\).*Write a PipelineRun"),
        ("tekton.dev/v1beta1", "Task", "'tekton.dev/v1beta1' is not supported, only tekton.dev/v1. Convert it"),
        ("v1", "ConfigMap", "kind: 'ConfigMap' is not supported.*--workspace NAME=DIR"),
        ("v1", "Secret", "kind: 'Secret' is not supported.*--workspace NAME=DIR"),
        ("v1", "Service", "kind: 'Service' is not supported, only Pipeline, PipelineRun and Task"),
    ],
)
def test_a_refusal_says_what_is_there(run, version, kind, words):
    other = {"apiVersion": version, "kind": kind, "metadata": {"name": "sa"}, "spec": {"image": "i"}}
    with pytest.raises(UsageError, match=words):
        run(other, pipeline(task("a")))


def test_a_claim_beside_a_run_is_no_obstacle(run, tmp_path):
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "shared"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    document = pipeline_run(
        task("t", "ls $(workspaces.w.path)"),
        workspaces=[{"name": "w"}],
        run={"workspaces": [{"name": "w", "persistentVolumeClaim": {"claimName": "shared"}}]},
    )
    (tmp_path / "w").mkdir()
    (tmp_path / "w/file").touch()
    assert run(claim, document, workspaces={"w": tmp_path / "w"}).lines("t") == ["file"]
    with pytest.raises(UsageError, match=r"persistentVolumeClaim.*--workspace w=DIR"):
        run(claim, document, directory="second")


def test_a_word_like_workspace_in_a_path_is_no_container_path(run, tmp_path):
    (tmp_path / "workspace").mkdir()
    script = f"ls {tmp_path}/workspace https://host/tekton/x ./workspace ~/workspace || true"
    assert run(pipeline(task("a", script))).result.succeeded
