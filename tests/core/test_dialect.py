"""Tests of the shapes in which errors are told."""

import json

import pytest

from poeflask.core.dialect import anthropic_error, google_error, ollama_error, openai_error
from poeflask.core.errors import RULES, ClientError, ErrorKind, OwnError, PoeError

LEAVES = {"client": ClientError, "poe": PoeError, "own": OwnError}
SHAPES = [openai_error, anthropic_error]
ALL_SHAPES = [*SHAPES, google_error, ollama_error]


def make(kind, **fields):
    """An error of that kind."""
    return LEAVES[RULES[kind].fault](kind, "Sorry.", **fields)


def test_openai_is_told_type_param_and_code():
    """The kind's own code, unless the error has a more exact one."""
    error = make(ErrorKind.UNSUPPORTED_PARAMETER, param="n")
    exact = make(ErrorKind.BOT_REJECTED, code="unsupported_feature_for_model")

    assert openai_error(error, "r").body == {
        "error": {
            "message": "Sorry.",
            "type": "invalid_request_error",
            "param": "n",
            "code": "unsupported_parameter",
        }
    }
    assert openai_error(exact, "r").body["error"]["code"] == "unsupported_feature_for_model"


def test_anthropic_is_told_type_and_request():
    """With the statuses that only Anthropic has."""
    got = anthropic_error(make(ErrorKind.NO_POINTS), "req-1")

    assert got.status == 402
    assert got.body == {
        "type": "error",
        "error": {"type": "billing_error", "message": "Sorry."},
        "request_id": "req-1",
    }


@pytest.mark.parametrize("kind", ErrorKind)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_kind_can_be_told(shape, kind):
    """As JSON, with the rule's status and the advice whether to come again."""
    got = shape(make(kind), "r")
    rule = RULES[kind]

    assert json.loads(json.dumps(got.body)) == got.body
    assert got.body["error"]["message"] == "Sorry."
    assert got.status in (rule.status, rule.anthropic_status)
    assert got.headers["x-should-retry"] == ("true" if rule.again else "false")
    assert ("WWW-Authenticate" in got.headers) == (rule.status == 401)
    assert "Retry-After" not in got.headers


def test_ollama_is_told_a_sentence():
    """And nothing else."""
    got = ollama_error(make(ErrorKind.UNKNOWN_MODEL, param="model"), "req-1")

    assert 404 == got.status
    assert {"error": "Sorry."} == got.body


def test_google_is_told_status_field_and_delay():
    """The status's name, and the details that Google's clients read."""
    wrong = google_error(make(ErrorKind.INVALID_REQUEST, param="contents"), "r").body["error"]
    limited = google_error(make(ErrorKind.RATE_LIMITED, retry_after_s=2.5), "r").body["error"]

    kind = "type.googleapis.com/google.rpc."
    violation = {"field": "contents", "description": "Sorry."}
    assert {
        "code": 400,
        "message": "Sorry.",
        "status": "INVALID_ARGUMENT",
        "details": [{"@type": f"{kind}BadRequest", "fieldViolations": [violation]}],
    } == wrong
    assert (429, "RESOURCE_EXHAUSTED") == (limited["code"], limited["status"])
    assert [{"@type": f"{kind}RetryInfo", "retryDelay": "2.5s"}] == limited["details"]


@pytest.mark.parametrize("kind", ErrorKind)
def test_google_knows_every_status(kind):
    """Body and answer say the same one, which the official client can sort."""
    got = google_error(make(kind), "r")

    assert got.status == got.body["error"]["code"]
    assert got.status in (RULES[kind].status, 503)
    assert got.body["error"]["status"].isupper()


@pytest.mark.parametrize(("seconds", "header"), [(0.0, "1"), (0.2, "1"), (7.6, "8"), (60, "60")])
@pytest.mark.parametrize("shape", ALL_SHAPES)
def test_waiting_is_told_in_whole_seconds(shape, seconds, header):
    """At least one: zero would be no waiting at all."""
    error = make(ErrorKind.RATE_LIMITED, retry_after_s=seconds)

    assert header == shape(error, "r").headers["Retry-After"]


@pytest.mark.parametrize("shape", ALL_SHAPES)
def test_what_poe_forbids_is_not_advised(shape):
    """Even if the kind would allow another try."""
    error = make(ErrorKind.POE_FAILED, allow_retry=False)

    assert shape(error, "r").headers["x-should-retry"] == "false"
