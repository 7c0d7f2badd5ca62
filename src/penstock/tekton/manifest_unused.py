"""Kubernetes' own types in Tekton's manifests: they change nothing here, but a cluster refuses what is not of them."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from penstock.tekton.manifest_base import Ignored, ManifestPart, Named, ObjectMetadata, TextMap

_QUANTITY = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?[0-9]+)?")


def _quantity(value: Any) -> Any:
    if value is None:
        return value
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not good and not (isinstance(value, str) and _QUANTITY.fullmatch(value.strip())):
        raise ValueError(f"'{str(value)[:40]}' is not a quantity such as 500m, 2 or 1Gi")
    return value


Quantity = Annotated[Any, BeforeValidator(_quantity)]


class ResourceClaim(Named):
    """A claim of a device."""

    request: str = ""


class VolumeResources(ManifestPart):
    """What a volume may use."""

    limits: dict[str, Quantity] = Field(default_factory=dict)
    requests: dict[str, Quantity] = Field(default_factory=dict)


class ResourceRequirements(VolumeResources):
    """What a container may use."""

    claims: list[ResourceClaim] = Field(default_factory=list)


class Capabilities(ManifestPart):
    """Linux capabilities."""

    add: list[str] = Field(default_factory=list)
    drop: list[str] = Field(default_factory=list)


class SeLinuxOptions(ManifestPart):
    """The SELinux label of a container."""

    user: str = ""
    role: str = ""
    type: str = ""
    level: str = ""


class WindowsOptions(ManifestPart):
    """As whom a container runs on Windows."""

    gmsa_credential_spec_name: str | None = Field(None, alias="gmsaCredentialSpecName")
    gmsa_credential_spec: str | None = Field(None, alias="gmsaCredentialSpec")
    run_as_user_name: str | None = Field(None, alias="runAsUserName")
    host_process: bool | None = Field(None, alias="hostProcess")


class Profile(ManifestPart):
    """A seccomp or AppArmor profile."""

    type: str = ""
    localhost_profile: str | None = Field(None, alias="localhostProfile")


class SecurityContext(ManifestPart):
    """As whom a container runs."""

    capabilities: Capabilities | None = None
    privileged: bool | None = None
    se_linux_options: SeLinuxOptions | None = Field(None, alias="seLinuxOptions")
    windows_options: WindowsOptions | None = Field(None, alias="windowsOptions")
    run_as_user: int | None = Field(None, alias="runAsUser")
    run_as_group: int | None = Field(None, alias="runAsGroup")
    run_as_non_root: bool | None = Field(None, alias="runAsNonRoot")
    read_only_root_filesystem: bool | None = Field(None, alias="readOnlyRootFilesystem")
    allow_privilege_escalation: bool | None = Field(None, alias="allowPrivilegeEscalation")
    proc_mount: str | None = Field(None, alias="procMount")
    seccomp_profile: Profile | None = Field(None, alias="seccompProfile")
    app_armor_profile: Profile | None = Field(None, alias="appArmorProfile")


class ChildMetadata(ManifestPart):
    """Labels and annotations of what a run makes."""

    labels: TextMap = Field(default_factory=dict)
    annotations: TextMap = Field(default_factory=dict)


class EmptyDir(ManifestPart):
    """A directory that is empty at first."""

    medium: str = ""
    size_limit: Quantity = Field(None, alias="sizeLimit")


class ClaimSpec(ManifestPart):
    """What a claim of a volume asks for."""

    access_modes: list[str] = Field(default_factory=list, alias="accessModes")
    selector: Ignored = None
    resources: VolumeResources | None = None
    volume_name: str = Field("", alias="volumeName")
    storage_class_name: str | None = Field(None, alias="storageClassName")
    volume_mode: str | None = Field(None, alias="volumeMode")
    data_source: Ignored = Field(None, alias="dataSource")
    data_source_ref: Ignored = Field(None, alias="dataSourceRef")
    volume_attributes_class_name: str | None = Field(None, alias="volumeAttributesClassName")


class ClaimMetadata(ChildMetadata, ObjectMetadata):
    """What the claim is called."""

    namespace: str = ""
    generate_name: Ignored = Field(None, alias="generateName")
    finalizers: Ignored = None
    owner_references: Ignored = Field(None, alias="ownerReferences")


class ClaimTemplate(ManifestPart):
    """The claim that a run makes for itself."""

    api_version: str = Field("", alias="apiVersion")
    kind: str = ""
    metadata: ClaimMetadata | None = None
    spec: ClaimSpec | None = None
    status: Ignored = None


class KeyToPath(ManifestPart):
    """Which key becomes which file."""

    key: str = ""
    path: str = ""
    mode: int | None = None


class ConfigMapSource(Named):
    """A ConfigMap as a directory."""

    items: list[KeyToPath] = Field(default_factory=list)
    default_mode: int | None = Field(None, alias="defaultMode")
    optional: bool | None = None


class SecretSource(ManifestPart):
    """A Secret as a directory."""

    secret_name: str = Field("", alias="secretName")
    items: list[KeyToPath] = Field(default_factory=list)
    default_mode: int | None = Field(None, alias="defaultMode")
    optional: bool | None = None


class ProjectedSource(ManifestPart):
    """Several sources in one directory."""

    sources: list[Any] = Field(default_factory=list)
    default_mode: int | None = Field(None, alias="defaultMode")


class CsiSource(ManifestPart):
    """A volume of a storage driver."""

    driver: str = ""
    read_only: bool | None = Field(None, alias="readOnly")
    fs_type: str | None = Field(None, alias="fsType")
    volume_attributes: TextMap | None = Field(None, alias="volumeAttributes")
    node_publish_secret_ref: Ignored = Field(None, alias="nodePublishSecretRef")
