"""Files that clients keep here: whose they are, how many, how large and for how long.

A file belongs to an owner: the name that a key goes by, never the key itself. Each owner has a
namespace of records, so that nobody else's file can be found, whatever its id.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable
from dataclasses import dataclass

from poeflask.core.errors import ClientError, ErrorKind, OwnError
from poeflask.core.kept_file import KeptFile
from poeflask.core.prompt import File
from poeflask.log_lines import get_logger
from poeflask.stores.base import Store, StoreUnavailable
from poeflask.stores.contents import Contents
from poeflask.stores.namespace import Namespace

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What one owner may keep.

    Attributes:
        files: how many.
        bytes: how large together.
        ttl_s: for how many seconds at most.
    """

    files: int = 500
    bytes: int = 512 * 2**20
    ttl_s: float = 30 * 86_400.0


class KeptFiles:
    """Keeps files of all owners.

    Args:
        store: where the records are kept.
        contents: where the contents are kept.
        bounds: what one owner may keep.
        clock: seconds since 1970.
        new_id: an id that cannot be guessed, behind the given prefix.
    """

    def __init__(
        self,
        store: Store,
        contents: Contents,
        *,
        bounds: Bounds,
        clock: Callable[[], float],
        new_id: Callable[[str], str],
    ) -> None:
        self._store = store
        self._contents = contents
        self._bounds = bounds
        self._clock = clock
        self._new_id = new_id

    def keep(
        self,
        owner: str,
        content: bytes,
        *,
        name: str,
        content_type: str,
        purpose: str,
        ttl_s: float | None = None,
    ) -> KeptFile:
        """Keep a file for the owner, for so long or for as long as files are kept.

        Raises:
            ClientError: the owner has too many files, or too large ones.
            OwnError: kind BUSY, here and in all methods, if nothing can be kept or read just now.
        """
        self._check_room(owner, len(content))
        now = self._clock()
        kept_s = self._bounds.ttl_s if ttl_s is None else min(ttl_s, self._bounds.ttl_s)
        file = KeptFile(
            id=self._new_id("file-"),
            name=name,
            content_type=content_type,
            purpose=purpose,
            size=len(content),
            created_s=now,
            end_s=now + kept_s,
        )
        try:
            self._contents.put(file.id, content, file.end_s)
        except StoreUnavailable as error:
            raise _busy(error) from error
        self._records(owner).put(file.id, file.record(), kept_s)
        return file

    def find(self, owner: str, file_id: str) -> KeptFile | None:
        """The owner's file with this id, or None."""
        record = self._records(owner).get(file_id)
        return None if record is None else KeptFile.of_record(record)

    def all(self, owner: str) -> list[KeptFile]:
        """The owner's files, oldest first."""
        ids = self._records(owner).keys()
        files = [self.find(owner, file_id) for file_id in ids]
        return sorted(filter(None, files), key=lambda file: (file.created_s, file.id))

    def content(self, owner: str, file_id: str) -> bytes | None:
        """The content of the owner's file with this id, or None."""
        if self.find(owner, file_id) is None:
            return None
        try:
            return self._contents.get(file_id)
        except StoreUnavailable as error:
            raise _busy(error) from error

    def forget(self, owner: str, file_id: str) -> bool:
        """Forget the owner's file with this id; false if there was none."""
        if self.find(owner, file_id) is None:
            return False
        self._records(owner).delete(file_id)
        try:
            self._contents.delete(file_id)
        except StoreUnavailable as error:
            raise _busy(error) from error
        return True

    def lookup(self, owner: str, file_id: str) -> File | None:
        """The owner's file with this id as a prompt holds it, or None."""
        file = self.find(owner, file_id)
        content = self.content(owner, file_id)
        if file is None or content is None:
            return None
        text = b2a_base64(content, newline=False).decode("ascii")
        return File(base64=text, content_type=file.content_type, name=file.name)

    def _check_room(self, owner: str, size: int) -> None:
        files = self.all(owner)
        if len(files) >= self._bounds.files:
            raise _too_much(f"You keep {len(files)} files here already, the most that you may.")
        taken = sum(file.size for file in files)
        if taken + size > self._bounds.bytes:
            raise _too_much(
                f"Your files may take {self._bounds.bytes} bytes together; {taken} are taken."
            )

    def _records(self, owner: str) -> Namespace:
        return Namespace(self._store, f"files:{owner}", on_failure="refuse")


def _too_much(sentence: str) -> ClientError:
    return ClientError(
        ErrorKind.INVALID_REQUEST,
        f"{sentence} Delete some first.",
        param="file",
        code="storage_limit_exceeded",
    )


def _busy(error: StoreUnavailable) -> OwnError:
    _log.warning("contents_unreachable", reason=str(error))
    return OwnError(ErrorKind.BUSY, "poeflask cannot keep or read files just now; try again later.")
