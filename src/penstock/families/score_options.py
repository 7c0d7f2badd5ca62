"""Options that the families' commands `penstock score …` share."""

from __future__ import annotations

from typing import Annotated

import typer

PrecisionOption = Annotated[
    str,
    typer.Option(
        metavar="f32|bf16",
        help="What the network computes in. bf16 is faster, needs a CPU with AMX or AVX-512 BF16 and "
        "penstock[openvino], and its values compare with such only.",
    ),
]
