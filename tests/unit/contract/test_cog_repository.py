"""``penstock init --from cog.yaml``: what a cog repository says, read without running anything of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.contract.cog_repository import CogInput, read_cog
from penstock.contract.template import write_template
from penstock.foundation.errors import UsageError

PREDICT = '''\
"""A model of cog."""
raise SystemExit("this must never run")
from typing import List, Optional
from cog import BasePredictor, Input, Path

class Predictor(BasePredictor):
    def setup(self):
        self.model = load()

    def predict(
        self,
        image: Path = Input(description="A picture"),
        prompt: str = Input(description="What to do: \\"this\\""),
        scale: int = Input(default=2, ge=1, le=4),
        strength: float = 0.5,
        face_enhance: bool = Input(default=False),
        model: str = Input(choices=["a", "b"], default="a"),
        mask: Optional[Path] = Input(default=None),
        seed: int = Input(default=None),
        limit: int = Input(default=LIMIT),
    ) -> Path:
        return run()
'''


def cog(folder: Path, code: str = PREDICT, settings: str = 'predict: "predict.py:Predictor"\n') -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "predict.py").write_text(code, encoding="utf-8")
    (folder / "cog.yaml").write_text(f"build:\n  gpu: true\n  python_version: '3.11'\n{settings}", encoding="utf-8")
    return folder / "cog.yaml"


def test_the_signature_is_read_and_not_run(tmp_path: Path) -> None:
    model = read_cog(cog(tmp_path))
    assert model.returns_file
    assert model.inputs == (
        CogInput("image", True, "Path"),
        CogInput("prompt", False, "str"),
        CogInput("scale", False, "int", 2, optional=True),
        CogInput("strength", False, "float", 0.5, optional=True),
        CogInput("face_enhance", False, "bool", False, optional=True),
        CogInput("model", False, "str", "a", optional=True),
        CogInput("mask", True, "Optional[Path]", None, optional=True),
        CogInput("seed", False, "int", None, optional=True),
        CogInput("limit", False, "int", None, optional=True),
    )


@pytest.mark.parametrize(
    ("code", "settings", "returns_file"),
    [
        ("class R:\n    def run(self, audio: File) -> dict[str, float]: ...\n", 'run: "predict.py:R"\n', False),
        ("def predict(text: str) -> 'list[Path]': ...\n", 'predict: "predict.py:predict"\n', True),
        ("class R:\n    async def predict(self, n: int): ...\n", 'predict: "predict.py:R"\n', False),
    ],
)
def test_forms_of_a_model(tmp_path: Path, code: str, settings: str, returns_file: bool) -> None:
    model = read_cog(cog(tmp_path, code, settings))
    assert len(model.inputs) == 1
    assert model.returns_file is returns_file


def test_a_class_that_comes_back_has_its_file_in_a_field(tmp_path: Path) -> None:
    code = "class Output(BaseModel):\n    score: float\n    mask: Optional[Path]\n    log: Path\n\n"
    model = read_cog(cog(tmp_path, code + "def p(image: Path) -> Output: ...\n", 'predict: "predict.py:p"\n'))
    assert (model.returns_file, model.file_field) == (True, "mask")
    code = "class Output(BaseModel):\n    score: float\n\n"
    model = read_cog(cog(tmp_path, code + "def p(image: Path) -> Output: ...\n", 'predict: "predict.py:p"\n'))
    assert (model.returns_file, model.file_field) == (False, "")


def test_a_method_that_is_inherited_in_the_file(tmp_path: Path) -> None:
    code = (
        "class A(B, BasePredictor):\n    def predict(self, image: Path) -> Path: ...\n\n"
        "class B(A): ...\n\nclass C(B):\n    pass\n"
    )
    assert [found.name for found in read_cog(cog(tmp_path, code, 'predict: "predict.py:C"\n')).inputs] == ["image"]


@pytest.mark.parametrize(
    ("annotation", "file", "several"),
    [
        ("Literal['Path', 'b']", False, False),
        ("Annotated[str, Input(description='the File that is meant')]", False, False),
        ("Annotated[cog.Path, 'a picture']", True, False),
        ("'Optional[Path]'", True, False),
        ("Optional['Path'] | None", True, False),
        ("list[Path]", True, True),
        ("typing.List['File']", True, True),
        ("list[Literal['File']]", False, True),
        ("MyPath", False, False),
        ("'no type ['", False, False),
        ("int" + " | int" * 500 + " | Path", True, False),
    ],
)
def test_what_is_a_file_is_said_by_types_and_not_by_texts(
    tmp_path: Path, annotation: str, file: bool, several: bool
) -> None:
    code = f"def predict(given: {annotation}) -> {annotation}: ...\n"
    model = read_cog(cog(tmp_path, code, 'predict: "predict.py:predict"\n'))
    assert (model.inputs[0].file, model.inputs[0].several, model.returns_file) == (file, several, file)


@pytest.mark.parametrize(
    ("code", "settings", "fault"),
    [
        (PREDICT, "", "cog.yaml: it does not say where the model is"),
        (PREDICT, 'predict: "../predict.py:Predictor"\n', "cog.yaml: predict"),
        (PREDICT, 'predict: "other.py:Predictor"\n', "other.py: the file is missing"),
        (PREDICT, 'predict: "predict.py:Other"\n', "predict.py: there is no class or function 'Other'"),
        (
            "class P: pass\n",
            'predict: "predict.py:P"\n',
            "predict.py:1: the class 'P' has no method 'predict' or 'run'",
        ),
        ("def (", 'predict: "predict.py:P"\n', "predict.py:1: this is not Python that can be read"),
        ("x = " + "(" * 5000, 'predict: "predict.py:P"\n', "this is not Python that can be read"),
        ("def p(größe: int): ...\n", 'predict: "predict.py:p"\n', "the input 'größe' has a name beyond ASCII"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, code: str, settings: str, fault: str) -> None:
    root = tmp_path / "root"
    with pytest.raises(UsageError) as caught:
        write_template(root, family="talking-head", cog=cog(root, code, settings))
    assert fault in str(caught.value)
    assert not (root / "penstock.yaml").exists()
