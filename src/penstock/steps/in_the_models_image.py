"""What every step is told that runs in the model's own image, and what follows of it.

It runs on the driver's runtime, and imports no more than that has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Image
from penstock.evaluation.local_python import Named
from penstock.evaluation.model_image import image_files
from penstock.invocation.sandbox import ImageFiles
from penstock.steps.entrypoint import launched, param, workspace


@dataclass(frozen=True)
class InTheModelsImage:
    """Arguments that these steps share. A step's own come after them, also in its Task."""

    image: str = param("the image that this step runs in, as the step plan said")
    runtime_id: str = param("which driver calls the model, as the step plan said")
    python: str = param(
        "the Python environment of a model that runs on one machine without an image; empty: the contract's", default=""
    )
    python_found: str = param(
        "the Python environment that is taken there where the contract names none; empty: Penstock's own", default=""
    )
    source: Path = workspace("the model's repository")
    bundle: Path = workspace("the run's bundle")
    runtime: Path = workspace("the driver, which comes with this step into the model's image")
    weights: Path | None = workspace("the folder of the model's weights, beside its image", optional=True)
    model_dir: Path | None = launched("the image's working directory; left out where steps are not run in images")

    @property
    def named(self) -> Named:
        """The Python environments that the run names."""
        return Named(self.python, self.python_found)

    def image_files(
        self, built: Image | None, code: Path, bundle: Bundle, *, beside: Iterable[Path | None] = ()
    ) -> ImageFiles | None:
        """What the container holds; see :func:`penstock.evaluation.model_image.image_files`.

        Args:
            built: the image that was built of the model, if it has one.
            code: the model's repository.
            bundle: says which weights were verified.
            beside: further workspaces of the step.
        """
        mounted = (self.source, self.bundle, self.runtime, *beside)
        return image_files(built, self.image, self.model_dir, code, mounted, bundle=bundle)

    def temporary(self, image: ImageFiles | None) -> Path | None:
        """Where temporary files go; ``None``: where Python puts them.

        An image need not have a directory for them, and its root is read-only: Tekton's own volume is not.
        """
        return self.runtime.parent if image is not None else None
