"""The environment of a model, from what was built of it to the record in its bundle."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.environment_record import EnvironmentRecord
from penstock.bundle.models import Image
from penstock.contract.models import Contract
from penstock.environment.built_image import read_image
from penstock.environment.facts import EnvironmentFacts
from penstock.environment.gather import facts_of_image, facts_of_recipe, lost_weights, recipe_of
from penstock.environment.judge import judge
from penstock.foundation.errors import PenstockError, one_line

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Looked:
    """What came of a look."""

    record: EnvironmentRecord
    facts: EnvironmentFacts | None
    """What it was judged by; ``None``: the image could not be read."""


def look(
    source: Path,
    contract: Contract,
    image: Image,
    cache: Path,
    *,
    tls_verify: bool = True,
    authfile: Path | None = None,
    skopeo: str = "skopeo",
) -> Looked:
    """Read what was built, or the recipe where nothing is, and judge it. None of its code is started.

    An image that cannot be read is no error here: the record says why, and a rule that needs it does not pass.

    Args:
        source: the clone.
        contract: of the model.
        image: what *build* has said.
        cache: what outlives a run.
        tls_verify: whether the registry's certificate is checked.
        authfile: credentials of the registry.
        skopeo: the program that asks it.
    """
    recipe = recipe_of(source, contract)
    service, network = contract.call.http is not None, contract.call.network
    if image.kind == "process":
        facts = facts_of_recipe(source, recipe, contract.build.context)
        return Looked(judge(facts, service=service, network=network), facts)
    try:
        built = read_image(image, cache, tls_verify=tls_verify, authfile=authfile, skopeo=skopeo)
    except PenstockError as error:
        log.warning("the image's environment is not judged: %s", error)
        return Looked(EnvironmentRecord(read="image", image=image.digest, unreadable=one_line(error.what)), None)
    facts = facts_of_image(built, image.digest, recipe)
    lost = lost_weights(built.settings.environment, contract, image.directory if image.key else "")
    return Looked(judge(facts, service=service, network=network, weights=lost), facts)
