"""``penstock weights sign`` and ``verify``: signatures of OpenSSF model signing, with a key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

MODEL_HELP = "The weights: a folder, or a single file."


def sign(
    model: Annotated[Path, typer.Argument(help=MODEL_HELP)],
    key: Annotated[Path, typer.Option(help="The private key in PEM, of the curve P-256, such as weights.key.")],
    signature: Annotated[Path, typer.Option(help="Where to write the signature.")] = Path("model.sig"),
) -> None:
    """Sign weights: each file of the folder by its SHA-256, in the format of OpenSSF model signing.

    What 'model_signing verify key' accepts. A contract names the file in 'signature' of its weights.

    Example: penstock weights sign weights --key weights.key --signature weights.sig
    """
    from penstock.foundation.files import replacing
    from penstock.releases.envelope import private_key
    from penstock.releases.signed_weights import sign_weights

    content = sign_weights(model, private_key(key), signature=signature)
    with replacing(signature) as temporary:
        temporary.write_bytes(content)
    typer.echo(str(signature))


def verify(
    model: Annotated[Path, typer.Argument(help=MODEL_HELP)],
    key: Annotated[Path, typer.Option(help="The public key in PEM, such as weights.pub.")],
    signature: Annotated[Path, typer.Option(help="The signature.")] = Path("model.sig"),
) -> None:
    """Verify that these weights, all of them and no other, were signed with this key.

    Exit codes: 0 they were; 1 they were not, with the reason.

    Example: penstock weights verify weights --key weights.pub --signature weights.sig
    """
    from penstock.foundation.errors import one_line
    from penstock.foundation.files import read_regular
    from penstock.releases.attest import UnverifiedError
    from penstock.releases.envelope import NotSignedError, public_key
    from penstock.releases.signed_weights import MAX_SIGNATURE_BYTES, difference, digests_to_sign, signed_files

    content = read_regular(signature, max_bytes=MAX_SIGNATURE_BYTES, where=str(signature))
    here = digests_to_sign(model, signature=signature)
    try:
        other = difference(here, signed_files(content, [public_key(key)]))
    except NotSignedError as error:
        raise UnverifiedError(str(error), where=str(signature)) from None
    if other:
        raise UnverifiedError(other, where=str(model))
    typer.echo(one_line(f"{model}: {len(here)} {'file' if len(here) == 1 else 'files'}, signed with this key"))
