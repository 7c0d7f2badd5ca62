"""The picture of a message: the worst case, as the step *report* has drawn it."""

from __future__ import annotations

from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.notices.notice import NoticePicture
from penstock.notices.notice_links import is_picture_attached, picture_link, values_of
from penstock.report.picture_files import worst_picture


def picture_of(bundle: Bundle, status: str, directory: Path | None = None, evidence: str = "") -> NoticePicture | None:
    """The picture of a run with a verdict; ``None``: there is none, or its verdict is not what is told.

    Args:
        bundle: the run's bundle, as far as it came.
        status: Tekton's aggregate status of the tasks, or empty.
        directory: where the file ``links`` may be, whose lines ``picture`` say where people find the picture, and
            whether it goes itself to those who take files.
        evidence: where the bundle lies in the store; empty: nowhere yet, and a line that names it is left out.

    Raises:
        UsageError: a line of that file is no link.
    """
    path = worst_picture(bundle)
    if path is None or status == "Failed" or not bundle.verdict_file.exists() or not bundle.run_file.exists():
        return None
    values = values_of(bundle.run(), evidence)
    named = " ".join(word for word in (values.model, values.version) if word)
    alt = f"The worst case of {named or values.run}"
    return NoticePicture(path, alt, picture_link(values, directory), is_picture_attached(directory))
