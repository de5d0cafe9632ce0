"""Files that bots gave, fetched from Poe for clients that want the content and not a link."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable, Sequence

from gevent.pool import Pool

from poeflask.core.errors import ErrorKind, PoeError, PoeflaskError
from poeflask.core.reply import FileEvent
from poeflask.endpoints.made_files import FAMILIES, Loaded, family

_AT_ONCE = 4


def fetch_all(
    fetch: Callable[[str], tuple[bytes, str]], files: Sequence[FileEvent]
) -> list[Loaded]:
    """The files' contents in their order; several are fetched side by side.

    Raises:
        PoeError: one of them is not to be had, or is no picture, sound or film.
    """

    def one(file: FileEvent) -> Loaded | PoeflaskError:
        try:
            content, content_type = fetch(file.url)
            _check(content, content_type)
        except PoeflaskError as error:
            return error
        text = b2a_base64(content, newline=False).decode("ascii")
        return Loaded(url=file.url, content_type=content_type, base64=text)

    results = Pool(_AT_ONCE).map(one, files)
    failure = next((result for result in results if isinstance(result, PoeflaskError)), None)
    if failure is not None:
        raise failure
    return [result for result in results if isinstance(result, Loaded)]


def _check(content: bytes, content_type: str) -> None:
    if content and family(content_type) in FAMILIES:
        return
    what = f"is {content_type}" if content else "is empty"
    raise PoeError(
        ErrorKind.POE_BROKEN,
        f"The file that the bot made {what}; it should be a picture, a sound or a film.",
        allow_retry=False,
    )
