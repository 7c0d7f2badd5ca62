"""What every record of a bundle, and of a store, is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Base of what Penstock writes. Fields of a newer version are kept out of the way, not an error."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)
