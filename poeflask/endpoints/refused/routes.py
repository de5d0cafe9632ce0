"""Answers what is not offered. No key is needed to learn of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import count
from typing import NoReturn

from flask import Blueprint

from poeflask.core.errors import OwnError
from poeflask.endpoints.describing import described
from poeflask.endpoints.refused.absent import (
    ABSENT,
    ABSENT_OF_GOOGLE,
    paths_of_google,
    refusal,
    refusal_of_google,
)

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def _view(error: Callable[[], OwnError]) -> Callable[..., NoReturn]:
    @described(open=True, note=error().message)
    def refuse(_rest: str = "") -> NoReturn:
        """Not offered: always answered with 501."""
        raise error()

    return refuse


def _refuse(where: Blueprint, error: Callable[[], OwnError], paths: Iterable[str]) -> None:
    view = _view(error)
    endpoint = f"refused_{next(_numbers)}"
    for path in paths:
        for rule in (path, f"{path}/<path:_rest>"):
            where.add_url_rule(rule, endpoint, view, methods=_METHODS)


_numbers = count()

refused = Blueprint("refused", __name__)
refused_to_google = Blueprint("refused_to_google", __name__)

for _name in ABSENT:
    _refuse(refused, partial(refusal, _name), (f"/v1/{_name}",))

for _name in ABSENT_OF_GOOGLE:
    _refuse(refused_to_google, partial(refusal_of_google, _name), paths_of_google(_name))
