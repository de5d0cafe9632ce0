"""How often one address may bring keys that do not exist, before it must wait."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple


class _Failures(NamedTuple):
    times: int
    until_s: float


class Throttle:
    """Counts failures of this worker, in stretches of time that begin with the first one.

    Args:
        most: how many failures are borne.
        window_s: how long they count, in seconds.
        addresses: how many are remembered; those that failed longest ago are forgotten.
        clock: seconds that only go on.
    """

    def __init__(
        self,
        *,
        most: int = 20,
        window_s: float = 60.0,
        addresses: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._window_s = window_s
        self._addresses = addresses
        self._clock = clock
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """Seconds until this address may try again; 0 if it may now."""
        failures = self._failures.get(network(address))
        if failures is None or failures.times < self._most:
            return 0.0
        return max(0.0, failures.until_s - self._clock())

    def failed(self, address: str) -> None:
        """This address brought a key that does not exist."""
        name, now_s = network(address), self._clock()
        failures = self._failures.pop(name, None)
        if failures is None or failures.until_s <= now_s:
            failures = _Failures(0, now_s + self._window_s)
        self._failures[name] = failures._replace(times=failures.times + 1)
        if len(self._failures) > self._addresses:
            self._failures.popitem(last=False)


def network(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 that one person has in IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed), 64), strict=False).network_address)
