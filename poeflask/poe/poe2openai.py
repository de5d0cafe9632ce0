"""poe2openai's `models.yaml`, said in poeflask's own fields. Pure.

    enable: true                  # whether names and switches count at all
    models:
      gpt-4o: {mapping: gpt4}     # its only name from now on
      imagen-3: {replace_response: true}
      gpt-3.5: {enable: false}
    custom_models:
      - {id: My-Bot, owned_by: me, created: 1700000000}
    api_token: ...                # of no use here, and never told
    use_v1_api: true              # always so here

As there, nothing but `replace_response` counts while `enable` is not true. What is switched off is
refused here, where poe2openai only left it out of its list.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields

_FILE_SIGNS = ("enable", "custom_models", "api_token", "use_v1_api")
_MODEL_SIGNS = ("mapping", "replace_response", "enable")


def is_foreign(value: Mapping[str, Any]) -> bool:
    """Whether the value is such a file: by a field that only those have."""
    if any(name in value for name in _FILE_SIGNS):
        return True
    models = value.get("models")
    tables = models.values() if isinstance(models, dict) else ()
    return any(
        name in table for table in tables if isinstance(table, dict) for name in _MODEL_SIGNS
    )


def translated(value: Mapping[str, Any]) -> dict[str, Any]:
    """The same in poeflask's fields; what a field becomes is told in docs/models.md.

    Raises:
        ValidationError: a field is unknown or holds what poe2openai would not take either.
    """
    known = _FILE.load(value)
    counts = known.get("enable") is True
    models: dict[str, dict[str, Any]] = {}
    spelled: dict[str, str] = {}
    for custom in known.get("custom_models") or () if counts else ():
        name = spelled.setdefault(custom["id"].lower(), custom["id"])
        models[name] = _custom(custom)
    for written, said in (known.get("models") or {}).items():
        name = spelled.get(written.lower(), written)
        models[name] = {**models.get(name, {}), **_model(written, said or {}, counts=counts)}
    models = {name: said for name, said in models.items() if said}
    return {"models": models} if models else {}


def _custom(custom: Mapping[str, Any]) -> dict[str, Any]:
    said = {"custom": True, "owner": custom.get("owned_by"), "created": custom.get("created")}
    return {name: value for name, value in said.items() if value is not None}


def _model(name: str, said: Mapping[str, Any], *, counts: bool) -> dict[str, Any]:
    made: dict[str, Any] = {}
    mapping = said.get("mapping")
    if counts and mapping and mapping.lower() != name.lower():
        made |= {"alias": mapping, "hidden": True}
    if counts and said.get("enable") is False:
        made["disabled"] = True
    if said.get("replace_response"):
        made["buffered"] = True
    return made


_TOLD = {
    "unknown": "there is no such field in a file of poe2openai's, which this is by its other "
    "fields; docs/models.md tells poeflask's own.",
    "type": "must be a table of fields.",
}


class _Table(Schema):
    error_messages = _TOLD


def _text(**kwargs: Any) -> fields.String:
    return fields.String(error_messages={"invalid": "must be a text."}, **kwargs)


def _switch() -> fields.Boolean:
    return fields.Boolean(
        allow_none=True,
        truthy={True},
        falsy={False},
        error_messages={"invalid": "must be true or false."},
    )


class _Model(_Table):
    mapping = _text(allow_none=True)
    replace_response = _switch()
    enable = _switch()


class _Custom(_Table):
    id = _text(required=True)
    created = fields.Integer(strict=True, allow_none=True)
    owned_by = _text(allow_none=True)


class _File(_Table):
    enable = _switch()
    models = fields.Dict(
        keys=_text(), values=fields.Nested(_Model, allow_none=True), allow_none=True
    )
    custom_models = fields.List(fields.Nested(_Custom), allow_none=True)
    api_token = _text(allow_none=True)
    use_v1_api = _switch()


_FILE = _File()
