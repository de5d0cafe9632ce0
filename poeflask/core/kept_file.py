"""A file that a client keeps here, as a value; its content is elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """What is known of a kept file.

    Attributes:
        id: cannot be guessed.
        name: the file's own, without a path; never empty.
        content_type: the MIME type, or empty if the client did not say.
        purpose: what the client keeps it for, in the client's word.
        size: in bytes.
        created_s, end_s: when it came and until when it is kept, in seconds since 1970.
    """

    id: str
    name: str
    content_type: str
    purpose: str
    size: int
    created_s: float
    end_s: float

    def record(self) -> dict[str, Any]:
        """The file as JSON says it."""
        return asdict(self)

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> KeptFile:
        """The file that `record` told of."""
        return cls(**record)
