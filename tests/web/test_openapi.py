"""The API's reference: complete, true to the schemas, and valid."""

import re
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask

from poeflask.app import create_app
from poeflask.settings import Settings
from poeflask.web.openapi import document


@pytest.fixture(scope="module")
def app() -> Flask:
    """The app with all its routes."""
    return create_app(Settings(store_url="memory"))


@pytest.fixture(scope="module")
def made(app: Flask) -> dict[str, Any]:
    """The document."""
    return document(app, "1.2.3")


def operations(made: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """(path, method, operation) of each."""
    return [
        (path, method, operation)
        for path, item in made["paths"].items()
        for method, operation in item.items()
    ]


def test_every_route_is_there(app: Flask, made: dict[str, Any]) -> None:
    """No route but those of fixed files and of the admin page is left out, with any method."""
    shown = {(re.sub(r"{.*", "{", path), method) for path, method, _ in operations(made)}
    missing = [
        (rule.rule, method)
        for rule in app.url_map.iter_rules()
        if not rule.endpoint.endswith(".static") and not rule.endpoint.startswith("admin.")
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if (re.sub(r"<.*", "{", rule.rule), method.lower()) not in shown
    ]

    assert [] == missing


def test_operations_have_names_of_their_own_and_a_summary(made: dict[str, Any]) -> None:
    """Programs that make clients of the document find a name and a sentence for each operation."""
    found = operations(made)
    names = [operation["operationId"] for _, _, operation in found]

    assert len(names) == len(set(names))
    assert [] == [path for path, _, operation in found if not operation["summary"]]


def test_every_variable_of_a_path_is_a_parameter(made: dict[str, Any]) -> None:
    """What stands in braces is declared, and nothing else."""
    wrong = [
        path
        for path, _, operation in operations(made)
        if set(re.findall(r"{([^{}]+)}", path))
        != {one["name"] for one in operation["parameters"] if one["in"] == "path"}
    ]

    assert [] == wrong


def test_every_reference_leads_somewhere(made: dict[str, Any]) -> None:
    """Each $ref names a schema of the document."""
    refs = set(re.findall(r"'\$ref': '#/components/schemas/([^']+)'", str(made)))

    assert set() == refs - made["components"]["schemas"].keys()


def test_the_schemas_say_what_the_fields_take(made: dict[str, Any]) -> None:
    """Types, ranges and choices are those of the fields."""
    chat = made["components"]["schemas"]["Chat"]

    assert ["messages", "model"] == sorted(chat["required"])
    assert {"type": "number", "minimum": 0, "maximum": 2} == chat["properties"]["temperature"]
    assert {"type": "boolean"} == chat["properties"]["stream"]
    assert ["low", "medium", "high"] == chat["properties"]["verbosity"]["enum"]
    assert chat["description"].startswith("A request for a chat completion")


def test_names_are_those_on_the_wire(made: dict[str, Any]) -> None:
    """Fields that are called otherwise in JSON stand under that name."""
    config = made["components"]["schemas"]["GeminiGenerationConfig"]["properties"]

    assert ("topP" in config, "top_p" in config) == (True, False)


def test_each_api_tells_of_its_own_errors(made: dict[str, Any]) -> None:
    """The error of an operation has the shape that its clients know."""

    def error(path: str) -> str:
        answer = made["paths"][path]["post"]["responses"]["default"]
        return answer["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]

    paths = ("/v1/chat/completions", "/v1/messages", "/api/chat")

    assert ["OpenAIError", "AnthropicError", "OllamaError"] == [error(path) for path in paths]


def test_only_open_operations_need_no_key(made: dict[str, Any]) -> None:
    """Health, the reference and what is refused can be asked by anyone; a chat cannot."""
    chat = made["paths"]["/v1/chat/completions"]["post"]

    assert ([], False) == (made["paths"]["/healthz"]["get"]["security"], "security" in chat)


def test_examples_fit_their_schemas(made: dict[str, Any]) -> None:
    """What a reader is given to try is valid."""
    faults = []
    for path, _, operation in operations(made):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        if "example" in content:
            schema = {**content["schema"], "components": made["components"]}
            faults += [
                f"{path}: {fault.message}"
                for fault in jsonschema_rs.Draft202012Validator(schema).iter_errors(
                    content["example"]
                )
            ]

    assert [] == faults


def test_operations_are_grouped_by_api(app: Flask, made: dict[str, Any]) -> None:
    """Each API is a group that says what it is, in the order in which the app has them."""
    used = {tag for _, _, operation in operations(made) for tag in operation["tags"]}
    ours = [name for name in app.blueprints if name.split(".")[0] != "admin"]

    assert ours == [tag["name"] for tag in made["tags"]]
    assert used == set(ours)
    assert all(tag["description"] for tag in made["tags"])
