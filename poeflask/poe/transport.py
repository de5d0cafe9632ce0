"""What faults of the way to Poe mean: those of requests, of urllib3 and of our own exchange."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests
import urllib3.exceptions

from poeflask.core.errors import RULES, ErrorKind, OwnError, PoeError, PoeflaskError
from poeflask.poe.exchange import UnansweredError

_UNREACHABLE = (ErrorKind.POE_UNREACHABLE, "Poe could not be reached; try again later.")
_TLS = (ErrorKind.POE_UNREACHABLE, "No secure connection to Poe could be made.")
_PROXY = (ErrorKind.POE_UNREACHABLE, "The proxy on the way to Poe could not be reached.")
_LATE = (ErrorKind.POE_TIMEOUT, "Poe did not answer in time.")
BROKEN = (ErrorKind.POE_BROKEN, "The connection to Poe broke before its answer was complete.")
_GARBLED = (ErrorKind.POE_BROKEN, "Poe's answer is not written as HTTP demands.")
_ADDRESS = (
    ErrorKind.INTERNAL,
    "The address of Poe or of the proxy in the settings cannot be used; "
    'it should look like "https://api.poe.com".',
)
_MISUSE = (ErrorKind.INTERNAL, "The request to Poe could not be made.")

MEANINGS: dict[type[Exception], tuple[ErrorKind, str]] = {
    requests.ConnectTimeout: _UNREACHABLE,
    requests.ReadTimeout: _LATE,
    requests.Timeout: _LATE,
    requests.exceptions.SSLError: _TLS,
    requests.exceptions.ProxyError: _PROXY,
    requests.ConnectionError: _UNREACHABLE,
    requests.exceptions.RetryError: _UNREACHABLE,
    requests.exceptions.ChunkedEncodingError: BROKEN,
    requests.exceptions.ContentDecodingError: _GARBLED,
    requests.TooManyRedirects: _GARBLED,
    requests.HTTPError: _GARBLED,
    requests.exceptions.InvalidJSONError: _GARBLED,
    requests.exceptions.InvalidURL: _ADDRESS,
    requests.exceptions.InvalidSchema: _ADDRESS,
    requests.exceptions.MissingSchema: _ADDRESS,
    requests.exceptions.URLRequired: _ADDRESS,
    requests.exceptions.InvalidHeader: _MISUSE,
    requests.exceptions.StreamConsumedError: _MISUSE,
    requests.exceptions.UnrewindableBodyError: _MISUSE,
    UnansweredError: _UNREACHABLE,
    urllib3.exceptions.NewConnectionError: _UNREACHABLE,
    urllib3.exceptions.ConnectTimeoutError: _UNREACHABLE,
    urllib3.exceptions.MaxRetryError: _UNREACHABLE,
    urllib3.exceptions.PoolError: _UNREACHABLE,
    urllib3.exceptions.ResponseError: _UNREACHABLE,
    urllib3.exceptions.TimeoutError: _LATE,
    urllib3.exceptions.TimeoutStateError: _MISUSE,
    urllib3.exceptions.SSLError: _TLS,
    urllib3.exceptions.ProxyError: _PROXY,
    urllib3.exceptions.ProtocolError: BROKEN,
    urllib3.exceptions.IncompleteRead: BROKEN,
    urllib3.exceptions.InvalidChunkLength: BROKEN,
    urllib3.exceptions.DecodeError: _GARBLED,
    urllib3.exceptions.BodyNotHttplibCompatible: _GARBLED,
    urllib3.exceptions.HeaderParsingError: _GARBLED,
    urllib3.exceptions.LocationValueError: _ADDRESS,
    urllib3.exceptions.ProxySchemeUnknown: _ADDRESS,
    urllib3.exceptions.ProxySchemeUnsupported: _ADDRESS,
    urllib3.exceptions.InvalidHeader: _MISUSE,
    urllib3.exceptions.UnrewindableBodyError: _MISUSE,
}
"""What a fault of the transport means; a class without a line is meant as its nearest base."""

FAULTS = tuple(MEANINGS)
"""What `except` may name."""


@contextmanager
def transport_faults() -> Iterator[None]:
    """Make every fault of the transport an error of ours.

    Raises:
        PoeError: the way to Poe failed.
        OwnError: the request could not be made as the settings say.
    """
    try:
        yield
    except FAULTS as error:
        raise meant(error) from error


def meant(error: Exception) -> PoeflaskError:
    """The error of ours that one of `FAULTS` means."""
    kind, message = next(MEANINGS[base] for base in type(error).__mro__ if base in MEANINGS)
    leaf = PoeError if RULES[kind].fault == "poe" else OwnError
    return leaf(kind, message)
