"""``bin/penstock-infer`` of the driver runtime: the step *infer*, inside an image that is the model's own.

``bin/penstock-serve``, the service beside the step *browse*, ``bin/penstock-backends`` and ``bin/penstock-drive``, the
model's parts of the steps *export* and *load*, are the same with other modules.

The first line of the installed file names the runtime's own interpreter, with ``-I``: nothing that the model's image
sets (``PYTHONPATH``, ``PYTHONHOME``) reaches the driver.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def forget_locale(environ: Path = Path("/proc/self/environ")) -> None:
    """Python may have put ``LC_CTYPE`` into the environment for itself; the model must not inherit it."""
    try:
        started_with = environ.read_bytes().split(b"\0")
    except OSError:  # no /proc: then nothing is known
        return
    if not any(pair.startswith(b"LC_CTYPE=") for pair in started_with):
        os.environ.pop("LC_CTYPE", None)


if __name__ == "__main__":
    from penstock_tasks.infer.entrypoint import main

    forget_locale()
    # The directory that the image starts in is where the model lies.
    sys.exit(main([*sys.argv[1:], f"--model-dir={Path.cwd()}"]))
