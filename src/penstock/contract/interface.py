"""The service's own description of its interface, an OpenAPI document: ``interface`` of the contract."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from penstock.contract.policy import Policy, Rule, Strict
from penstock.families.engine_metrics import INTERFACE_METRICS


class ServiceInterface(Strict):
    """The service is tested against its document, and the document is compared with the released one."""

    document: Annotated[str, Field(pattern=r"^[^\s#?]+$", max_length=500)]
    """Where the document is: a path of the service (`/openapi.json`), or a file of the repository (`openapi.yaml`)."""
    examples: Annotated[int, Field(ge=1, le=1000, strict=True)] = 30
    """How many requests are made up for each operation; a third of them do not hold what the document asks for."""
    seconds: Annotated[float, Field(ge=5, le=1800, strict=True)] = 60.0
    """The longest that this may take, over all operations."""
    seed: Annotated[int, Field(ge=0, le=2**32 - 1, strict=True)] = 1
    """Of the requests: the same document and seed make the same requests."""

    @property
    def served(self) -> bool:
        """Whether the service has the document, rather than the repository."""
        return self.document.startswith("/")


def with_interface_rules(policy: Policy, interface: ServiceInterface | None) -> Policy:
    """The policy of a contract, with the rules that its service keeps to its document and breaks no client of the
    released one, each unless the policy has a rule for that metric.

    ``{metric: interface_breaks, max: 0, severity: warn}`` lets one of them only warn.
    """
    if interface is None:
        return policy
    given = {rule.metric for rule in policy.rules}
    rules = [Rule(metric=metric.name, max=0.0) for metric in INTERFACE_METRICS if metric.name not in given]
    return policy.model_copy(update={"rules": [*policy.rules, *rules]})
