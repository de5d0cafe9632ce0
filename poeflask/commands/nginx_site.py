"""Reads nginx's configuration for what would hurt poeflask behind it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from poeflask.commands.findings import Finding, fault, ok, remark

_TOPIC = "nginx"
_PIECE = re.compile(r"""\s+|\#[^\n]*|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[{};]|[^\s{};"']+)""")
_SIZES = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}
_TIMES = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(slots=True)
class Block:
    """A block of directives: those it holds and those it inherits, the last one said winning.

    Attributes:
        name: the words before its brace.
        said: its directives, by name.
        blocks: the blocks inside it.
        above: the block around it.
    """

    name: tuple[str, ...]
    said: dict[str, tuple[str, ...]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    above: Block | None = None

    def value(self, directive: str, default: str) -> str:
        """What the directive is set to here, or in the nearest block around."""
        found: Block | None = self
        while found is not None:
            if directive in found.said:
                return " ".join(found.said[directive])
            found = found.above
        return default

    def header(self, name: str) -> str:
        """The proxy_set_header in force; a block's own replace all of those around it."""
        found: Block | None = self
        while found is not None:
            if found.headers:
                return found.headers.get(name.lower(), "")
            found = found.above
        return ""

    def all(self) -> Iterator[Block]:
        """This block and all inside it."""
        yield self
        for block in self.blocks:
            yield from block.all()


def read(text: str) -> Block:
    """The whole configuration, as `nginx -T` prints it."""
    top = Block(())
    current, words = top, list[str]()
    for match in _PIECE.finditer(text):
        piece = match[1]
        if piece is None:
            continue
        if piece == "{":
            inner = Block(tuple(words), above=current)
            current.blocks.append(inner)
            current, words = inner, []
        elif piece == "}":
            current, words = current.above or top, []
        elif piece == ";":
            _say(current, words)
            words = []
        else:
            words.append(piece.strip("\"'"))
    return top


def _say(block: Block, words: list[str]) -> None:
    if not words:
        return
    name, *values = words
    if name == "proxy_set_header" and len(values) == 2:
        block.headers[values[0].lower()] = values[1]
    else:
        block.said[name] = tuple(values)


@dataclass(frozen=True, slots=True)
class Needs:
    """What poeflask's settings ask of nginx.

    Attributes:
        addresses: how nginx may name poeflask's socket, such as "unix:/run/poeflask.sock" or
            "127.0.0.1:8080".
        max_request_bytes: the largest body.
        idle_s: how long an answer may be silent.
        trusted_proxies: how many proxies poeflask believes.
    """

    addresses: tuple[str, ...]
    max_request_bytes: int
    idle_s: float
    trusted_proxies: int


def examined(text: str, needs: Needs) -> list[Finding]:
    """What is found in a configuration; empty if it does not lead to poeflask at all."""
    top = read(text)
    names = {
        block.name[1]
        for block in top.all()
        if block.name[:1] == ("upstream",)
        and any(address in " ".join(block.said.get("server", ())) for address in needs.addresses)
    }
    places = [block for block in top.all() if _leads_here(block, names, needs.addresses)]
    found = [finding for block in places for finding in _place(block, needs)]
    if places and not found:
        return [ok(_TOPIC, "its site for poeflask is sound.")]
    return list(dict.fromkeys(found))


def _leads_here(block: Block, names: set[str], addresses: tuple[str, ...]) -> bool:
    target = " ".join(block.said.get("proxy_pass", ())).partition("://")[2].rstrip("/")
    return bool(target) and (target in names or any(address in target for address in addresses))


def _place(block: Block, needs: Needs) -> Iterator[Finding]:
    if block.value("proxy_buffering", "on") != "off":
        yield remark(
            _TOPIC,
            "proxy_buffering is on: answers come in bunches where they do not ask for more; "
            'write "proxy_buffering off;".',
        )
    if _seconds(block.value("proxy_read_timeout", "60s")) <= needs.idle_s:
        yield fault(
            _TOPIC,
            f"proxy_read_timeout cuts answers that are silent; write more than "
            f'{needs.idle_s:g} s, such as "proxy_read_timeout {needs.idle_s + 20:g}s;".',
        )
    if 0 < _bytes(block.value("client_max_body_size", "1m")) < needs.max_request_bytes:
        yield fault(
            _TOPIC,
            "client_max_body_size is less than MAX_REQUEST_SIZE: large pictures are refused; "
            f'write "client_max_body_size {needs.max_request_bytes // 2**20 + 1}m;".',
        )
    if block.value("proxy_next_upstream", "error timeout") != "off":
        yield remark(
            _TOPIC,
            "proxy_next_upstream may send a question twice, and each is paid for; "
            'write "proxy_next_upstream off;".',
        )
    if block.header("X-Forwarded-For") and not needs.trusted_proxies:
        yield remark(
            _TOPIC,
            "it tells who asks, but poeflask does not believe it; set POEFLASK_TRUSTED_PROXIES=1.",
        )
    if needs.trusted_proxies and "proxy_add" in block.header("X-Forwarded-For"):
        yield remark(
            _TOPIC,
            "what clients claim of their address is passed on; "
            'write "proxy_set_header X-Forwarded-For $remote_addr;".',
        )


def _bytes(text: str) -> int:
    match = re.fullmatch(r"(\d+)([kmg]?)", text.lower())
    return int(match[1]) * _SIZES[match[2]] if match else 0


def _seconds(text: str) -> float:
    parts = re.findall(r"(\d+)(ms|[smhd])?", text.lower())
    return sum(int(number) * _TIMES[unit] for number, unit in parts)
