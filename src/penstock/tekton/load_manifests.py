"""Loading a Pipeline or PipelineRun with everything that it needs from the files around it, and refusing the rest."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from penstock.foundation.errors import UsageError
from penstock.foundation.yaml_text import MAX_BYTES, Document
from penstock.tekton.manifest import PipelineDocument, PipelineRunDocument, PipelineSpec, TaskDocument
from penstock.tekton.manifest_file import read_manifests
from penstock.tekton.manifest_task import TaskSpec
from penstock.tekton.problems import Path as FieldPath
from penstock.tekton.problems import Problem, path_text
from penstock.tekton.step_template import merged_steps
from penstock.tekton.unsupported import pipeline_limits, task_limits
from penstock.tekton.validation import validate_pipeline, validate_pipeline_usage
from penstock.tekton.validation_run import validate_run
from penstock.tekton.validation_task import validate_task, validate_usage

MAX_SHOWN_PROBLEMS = 8
_MAX_SCANNED_FILES = 500
_MODELS: dict[str, type[TaskDocument] | type[PipelineDocument] | type[PipelineRunDocument]] = {
    "Task": TaskDocument,
    "Pipeline": PipelineDocument,
    "PipelineRun": PipelineRunDocument,
}
_FOREIGN = {
    ("tekton.dev", "StepAction"): "Write its step into the Task: steps[].ref is not implemented.",
    ("tekton.dev", "TaskRun"): "Write a PipelineRun with this one task.",
    ("tekton.dev", "CustomRun"): "There are no custom tasks: write a Task.",
    ("v1", "ConfigMap"): "Put its files into a directory: --workspace NAME=DIR.",
    ("v1", "Secret"): "Put its files into a directory: --workspace NAME=DIR.",
}
"""What to do about kinds that stand in files with pipelines, by group and kind."""


@dataclass(frozen=True)
class LoadedPipeline:
    """A pipeline that can be run: valid, with the tasks that it refers to."""

    source: str
    """The file, as messages call it."""
    name: str
    """The name of the Pipeline; empty if it is written inside its PipelineRun."""
    spec: PipelineSpec
    tasks: dict[str, TaskSpec]
    """The Tasks that ``taskRef`` names."""
    run: PipelineRunDocument | None = None
    files: tuple[Path, ...] = field(default=())
    """Every file that something was read from."""

    @property
    def namespace(self) -> str:
        """What ``$(context.pipelineRun.namespace)`` says."""
        return self.run.metadata.namespace if self.run is not None else "default"


@dataclass(frozen=True)
class _Manifest:
    """One parsed document and where it stands."""

    document: Document
    path: Path
    model: TaskDocument | PipelineDocument | PipelineRunDocument

    @property
    def name(self) -> str:
        return self.model.metadata.name


def load_pipeline(
    path: Path, *, select: str | None = None, task_directories: Sequence[Path] = (), source: str | None = None
) -> LoadedPipeline:
    """Load what ``path`` says is to be run.

    Args:
        path: a YAML file with one PipelineRun, or with one Pipeline; Tasks may stand beside it in the same file.
        select: the name of the PipelineRun or Pipeline, if the file holds several.
        task_directories: where else Tasks and Pipelines may be, after the file itself, its directory, and ``tasks/``
            and ``pipelines/`` in and beside that directory.
        source: what messages call the file; its path by default.

    Raises:
        UsageError: the file cannot be read, is not valid, or uses a field that the runner does not support.
    """
    name = source or str(path)
    manifests = [_parse(document, path) for document in read_manifests(path, name=name) if not _beside(document)]
    main = _choose(manifests, select, name)
    files = _Files(path, task_directories, manifests)
    pipeline = main
    if isinstance(main.model, PipelineRunDocument):
        run = main.model
        if (run.spec.pipeline_ref is None) == (run.spec.pipeline_spec is None):
            raise _refuse(main.document, [Problem(("spec",), "expected exactly one of pipelineRef and pipelineSpec")])
        if run.spec.pipeline_ref is not None:
            pipeline = files.find("Pipeline", run.spec.pipeline_ref.name, main, ("spec", "pipelineRef", "name"))
    problems: list[Problem] = []
    base: FieldPath = ("spec",)
    if isinstance(pipeline.model, PipelineDocument):
        spec = pipeline.model.spec
        problems += [*validate_pipeline(spec, base), *validate_pipeline_usage(spec, base)]
    else:
        assert isinstance(main.model, PipelineRunDocument)  # noqa: S101
        assert main.model.spec.pipeline_spec is not None  # noqa: S101
        spec, base = main.model.spec.pipeline_spec, ("spec", "pipelineSpec")
        problems += validate_pipeline(spec, base)
    problems += pipeline_limits(spec, base)
    if problems:
        raise _refuse(pipeline.document, problems)
    run_document = main.model if isinstance(main.model, PipelineRunDocument) else None
    if run_document is not None and (found := list(validate_run(run_document))):
        raise _refuse(main.document, found)
    tasks = {}
    for section, members in (("tasks", spec.tasks), ("finally", spec.finally_tasks)):
        for index, task in enumerate(members):
            if task.task_ref is not None and task.task_ref.name not in tasks:
                where: FieldPath = (*base, section, index, "taskRef", "name")
                tasks[task.task_ref.name] = files.task(task.task_ref.name, pipeline, where)
    pipeline_name = pipeline.name if isinstance(pipeline.model, PipelineDocument) else ""
    return LoadedPipeline(name, pipeline_name, spec, tasks, run_document, tuple(files.used))


def _parse(document: Document, path: Path) -> _Manifest:
    value = document.value
    if not isinstance(value, dict):
        raise UsageError("a manifest is a mapping with apiVersion, kind and spec", where=_line(document, ()))
    kind, version = value.get("kind"), value.get("apiVersion")
    model = _MODELS.get(kind) if isinstance(kind, str) else None
    if model is None:
        raise _foreign(document, str(kind)[:60], str(version)[:60])
    if isinstance(version, str) and version.startswith("tekton.dev/") and version != "tekton.dev/v1":
        raise UsageError(
            f"apiVersion: '{version[:60]}' is not supported, only tekton.dev/v1",
            where=_line(document, ("apiVersion",)),
            todo="Convert it; tekton.dev/v1beta1 is deprecated.",
        )
    try:
        return _Manifest(document, path, model.model_validate(value, by_alias=True, by_name=False))
    except ValidationError as error:
        raise _refuse(document, [_problem(item) for item in error.errors(include_url=False)]) from None


def _foreign(document: Document, kind: str, version: str) -> UsageError:
    """The refusal of a document that is no Pipeline, PipelineRun or Task: what it is, and what to do instead."""
    todo = _FOREIGN.get((version.split("/")[0], kind), "")
    what = f"kind: '{kind}' is not supported, only Pipeline, PipelineRun and Task of tekton.dev/v1"
    if todo and version.startswith("tekton.dev/"):
        what = f"kind: '{kind}' ({version}) is not supported by the runner on one machine"
    return UsageError(what, where=_line(document, ("kind",)), todo=todo)


def _beside(document: Document) -> bool:
    """Whether a document may stand beside a run without being read.

    A claim is what a workspace is bound to on a cluster. Here the workspace is bound to a directory, or the run is
    refused for the workspace that names the claim.
    """
    value = document.value
    return isinstance(value, dict) and (value.get("apiVersion"), value.get("kind")) == ("v1", "PersistentVolumeClaim")


def _problem(error: Any) -> Problem:
    path = tuple(error["loc"])
    kind = error["type"]
    if kind == "extra_forbidden":
        return Problem(path, "unknown field: Tekton v1 has no field of this name here")
    if kind == "missing":
        return Problem(path, "missing field")
    if kind == "string_type":
        given = error["input"]
        plain = f", not {json.dumps(given)}" if isinstance(given, bool | int | float) else ""
        return Problem(path, f"it must be text{plain}; put it in quotes")
    message = str(error["msg"]).removeprefix("Value error, ")
    return Problem(path, message[0].lower() + message[1:])


def _choose(manifests: list[_Manifest], select: str | None, name: str) -> _Manifest:
    for kind in (PipelineRunDocument, PipelineDocument):
        candidates = [manifest for manifest in manifests if isinstance(manifest.model, kind)]
        if select is not None:
            candidates = [manifest for manifest in candidates if manifest.name == select]
        if len(candidates) > 1:
            names = ", ".join(sorted(manifest.name or "(no name)" for manifest in candidates))
            what = f"there are {len(candidates)} documents of kind {candidates[0].model.kind}: {names}"
            raise UsageError(what, where=name, todo="Keep one of them in the file.")
        if candidates:
            return candidates[0]
    what = f"there is no Pipeline or PipelineRun named '{select}'" if select else "there is no Pipeline or PipelineRun"
    raise UsageError(what, where=name)


class _Files:
    """Where Tasks and Pipelines are looked for, nearest first."""

    def __init__(self, path: Path, extra: Sequence[Path], manifests: list[_Manifest]) -> None:
        here = path.resolve().parent
        self.directories = {
            "Task": [here, here / "tasks", here.parent / "tasks", *extra],
            "Pipeline": [here, here / "pipelines", here.parent / "pipelines", *extra],
        }
        self.main = path
        self.manifests = manifests
        self.used: list[Path] = [path]
        self.texts: dict[Path, dict[Path, str]] = {}
        self.documents: dict[Path, list[Document]] = {}

    def task(self, name: str, asking: _Manifest, where: FieldPath) -> TaskSpec:
        """The Task ``name``, checked."""
        manifest = self.find("Task", name, asking, where)
        assert isinstance(manifest.model, TaskDocument)  # noqa: S101
        spec = manifest.model.spec
        base: FieldPath = ("spec",)
        problems = [*validate_task(spec, base), *validate_usage(merged_steps(spec), spec.params, base)]
        problems += task_limits(spec, base)
        if problems:
            raise _refuse(manifest.document, problems)
        return spec

    def find(self, kind: str, name: str, asking: _Manifest, where: FieldPath) -> _Manifest:
        """The document of this kind and name."""
        same_file = [manifest for manifest in self.manifests if manifest.model.kind == kind and manifest.name == name]
        if len(same_file) > 1:
            raise UsageError(
                f"there are {len(same_file)} documents of kind {kind} named '{name}'", where=str(self.main)
            )
        if same_file:
            return same_file[0]
        for directory in self.directories[kind]:
            found = list(self._in_directory(directory, kind, name))
            if len(found) > 1:
                files = ", ".join(sorted(manifest.path.name for manifest in found))
                raise UsageError(f"several files hold a {kind} named '{name}': {files}", where=str(directory))
            if found:
                if found[0].path not in self.used:
                    self.used.append(found[0].path)
                return found[0]
        looked = ", ".join(str(directory) for directory in self.directories[kind])
        raise UsageError(
            f"{path_text(where)}: there is no {kind} named '{name}' in this file nor in {looked}",
            where=_line(asking.document, where),
            todo=f"Put the {kind} beside the file; remote resolution is not done here.",
        )

    def _in_directory(self, directory: Path, kind: str, name: str) -> Iterable[_Manifest]:
        wanted = re.compile(rf"^\s*[\"']?kind[\"']?\s*:\s*[\"']?{kind}[\"']?\s*(#.*)?$", re.MULTILINE)
        for path, text in self._texts(directory).items():
            # a file that cannot hold it is not parsed: strangers' faults are not ours
            if name not in text or not wanted.search(text):
                continue
            if path not in self.documents:
                self.documents[path] = read_manifests(path, name=str(path))
            for document in self.documents[path]:
                value = document.value
                metadata = value.get("metadata") if isinstance(value, dict) else None
                if isinstance(metadata, dict) and value.get("kind") == kind and metadata.get("name") == name:
                    yield _parse(document, path)

    def _texts(self, directory: Path) -> dict[Path, str]:
        """The manifests of a directory, each read once."""
        if directory not in self.texts:
            here = directory.iterdir() if directory.is_dir() else ()
            files = sorted(path for path in here if path.suffix in (".yaml", ".yml") and path.is_file())
            main = self.main.resolve()
            self.texts[directory] = {
                path: path.read_text(encoding="utf-8", errors="replace")
                for path in files[:_MAX_SCANNED_FILES]
                if path.resolve() != main and path.stat().st_size <= MAX_BYTES
            }
        return self.texts[directory]


def _line(document: Document, path: FieldPath) -> str:
    return f"{document.name}:{document.locate(path).line}"


def _refuse(document: Document, problems: list[Problem]) -> UsageError:
    lines = []
    for problem in problems[:MAX_SHOWN_PROBLEMS]:
        text = f"{path_text(problem.path)}: {problem.message}"
        if text not in lines:
            lines.append(text)
    if len(problems) > MAX_SHOWN_PROBLEMS:
        lines.append(f"and {len(problems) - MAX_SHOWN_PROBLEMS} more")
    return UsageError("\n".join(lines), where=_line(document, problems[0].path))
