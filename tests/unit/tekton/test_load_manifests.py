"""Manifests are found, or it is said why not."""

from __future__ import annotations

import pytest
from tests.unit.tekton.documents import a_task, pipeline, pipeline_run, step, task, write

from penstock.foundation.errors import UsageError
from penstock.tekton.load_manifests import load_pipeline

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)
FILES = {
    "not-yaml": ("kind: [", "not valid YAML"),
    "twice": ("kind: Pipeline\nkind: Pipeline\n", "there twice, first in line 1"),
    "tag": ("!!python/object/apply:os.system ['true']\n", "the tag"),
    "bomb": (BOMB, "more than 200,000 values"),
    "deep": ("a: " + "[" * 40 + "]" * 40, "nested deeper"),
    "loop": ("a: &a [*a]\n", "contains itself"),
    "large": ("# " + "x" * (1 << 20) + "\n", "larger than 1 MiB"),
    "empty": ("", "there is no Pipeline or PipelineRun"),
    "text": ("hello\n", "a manifest is a mapping"),
    "infinite": ("kind: .inf\n", "not a finite number"),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_no_manifests(tmp_path, name):
    text, words = FILES[name]
    path = tmp_path / "p.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=words):
        load_pipeline(path)


def test_there_is_no_such_file(tmp_path):
    with pytest.raises(UsageError):
        load_pipeline(tmp_path / "nothing.yaml")


def test_tasks_are_found_in_the_file_beside_it_and_in_tasks(tmp_path):
    (tmp_path / "tasks").mkdir()
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "extra").mkdir()
    refs = [{"name": name, "taskRef": {"name": name}} for name in ("same", "beside", "sibling", "far")]
    path = write(tmp_path / "pipelines/p.yaml", pipeline(*refs), a_task("same", step("true")))
    write(tmp_path / "pipelines/b.yml", a_task("beside", step("true")))
    write(tmp_path / "tasks/s.yaml", a_task("sibling", step("true")), a_task("other", step("true")))
    write(tmp_path / "extra/f.yaml", a_task("far", step("true")))
    (tmp_path / "tasks/broken.yaml").write_text("kind: Task\nmetadata: [")
    loaded = load_pipeline(path, task_directories=[tmp_path / "extra"])
    assert sorted(loaded.tasks) == ["beside", "far", "same", "sibling"]
    with pytest.raises(UsageError, match=r"spec\.tasks\[3\]\.taskRef\.name: there is no Task named 'far'"):
        load_pipeline(path)
    write(tmp_path / "tasks/again.yaml", a_task("sibling", step("true")))
    with pytest.raises(UsageError, match=r"several files hold a Task named 'sibling': again\.yaml, s\.yaml"):
        load_pipeline(path, task_directories=[tmp_path / "extra"])


def test_a_pipeline_run_finds_its_pipeline(tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "pipelines").mkdir()
    document = pipeline_run(task("a"))
    document["spec"] = {"pipelineRef": {"name": "p"}}
    path = write(tmp_path / "runs/r.yaml", document)
    write(tmp_path / "pipelines/p.yaml", pipeline(task("a")))
    assert load_pipeline(path).name == "p"


def test_one_of_several_can_be_chosen(tmp_path):
    one, two = pipeline(task("a")), pipeline(task("b"))
    two["metadata"]["name"] = "q"
    path = write(tmp_path / "p.yaml", one, two)
    with pytest.raises(UsageError, match="there are 2 documents of kind Pipeline: p, q"):
        load_pipeline(path)
    assert load_pipeline(path, select="q").spec.tasks[0].name == "b"
