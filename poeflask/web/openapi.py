"""The API's reference as an OpenAPI document, made of routes, schemas and docstrings."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_cls
from flask import Flask
from marshmallow import Schema, fields
from werkzeug.routing import Rule

from poeflask.endpoints.describing import FORM, JSON, Description, descriptions
from poeflask.endpoints.shapes import (
    Array,
    Flag,
    Name,
    Number,
    Numbers,
    Table,
    Whole,
    WordList,
    Words,
)

_VARIABLE = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")

_ABOUT = """\
Every bot of Poe's, behind the APIs that clients already speak. A bot's name is the model.

Fields that an operation does not know are accepted and, if the bot has no parameter of that name,
named in the header `x-poeflask-ignored`.
"""

_SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "x-goog-api-key": {"type": "apiKey", "in": "header", "name": "x-goog-api-key"},
}

_OPENAI_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
_ANTHROPIC_ERROR = {
    "type": "object",
    "required": ["type", "error"],
    "properties": {
        "type": {"const": "error"},
        "error": {
            "type": "object",
            "required": ["type", "message"],
            "properties": {"type": {"type": "string"}, "message": {"type": "string"}},
        },
        "request_id": {"type": "string"},
    },
}
_GOOGLE_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "status"],
            "properties": {
                "code": {"type": "integer"},
                "message": {"type": "string"},
                "status": {"type": "string"},
            },
        }
    },
}
_OLLAMA_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string"}},
}
_ERRORS = {
    "OpenAIError": _OPENAI_ERROR,
    "AnthropicError": _ANTHROPIC_ERROR,
    "GoogleError": _GOOGLE_ERROR,
    "OllamaError": _OLLAMA_ERROR,
}
_ERROR_OF = {"messages": "AnthropicError", "gemini": "GoogleError", "ollama": "OllamaError"}
"""The blueprints whose errors are not OpenAI's."""


def document(app: Flask, version: str) -> dict[str, Any]:
    """The whole API as OpenAPI 3.1: every route whose view is described.

    Args:
        app: the app with all its routes.
        version: poeflask's own.
    """
    naming = _Naming()
    plugin = MarshmallowPlugin(schema_name_resolver=naming)
    spec = APISpec(
        title="poeflask",
        version=version,
        openapi_version="3.1.0",
        plugins=[plugin],
        info={"description": _ABOUT},
        servers=[{"url": "/"}],
        security=[{name: []} for name in _SECURITY],
        # The pages of the admin are for people alone.
        tags=[_room(app, name) for name in app.blueprints if name.split(".")[0] != "admin"],
    )
    plugin.converter.add_attribute_function(_shape)  # type: ignore[union-attr] # made by the line above
    for name, scheme in _SECURITY.items():
        spec.components.security_scheme(name, scheme)
    for name, error in _ERRORS.items():
        spec.components.schema(name, error)
    for rule, view in _views(app):
        for said in descriptions(view):
            _add(spec, rule, view, said)
    made = spec.to_dict()
    for name, schema in naming.named.items():
        made["components"]["schemas"][name]["description"] = inspect.cleandoc(schema.__doc__ or "")
    return made


def _views(app: Flask) -> Iterator[tuple[Rule, Callable[..., Any]]]:
    rules = sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)
    return ((rule, app.view_functions[rule.endpoint]) for rule in rules)


def _room(app: Flask, name: str) -> dict[str, str]:
    """An API as a group of operations: its name, and what its module says that it holds."""
    module = sys.modules[app.blueprints[name].import_name]
    return {"name": name, "description": inspect.cleandoc(module.__doc__ or "").split("\n\n")[0]}


def _add(spec: APISpec, rule: Rule, view: Callable[..., Any], said: Description) -> None:
    variables = _VARIABLE.findall(rule.rule)
    path = _VARIABLE.sub(lambda found: said.path.get(found[1], f"{{{found[1]}}}"), rule.rule)
    parameters = [
        *(_path_parameter(name) for name in re.findall(r"{([^{}]+)}", path)),
        *(_query_parameter(name, meaning) for name, meaning in said.query.items()),
    ]
    about = inspect.cleandoc(view.__doc__ or "").split("\n\n", 1)
    operation: dict[str, Any] = {
        "operationId": _id(rule, said, variables),
        "summary": about[0].replace("\n", " "),
        "description": "\n\n".join(filter(None, [*about[1:], said.note])),
        "tags": [_tag(rule)],
        "parameters": parameters,
        "responses": _responses(rule, said),
    }
    if said.open:
        operation["security"] = []
    content = _content(said)
    if content:
        operation["requestBody"] = {"required": True, "content": content}
    methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    spec.path(
        path=path,
        operations={
            method.lower(): {**operation, "operationId": _with_method(operation, method, methods)}
            for method in methods
        },
    )


def _id(rule: Rule, said: Description, variables: list[str]) -> str:
    """A name that no other operation has: the view's, and what tells its paths apart."""
    shown = "".join(said.path.get(name, "") for name in variables)
    words = re.findall(r"[A-Za-z0-9]+", f"{rule.endpoint} {rule.rule} {shown}")
    return "_".join(words)


def _with_method(operation: Mapping[str, Any], method: str, methods: list[str]) -> str:
    name = str(operation["operationId"])
    return name if len(methods) == 1 else f"{name}_{method.lower()}"


def _tag(rule: Rule) -> str:
    return str(rule.endpoint).partition(".")[0]


def _path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameter(name: str, meaning: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": meaning, "schema": {"type": "string"}}


def _content(said: Description) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if said.body is not None:
        content[JSON] = {"schema": said.body}
        if said.example is not None:
            content[JSON]["example"] = said.example
    if said.form is not None or said.files:
        content[FORM] = {"schema": _form(said)}
    return content


def _form(said: Description) -> Any:
    """The form's texts, as a schema says them, and its files."""
    files = {
        "type": "object",
        "properties": {name: {"type": "string", "format": "binary"} for name in said.files},
        "required": [name for name, needed in said.files.items() if needed],
    }
    return files if said.form is None else {"allOf": [said.form, files]}


def _responses(rule: Rule, said: Description) -> dict[str, Any]:
    error = {"$ref": f"#/components/schemas/{_ERROR_OF.get(_tag(rule), 'OpenAIError')}"}
    return {
        "200": {
            "description": "The answer.",
            "content": {kind: {"schema": _answer(kind)} for kind in said.gives},
        },
        "default": {"description": "An error.", "content": {JSON: {"schema": error}}},
    }


def _answer(kind: str) -> dict[str, Any]:
    return {"type": "object"} if kind == JSON else {"type": "string"}


class _Naming:
    """Gives each schema a name of its own: the API's, and its class's.

    Attributes:
        named: the classes under the names that they were given.
    """

    def __init__(self) -> None:
        self.named: dict[str, type[Schema]] = {}

    def __call__(self, schema: Any) -> str:
        found = resolve_schema_cls(schema)
        made = found if isinstance(found, type) else found[0]
        room = made.__module__.split(".")[-2].title()
        own = made.__name__.strip("_").removesuffix("Envelope")
        name = own if own.startswith(room) else room + own
        self.named[name] = made
        return name


def _shape(_converter: object, field: fields.Field[Any], **_: Any) -> dict[str, Any]:
    """What our own fields take, in the words of JSON Schema."""
    match field:
        case Flag():
            return {"type": "boolean"}
        case Number():
            kind = "integer" if isinstance(field, Whole) else "number"
            return {"type": kind, "minimum": field.low, "maximum": field.high}
        case Name():
            return {"type": "string", "minLength": 1, "maxLength": field.max_chars}
        case Words():
            return {"type": "string", **({"enum": list(field.choices)} if field.choices else {})}
        case Numbers():
            return {"type": "object", "additionalProperties": {"type": "number"}}
        case Table():
            return {"type": "object"}
        case WordList():
            words = _array(field, {"type": "string"})
            return {"anyOf": [{"type": "string"}, words]} if field.or_one else words
        case Array():
            return _array(field, {})
    return {}


def _array(field: Array, items: Mapping[str, Any]) -> dict[str, Any]:
    bounds = {"minItems": field.min_items, "maxItems": field.max_items}
    return {"type": "array", "items": dict(items), **bounds}
