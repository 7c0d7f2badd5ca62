"""``penstock run --weights``: a file of this machine, or an address, as the pipeline's parameter ``weights`` has it."""

from __future__ import annotations

from pathlib import Path

from penstock.contract.weight_sources import GivenWeights, given_weights
from penstock.foundation.errors import MissingFileError, UsageError
from penstock.foundation.files import open_regular, sha256_of


def weights_param(text: str) -> dict[str, str]:
    """``FILE``, ``PATH=FILE`` or an address with its digest → the pipeline's parameter; empty for an empty text.

    The digest of a file is taken here: whatever becomes of the file, no other weights are tried under its name.

    Raises:
        UsageError: there is no such file, or the address is none that weights are fetched from.
    """
    if not text:
        return {}
    if "://" in text:
        return {"weights": given_weights(text).text()}
    path, file = "", Path(text)
    if not file.exists() and "=" in text:
        path, _, name = text.partition("=")
        file = Path(name)
    try:
        with open_regular(file, where=f"--weights {text}") as content:
            digest = sha256_of(content)
    except MissingFileError:
        todo = "Name a file, or an address: https://, s3:// or hf:// with #sha256=DIGEST."
        raise UsageError("there is no such file", where=f"--weights {text}", todo=todo) from None
    return {"weights": GivenWeights(path, file.resolve().as_uri(), digest).text()}
