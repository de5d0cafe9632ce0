"""Rules of routes that learn only when asked how their addresses are built."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

from werkzeug.routing import Rule


class LateRule(Rule):
    """A rule as werkzeug's own, but for when it compiles what `url_for` needs.

    Each rule has two such programs and nearly no route's address is ever built; compiled at once,
    they would be a twentieth of a start. If werkzeug names the method otherwise, it is that again.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = cache(partial(super()._compile_builder, append_unknown))

        def build(rule: Rule, /, **values: str) -> tuple[str, str]:
            return compiled()(rule, **values)

        return build
