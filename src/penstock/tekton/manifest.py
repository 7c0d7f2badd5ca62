"""Tekton's v1 Pipeline and PipelineRun, field by field: what is run, what changes nothing here, what is refused."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from penstock.tekton.manifest_base import (
    AlphaObject,
    Duration,
    ManifestPart,
    Named,
    NeedsCluster,
    NeedsRegistry,
    NotDone,
    ObjectMetadata,
    ParamValue,
    TextMap,
    Texts,
)
from penstock.tekton.manifest_task import EmbeddedTask, Param, ParamSpec, TaskSpec, When
from penstock.tekton.manifest_unused import (
    ChildMetadata,
    ClaimTemplate,
    ConfigMapSource,
    CsiSource,
    EmptyDir,
    ProjectedSource,
    ResourceRequirements,
    SecretSource,
)
from penstock.tekton.problems import DNS_SUBDOMAIN

MAX_NAME = 63
"""Tekton's limit for the names of what it runs: they become labels."""


class Metadata(ObjectMetadata):
    """The parts of ``metadata`` that mean something here."""

    generate_name: str = Field("", alias="generateName")
    namespace: str = "default"
    labels: TextMap = Field(default_factory=dict)
    annotations: TextMap = Field(default_factory=dict)
    finalizers: NeedsCluster = None
    owner_references: NeedsCluster = Field(None, alias="ownerReferences")

    @field_validator("name")
    @classmethod
    def _valid_name(cls, name: str) -> str:
        if name and (len(name) > MAX_NAME or not DNS_SUBDOMAIN.fullmatch(name)):
            what = f"up to {MAX_NAME} lower case letters, digits, hyphens and dots, between letters or digits"
            raise ValueError(f"invalid resource name '{name[:80]}': it must be {what}")
        return name


def _kind(value: Any) -> Any:
    if value not in ("", "Task"):
        raise ValueError(f"the runner on one machine runs Tasks only, not '{str(value)[:60]}'")
    return value


class TaskRef(Named):
    """The Task that a pipeline task runs."""

    kind: Annotated[str, BeforeValidator(_kind)] = "Task"
    api_version: NotDone = Field(None, alias="apiVersion")
    resolver: NeedsRegistry = None
    params: NeedsRegistry = None


class PipelineRef(Named):
    """The Pipeline that a PipelineRun runs."""

    api_version: str = Field("tekton.dev/v1", alias="apiVersion")
    resolver: NeedsRegistry = None
    params: NeedsRegistry = None


class IncludeParams(Named):
    """A combination of its own, or an addition to those of the matrix."""

    params: list[Param] = Field(default_factory=list)


class Matrix(ManifestPart):
    """The fan-out of a pipeline task."""

    params: list[Param] = Field(default_factory=list)
    include: list[IncludeParams] = Field(default_factory=list)

    def all_params(self) -> list[Param]:
        """The parameters of the matrix and of its includes."""
        return [*self.params, *(param for include in self.include for param in include.params)]


class TaskWorkspace(Named):
    """Which workspace of the pipeline a task's workspace is."""

    workspace: str = ""
    sub_path: str = Field("", alias="subPath")


class PipelineTask(Named):
    """One node of the pipeline."""

    display_name: str = Field("", alias="displayName")
    description: str = ""
    task_ref: TaskRef | None = Field(None, alias="taskRef")
    task_spec: EmbeddedTask | None = Field(None, alias="taskSpec")
    when: list[When] = Field(default_factory=list)
    retries: int = 0
    run_after: Texts = Field(default_factory=list, alias="runAfter")
    params: list[Param] = Field(default_factory=list)
    matrix: Matrix | None = None
    workspaces: list[TaskWorkspace] = Field(default_factory=list)
    timeout: Duration | None = None
    pipeline_ref: AlphaObject = Field(None, alias="pipelineRef")
    pipeline_spec: AlphaObject = Field(None, alias="pipelineSpec")
    on_error: str = Field("", alias="onError")

    @property
    def matrixed(self) -> bool:
        """Whether the task fans out."""
        return self.matrix is not None and bool(self.matrix.params or self.matrix.include)

    def all_params(self) -> list[Param]:
        """The task's parameters and those of its matrix."""
        return [*self.params, *(self.matrix.all_params() if self.matrix else ())]


class PipelineWorkspace(Named):
    """A directory that a pipeline asks for."""

    description: str = ""
    optional: bool = False


class PipelineResult(Named):
    """A result of the pipeline, made of results of its tasks."""

    type: str = ""
    description: str = ""
    value: ParamValue


class PipelineSpec(ManifestPart):
    """What a pipeline does."""

    display_name: str = Field("", alias="displayName")
    description: str = ""
    tasks: list[PipelineTask] = Field(default_factory=list)
    params: list[ParamSpec] = Field(default_factory=list)
    workspaces: list[PipelineWorkspace] = Field(default_factory=list)
    results: list[PipelineResult] = Field(default_factory=list)
    finally_tasks: list[PipelineTask] = Field(default_factory=list, alias="finally")


class ClaimSource(ManifestPart):
    """A claim of a volume: on one machine, a directory that the caller names."""

    claim_name: str = Field("", alias="claimName")
    read_only: bool = Field(False, alias="readOnly")


class WorkspaceBinding(Named):
    """What a PipelineRun binds a workspace to."""

    sub_path: str = Field("", alias="subPath")
    volume_claim_template: ClaimTemplate | None = Field(None, alias="volumeClaimTemplate")
    persistent_volume_claim: ClaimSource | None = Field(None, alias="persistentVolumeClaim")
    empty_dir: EmptyDir | None = Field(None, alias="emptyDir")
    config_map: ConfigMapSource | None = Field(None, alias="configMap")
    secret: SecretSource | None = None
    projected: ProjectedSource | None = None
    csi: CsiSource | None = None

    def sources(self) -> list[str]:
        """The kinds of volume that are named, by their field."""
        kinds = (
            "volume_claim_template",
            "persistent_volume_claim",
            "empty_dir",
            "config_map",
            "secret",
            "projected",
            "csi",
        )
        return [self.__class__.model_fields[kind].alias or kind for kind in kinds if getattr(self, kind) is not None]

    def missing_field(self) -> tuple[str, ...]:
        """The field that a volume of its kind cannot do without; empty if it is there."""
        needed = (
            (self.persistent_volume_claim, "persistentVolumeClaim", "claim_name", "claimName"),
            (self.config_map, "configMap", "name", "name"),
            (self.secret, "secret", "secret_name", "secretName"),
            (self.projected, "projected", "sources", "sources"),
            (self.csi, "csi", "driver", "driver"),
        )
        for source, kind, attribute, field in needed:
            if source is not None and not getattr(source, attribute):
                return (kind, field)
        return ()


class Timeouts(ManifestPart):
    """How long things may take, in seconds; 0 is for ever."""

    pipeline: Duration | None = None
    tasks: Duration | None = None
    finally_tasks: Duration | None = Field(None, alias="finally")


def _account(value: Any) -> Any:
    if value not in ("", "default"):
        raise ValueError("the runner on one machine does not support this field: there are no service accounts")
    return value


Account = Annotated[str, BeforeValidator(_account)]


class TaskRunTemplate(ManifestPart):
    """What all TaskRuns of a PipelineRun share."""

    pod_template: NeedsCluster = Field(None, alias="podTemplate")
    service_account_name: Account = Field("", alias="serviceAccountName")


class Overrides(Named):
    """Resources of one step or sidecar: they change nothing here."""

    compute_resources: ResourceRequirements | None = Field(None, alias="computeResources")


class TaskRunSpecOverride(ManifestPart):
    """What a PipelineRun changes in one pipeline task."""

    pipeline_task_name: str = Field("", alias="pipelineTaskName")
    service_account_name: Account = Field("", alias="serviceAccountName")
    pod_template: NeedsCluster = Field(None, alias="podTemplate")
    step_specs: list[Overrides] = Field(default_factory=list, alias="stepSpecs")
    sidecar_specs: list[Overrides] = Field(default_factory=list, alias="sidecarSpecs")
    metadata: ChildMetadata | None = None
    compute_resources: ResourceRequirements | None = Field(None, alias="computeResources")
    timeout: Duration | None = None


class PipelineRunSpec(ManifestPart):
    """What is run, with what."""

    pipeline_ref: PipelineRef | None = Field(None, alias="pipelineRef")
    pipeline_spec: PipelineSpec | None = Field(None, alias="pipelineSpec")
    params: list[Param] = Field(default_factory=list)
    status: NotDone = None
    timeouts: Timeouts = Field(default_factory=Timeouts)
    task_run_template: TaskRunTemplate = Field(default_factory=TaskRunTemplate, alias="taskRunTemplate")
    workspaces: list[WorkspaceBinding] = Field(default_factory=list)
    task_run_specs: list[TaskRunSpecOverride] = Field(default_factory=list, alias="taskRunSpecs")
    managed_by: NeedsCluster = Field(None, alias="managedBy")


class ManifestDocument(ManifestPart):
    """What all documents start with."""

    api_version: Literal["tekton.dev/v1"] = Field(alias="apiVersion")
    metadata: Metadata = Field(default_factory=Metadata)

    @model_validator(mode="before")
    @classmethod
    def _without_status(cls, data: Any) -> Any:
        # `kubectl get -o yaml` writes it; it says what was, not what is to be done
        return {key: value for key, value in data.items() if key != "status"} if isinstance(data, dict) else data


class TaskDocument(ManifestDocument):
    """A Task."""

    kind: Literal["Task"]
    spec: TaskSpec


class PipelineDocument(ManifestDocument):
    """A Pipeline."""

    kind: Literal["Pipeline"]
    spec: PipelineSpec


class PipelineRunDocument(ManifestDocument):
    """A PipelineRun."""

    kind: Literal["PipelineRun"]
    spec: PipelineRunSpec
