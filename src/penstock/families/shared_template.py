"""What every family's contract begins with, as ``penstock init`` writes it."""

from __future__ import annotations

from typing import Final

CONTRACT_HEAD: Final = """\
# The contract of this model with Penstock. `penstock check` says what is still missing, `penstock schema` prints the
# schema for editors.
version: 1
name: {name}                      # lower-case letters, digits and hyphens
family: {family}
description: What the model is, in one line

# Each file of weights: where the model looks for it, its digest (`sha256sum FILE`), and where it comes from.
weights:
  - path: weights/model.onnx
    sha256: "{sha256}"
    source: lfs                   # or a path in this repository, https://…, s3://bucket/key

build:
  containerfile: Containerfile
  context: .

"""
"""Name, family, weights and build; what follows is how the model is called."""
