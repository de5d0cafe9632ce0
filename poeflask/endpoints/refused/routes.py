"""Answers what is not offered, in the shape of the API that would offer it. No key is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NoReturn

from flask import Blueprint

from poeflask.endpoints.refused.absent import ANTHROPIC, OPENAI, refusal

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def _refusing(blueprint: Blueprint, sentences: Mapping[str, str]) -> Blueprint:
    for number, name in enumerate(sentences):
        view = _view(name, sentences)
        for rule in (f"/v1/{name}", f"/v1/{name}/<path:_rest>"):
            blueprint.add_url_rule(rule, f"refused_{number}", view, methods=_METHODS)
    return blueprint


def _view(name: str, sentences: Mapping[str, str]) -> Callable[..., NoReturn]:
    def refuse(_rest: str = "") -> NoReturn:
        raise refusal(name, sentences)

    return refuse


refused = _refusing(Blueprint("refused", __name__), OPENAI)
refused_anthropic = _refusing(Blueprint("refused_anthropic", __name__), ANTHROPIC)
