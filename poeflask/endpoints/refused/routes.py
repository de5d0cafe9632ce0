"""Answers what is not offered. No key is needed to learn of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from flask import Blueprint

from poeflask.endpoints.describing import described
from poeflask.endpoints.refused.absent import ABSENT, refusal

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def _view(name: str) -> Callable[..., NoReturn]:
    @described(open=True, note=refusal(name).message)
    def refuse(_rest: str = "") -> NoReturn:
        """Not offered: always answered with 501."""
        raise refusal(name)

    return refuse


refused = Blueprint("refused", __name__)

for _number, _name in enumerate(ABSENT):
    _refuse = _view(_name)
    for _rule in (f"/v1/{_name}", f"/v1/{_name}/<path:_rest>"):
        refused.add_url_rule(_rule, f"refused_{_number}", _refuse, methods=_METHODS)
