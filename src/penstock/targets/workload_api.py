"""The API server, for one Deployment or Rollout: read, change its template by compare-and-swap, list what is its own.

The client is the extra ``kubernetes``. It is imported when a target needs it: that takes a second.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from penstock.foundation.errors import UsageError, WorldError, one_line
from penstock.targets.pod_template import Json
from penstock.targets.secret_files import read_secret
from penstock.targets.targets_file import RolloutSettings, WorkloadSettings

REQUEST_S = 10.0
"""Of one request."""
MANAGER = "penstock"
"""Whose fields these are, in ``managedFields``."""
MAX_LISTED = 500
JSON_PATCH, MERGE_PATCH = "application/json-patch+json", "application/merge-patch+json"
ARGO = {"group": "argoproj.io", "version": "v1alpha1"}
ROLLOUTS = {**ARGO, "plural": "rollouts"}
TRAEFIK_SERVICES = {"group": "traefik.io", "version": "v1alpha1", "plural": "traefikservices"}
BEYOND = ("exec", "auth-provider", "tokenFile")
"""Of a user in a kubeconfig: what starts a program, or sends another file's content away."""
MAX_ANSWER_BYTES = 32 << 20


class StaleError(Exception):
    """Somebody else was faster: what is there is another than what was read."""


class ApiSilentError(Exception):
    """The API server did not answer, or asks to try again: nobody knows whether a change was made."""


class NoSuchObjectError(WorldError):
    """There is none of this name: what it would do, it does not do."""


class WorkloadApi:
    """One Deployment or Rollout on one cluster."""

    def __init__(self, settings: WorkloadSettings, secrets: Path | None, *, where: str) -> None:
        """Read the credentials; nothing is asked yet.

        Args:
            settings: which.
            secrets: the directory of secrets, for a kubeconfig.
            where: the target, for messages.

        Raises:
            UsageError: the extra is not installed; the kubeconfig is missing or none; there is no cluster around.
        """
        self._settings, self._where = settings, where
        try:
            from kubernetes import client
        except ImportError:
            todo = "Install it: pip install 'penstock[kubernetes]'."
            raise UsageError("it needs the extra 'kubernetes'", where=where, todo=todo) from None
        configuration = _configuration(settings, secrets, where=where)
        self._apps = client.AppsV1Api(client.ApiClient(configuration))
        self._core = client.CoreV1Api(self._apps.api_client)
        self._objects = client.CustomObjectsApi(self._apps.api_client)
        self._is_rollout = isinstance(settings, RolloutSettings)
        self.kind = "Rollout" if self._is_rollout else "Deployment"
        """As Kubernetes calls it."""

    def read(self) -> Json:
        """It as it is."""
        if self._is_rollout:
            return self._ask(self._objects.get_namespaced_custom_object, **ROLLOUTS, name=self._settings.name)
        return self._ask(self._apps.read_namespaced_deployment, name=self._settings.name)

    def replace_template(self, seen: Json, template: Json, more: Sequence[Json] = ()) -> Json:
        """Put another pod template in the place of the one that was seen; returns what is there after that.

        Args:
            seen: as :meth:`read` gave it.
            template: the pod template.
            more: further operations of a JSON patch, done with it or not at all.

        Raises:
            StaleError: it has changed since; nothing was done.
        """
        version = {"op": "replace", "path": "/metadata/resourceVersion", "value": seen["metadata"]["resourceVersion"]}
        return self._patch([version, {"op": "replace", "path": "/spec/template", "value": template}, *more], JSON_PATCH)

    def merge(self, change: Json) -> None:
        """Change other fields of it, whatever they are now."""
        self._patch(change, MERGE_PATCH)

    def merge_status(self, change: Json) -> None:
        """Likewise of its status; of a Rollout: by its status its controller is told what to do."""
        call = self._objects.patch_namespaced_custom_object_status
        given: Json = {**ROLLOUTS, "name": self._settings.name, "body": {"status": change}}
        self._ask(call, field_manager=MANAGER, _content_type=MERGE_PATCH, **given)

    def _patch(self, body: list[Json] | Json, content_type: str) -> Json:
        given: Json = {"name": self._settings.name, "body": body, "field_manager": MANAGER}
        given["_content_type"] = content_type
        if self._is_rollout:
            return self._ask(self._objects.patch_namespaced_custom_object, **ROLLOUTS, **given)
        return self._ask(self._apps.patch_namespaced_deployment, **given)

    def replica_sets(self, selector: str) -> list[Json]:
        """Those of its namespace that a selector finds."""
        return self._listed(self._apps.list_namespaced_replica_set, selector)

    def pods(self, selector: str) -> list[Json]:
        """Likewise."""
        return self._listed(self._core.list_namespaced_pod, selector)

    def services(self) -> list[Json]:
        """All of its namespace."""
        return self._listed(self._core.list_namespaced_service, "")

    def analysis_template(self, name: str) -> Json:
        """What a step of the Rollout waits for, of its namespace."""
        about = f"AnalysisTemplate '{name}'"
        read = self._objects.get_namespaced_custom_object
        return self._ask(read, about=about, **ARGO, plural="analysistemplates", name=name)

    def analysis_run(self, name: str) -> Json:
        """How far such an analysis is."""
        about = f"AnalysisRun '{name}'"
        return self._ask(
            self._objects.get_namespaced_custom_object, about=about, **ARGO, plural="analysisruns", name=name
        )

    def deployment(self, name: str) -> Json:
        """A Deployment beside it, of its namespace."""
        return self._ask(self._apps.read_namespaced_deployment, about=f"Deployment '{name}'", name=name)

    def traefik_service(self, name: str) -> Json:
        """What splits its requests, of its namespace."""
        about = f"TraefikService '{name}'"
        return self._ask(self._objects.get_namespaced_custom_object, about=about, **TRAEFIK_SERVICES, name=name)

    def change_deployment(self, seen: Json, changes: Sequence[Json]) -> Json:
        """Operations of a JSON patch on a Deployment beside it; returns what is there after that.

        Raises:
            StaleError: it is not as it was seen any more; nothing was done.
        """
        name = seen["metadata"]["name"]
        return self._change(self._apps.patch_namespaced_deployment, f"Deployment '{name}'", seen, changes)

    def change_traefik_service(self, seen: Json, changes: Sequence[Json]) -> None:
        """Likewise on what splits its requests, which the controller of the Rollout changes as well."""
        about, call = f"TraefikService '{seen['metadata']['name']}'", self._objects.patch_namespaced_custom_object
        self._change(functools.partial(call, **TRAEFIK_SERVICES), about, seen, changes)

    def _change(self, call: Any, about: str, seen: Json, changes: Sequence[Json]) -> Json:
        metadata = seen["metadata"]
        version = {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]}
        given: Json = {"name": metadata["name"], "body": [version, *changes], "field_manager": MANAGER}
        return self._ask(call, about=about, _content_type=JSON_PATCH, **given)

    def _listed(self, call: Any, selector: str) -> list[Json]:
        items: list[Json] = self._ask(call, label_selector=selector, limit=MAX_LISTED)["items"]
        return items

    def _ask(self, call: Any, *, about: str = "", **given: Any) -> Json:
        """Raises what the class says, and :class:`WorldError` where asking again does not help.

        Args:
            call: of the client.
            about: what is asked for, if it is not the Deployment or Rollout itself.
            given: to the call.
        """
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        settings = self._settings
        try:
            # as it came: the client's own models would leave out what they do not know, and that has to be put back
            answer = call(namespace=settings.namespace, _request_timeout=REQUEST_S, _preload_content=False, **given)
            try:
                content = answer.read(MAX_ANSWER_BYTES + 1)
            finally:
                answer.close()
            if len(content) > MAX_ANSWER_BYTES:
                what = f"the API server's answer is larger than {MAX_ANSWER_BYTES >> 20} MiB"
                raise WorldError(what, where=self._where, todo=f"Give the {self.kind} a namespace of its own.")
            found: Json = json.loads(content)
        except ApiException as error:
            raise self._refusal(error.status or 0, refusal_words(error), about) from None
        except HTTPError as error:
            raise ApiSilentError(f"the API server does not answer: {one_line(str(error))[:200]}") from None
        except ValueError as error:
            raise ApiSilentError(f"the API server's answer is none: {one_line(str(error))[:200]}") from None
        return found

    def _refusal(self, status: int, said: str, about: str) -> Exception:
        if status == 409:
            return StaleError()
        if status in (0, 408, 425, 429) or status >= 500:
            return ApiSilentError(f"the API server answers {status}: {said}")
        settings = self._settings
        if status == 404:
            named = about or f"{self.kind} '{settings.name}'"
            what = f"there is no {named} in the namespace '{settings.namespace}'"
            return NoSuchObjectError(what, where=self._where, todo="Penstock makes none: the platform does.")
        if status in (401, 403):
            todo = f"Does the account have the Role of this target? See docs/operations.md, 'A {self.kind}'."
            return WorldError(f"the API server refuses ({status}): {said}", where=self._where, todo=todo)
        return WorldError(f"the API server answers {status}: {said}", where=self._where)


def _configuration(settings: WorkloadSettings, secrets: Path | None, *, where: str) -> Any:
    import yaml
    from kubernetes import client, config

    configuration = client.Configuration()
    try:
        if settings.kubeconfig is None:
            config.load_incluster_config(configuration)
        else:
            content = yaml.safe_load(read_secret(secrets, settings.kubeconfig))
            if not isinstance(content, dict):
                raise config.ConfigException("it is not a mapping")
            if "KUBERNETES_SERVICE_HOST" in os.environ:
                _hold_plain(content, where=f"secret '{settings.kubeconfig}'")
            config.load_kube_config_from_dict(content, client_configuration=configuration, persist_config=False)
    except (
        config.ConfigException,
        yaml.YAMLError,
        OSError,
        TypeError,
        ValueError,
        LookupError,
        AttributeError,
    ) as error:
        if settings.kubeconfig is None:
            todo = "Name a 'kubeconfig' in targets.yaml, or run it in a pod whose account has its token."
            raise UsageError(f"there is no cluster around: {one_line(str(error))}", where=where, todo=todo) from None
        # what the file says is not repeated: it holds a secret
        todo = "It is a kubeconfig with a current context, its certificates and token inside."
        what = f"it is no kubeconfig ({type(error).__name__})"
        raise UsageError(what, where=f"secret '{settings.kubeconfig}'", todo=todo) from None
    configuration.retries = careful_retries()
    return configuration


def _hold_plain(content: Json, *, where: str) -> None:
    """In a pod: who starts the run names the secret, and must not act as the pod's account by what it says."""
    users = content.get("users")
    for entry in users if isinstance(users, list) else []:
        user = entry.get("user") if isinstance(entry, dict) else None
        if isinstance(user, dict) and (found := [name for name in BEYOND if name in user]):
            todo = "Give it a token or a certificate inside, of an account that may change this target."
            raise UsageError(f"in a pod no kubeconfig is taken that says '{found[0]}'", where=where, todo=todo)


def careful_retries() -> Any:
    """Of a client of the API server: a token is never taken elsewhere, a change never sent twice without looking."""
    from urllib3 import Retry

    return Retry(total=2, connect=2, read=False, redirect=False, status=False, other=False)


def refusal_words(error: Any) -> str:
    """What a refusal says of itself: the ``message`` of the API's ``Status``."""
    try:
        said = json.loads(error.body or "{}").get("message")
    except (ValueError, AttributeError, TypeError):
        said = None
    return one_line(str(said or error.reason or "no reason is given"))[:300]
