"""Tekton's v1 Task, field by field: what is run, what changes nothing here, what is refused by name."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from penstock.tekton.manifest_base import (
    AlphaFeature,
    AlphaObject,
    Duration,
    ManifestPart,
    Named,
    NeedsCluster,
    NeedsContainer,
    NeedsTerminal,
    NotDone,
    NotDoneObject,
    ParamValue,
    Texts,
)
from penstock.tekton.manifest_unused import ChildMetadata, ResourceRequirements, SecurityContext
from penstock.tekton.values import from_yaml, type_name

ParamType = Literal["string", "array", "object"]


class Property(ManifestPart):
    """One key of an object."""

    type: ParamType = "string"


class ParamSpec(Named):
    """A declared parameter."""

    type: ParamType = "string"
    description: str = ""
    properties: dict[str, Property] | None = None
    default: ParamValue | None = None
    enum: AlphaFeature = None

    @model_validator(mode="before")
    @classmethod
    def _infer_type(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.get("type") not in (None, ""):
            return data
        inferred = "object" if data.get("properties") is not None else type_name(from_yaml(data.get("default")))
        return {**data, "type": inferred}


class Param(Named):
    """A value that is given to a parameter."""

    value: ParamValue

    @model_validator(mode="before")
    @classmethod
    def _null_is_empty(cls, data: Any) -> Any:
        if isinstance(data, dict) and "value" in data and data["value"] is None:
            return {**data, "value": ""}
        return data


class When(ManifestPart):
    """One expression of a ``when``."""

    input: str = ""
    operator: str = ""
    values: Texts = Field(default_factory=list)
    cel: AlphaFeature = None


class EnvVar(Named):
    """One environment variable."""

    value: str = ""
    value_from: NeedsCluster = Field(None, alias="valueFrom")


class WorkspaceUsage(Named):
    """A workspace that only this step or sidecar sees."""

    mount_path: str = Field("", alias="mountPath")


class StepProperty(ManifestPart):
    """One key of a step's object. Unlike those of parameters and tasks, it gets no type from Tekton."""

    type: Literal["", "string", "array", "object"] = ""


class StepResult(Named):
    """A result that a step hands to later steps. It gets no type from Tekton; without one its keys do not count."""

    type: Literal["", "string", "array", "object"] = ""
    properties: dict[str, StepProperty] | dict[str, Property] | None = None
    description: str = ""


class TaskResult(StepResult):
    """A result of a task: a file that a step writes, or the result of a step."""

    properties: dict[str, Property] | None = None
    value: ParamValue | None = None

    @model_validator(mode="before")
    @classmethod
    def _infer_type(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("type") in (None, ""):
            return {**data, "type": "string" if data.get("properties") is None else "object"}
        return data


class Container(Named):
    """What steps, the step template and sidecars share."""

    image: str = ""
    command: Texts = Field(default_factory=list)
    args: Texts = Field(default_factory=list)
    working_dir: str = Field("", alias="workingDir")
    env: list[EnvVar] = Field(default_factory=list)
    env_from: NeedsCluster = Field(None, alias="envFrom")
    compute_resources: ResourceRequirements | None = Field(None, alias="computeResources")
    volume_mounts: NeedsContainer = Field(None, alias="volumeMounts")
    volume_devices: NeedsContainer = Field(None, alias="volumeDevices")
    image_pull_policy: str = Field("", alias="imagePullPolicy")
    security_context: SecurityContext | None = Field(None, alias="securityContext")


class Step(Container):
    """One step: a process."""

    display_name: str = Field("", alias="displayName")
    script: str = ""
    timeout: Duration | None = None
    workspaces: list[WorkspaceUsage] = Field(default_factory=list)
    on_error: str = Field("", alias="onError")
    stdout_config: AlphaObject = Field(None, alias="stdoutConfig")
    stderr_config: AlphaObject = Field(None, alias="stderrConfig")
    ref: NotDoneObject = None
    params: NotDone = None
    results: list[StepResult] = Field(default_factory=list)
    when: list[When] = Field(default_factory=list)


def _no_name(_value: Any) -> Any:
    raise ValueError("unknown field: Tekton v1 has no field of this name here")


class StepTemplate(Container):
    """What steps take over where they say nothing. It has no name."""

    name: Annotated[str, BeforeValidator(_no_name)] = ""

    @model_validator(mode="before")
    @classmethod
    def _null_is_a_name(cls, data: Any) -> Any:
        return {**data, "name": ""} if isinstance(data, dict) and "name" in data else data


def _port(value: Any) -> Any:
    if isinstance(value, str) and value.isdigit():
        return int(value)
    return value


Port = Annotated[int | str, BeforeValidator(_port)]


class HttpHeader(Named):
    """One header of a probe."""

    value: str = ""


class HttpGet(ManifestPart):
    """A probe that asks for a page."""

    path: str = "/"
    port: Port
    host: NeedsContainer = None
    scheme: Literal["HTTP"] = "HTTP"
    http_headers: list[HttpHeader] = Field(default_factory=list, alias="httpHeaders")


class TcpSocket(ManifestPart):
    """A probe that connects."""

    port: Port
    host: NeedsContainer = None


class ExecAction(ManifestPart):
    """A probe that runs a command."""

    command: Texts = Field(default_factory=list)


class Probe(ManifestPart):
    """When a sidecar is ready. Times are in seconds."""

    http_get: HttpGet | None = Field(None, alias="httpGet")
    tcp_socket: TcpSocket | None = Field(None, alias="tcpSocket")
    exec: ExecAction | None = None
    grpc: NotDone = None
    initial_delay_seconds: int = Field(0, ge=0, alias="initialDelaySeconds")
    timeout_seconds: int = Field(1, ge=1, alias="timeoutSeconds")
    period_seconds: int = Field(10, ge=1, alias="periodSeconds")
    success_threshold: int = Field(1, ge=1, alias="successThreshold")
    failure_threshold: int = Field(3, ge=1, alias="failureThreshold")
    termination_grace_period_seconds: NotDone = Field(None, alias="terminationGracePeriodSeconds")


class ContainerPort(Named):
    """A port that a sidecar says it listens on; its name can be used in a probe."""

    container_port: int = Field(alias="containerPort")
    protocol: str = "TCP"
    host_port: NeedsContainer = Field(None, alias="hostPort")
    host_ip: NeedsContainer = Field(None, alias="hostIP")


class Sidecar(Container):
    """A process that runs beside the steps."""

    script: str = ""
    workspaces: list[WorkspaceUsage] = Field(default_factory=list)
    ports: list[ContainerPort] = Field(default_factory=list)
    readiness_probe: Probe | None = Field(None, alias="readinessProbe")
    liveness_probe: NotDone = Field(None, alias="livenessProbe")
    startup_probe: NotDone = Field(None, alias="startupProbe")
    lifecycle: NotDone = None
    termination_message_path: NeedsContainer = Field(None, alias="terminationMessagePath")
    termination_message_policy: NeedsContainer = Field(None, alias="terminationMessagePolicy")
    stdin: NeedsTerminal = None
    stdin_once: NeedsTerminal = Field(None, alias="stdinOnce")
    tty: NeedsTerminal = None
    restart_policy: NotDone = Field(None, alias="restartPolicy")


class WorkspaceDeclaration(Named):
    """A directory that a task asks for."""

    description: str = ""
    mount_path: str = Field("", alias="mountPath")
    read_only: bool = Field(False, alias="readOnly")
    optional: bool = False


class TaskSpec(ManifestPart):
    """What a task does."""

    params: list[ParamSpec] = Field(default_factory=list)
    display_name: str = Field("", alias="displayName")
    description: str = ""
    steps: list[Step] = Field(default_factory=list)
    volumes: NeedsContainer = None
    step_template: StepTemplate | None = Field(None, alias="stepTemplate")
    sidecars: list[Sidecar] = Field(default_factory=list)
    workspaces: list[WorkspaceDeclaration] = Field(default_factory=list)
    results: list[TaskResult] = Field(default_factory=list)


class EmbeddedTask(TaskSpec):
    """A task that is written inside its pipeline."""

    metadata: ChildMetadata | None = None
    api_version: NotDone = Field(None, alias="apiVersion")
    kind: NotDone = None
    spec: NotDone = None
