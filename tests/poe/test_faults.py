"""Tests of what Poe says when it fails."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poeflask.core.errors import RULES, ErrorKind, PoeError
from poeflask.poe.faults import (
    MAX_MESSAGE_CHARS,
    PHRASES,
    STATUSES,
    TYPES,
    from_event,
    from_status,
)

JSON = "application/json"
NOW = 1_700_000_000.0


def told(status, body, headers=None, content_type=JSON, **options):
    """The error of an answer with this status and body."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return from_status(status, headers or {}, raw, content_type, now=NOW, **options)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ErrorKind.BOT_REJECTED),
        (401, ErrorKind.BAD_KEY),
        (402, ErrorKind.NO_POINTS),
        (403, ErrorKind.REFUSED),
        (404, ErrorKind.UNKNOWN_MODEL),
        (408, ErrorKind.POE_TIMEOUT),
        (413, ErrorKind.CONTEXT_TOO_LONG),
        (418, ErrorKind.BOT_REJECTED),
        (422, ErrorKind.BOT_REJECTED),
        (429, ErrorKind.RATE_LIMITED),
        (500, ErrorKind.POE_FAILED),
        (502, ErrorKind.POE_UNREACHABLE),
        (503, ErrorKind.POE_UNAVAILABLE),
        (504, ErrorKind.POE_TIMEOUT),
        (524, ErrorKind.POE_TIMEOUT),
        (529, ErrorKind.OVERLOADED),
        (599, ErrorKind.POE_FAILED),
        (302, ErrorKind.POE_BROKEN),
        (200, ErrorKind.POE_BROKEN),
    ],
)
@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b'{"error":{"code":1}}'])
def test_a_status_alone_says_what_failed(status, kind, body):
    """Without any reason the status decides, and the message names it."""
    got = told(status, body)

    assert kind == got.kind
    assert str(status) in got.message


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": 400, "type": "invalid_request_error", "message": "No.", "metadata": {}}},
        {"error": {"message": "No.", "type": "invalid_request_error"}},
        {"error": {"message": "No.", "type": "invalid_request_error", "code": "invalid_parameter"}},
        {"error": "No."},
        {"detail": "No."},
        {"detail": {"error": {"message": "No."}}},
        {"detail": [{"loc": [], "msg": "No."}]},
        {"message": "No."},
        {"text": "No."},
        "No.",
        b"  No.\r\n",
        b"\x00No.\xe2\x80\xa8",
    ],
)
def test_the_sentence_is_found_in_every_shape(body):
    """Poe's own words are the message, wherever they stand."""
    got = told(400, body)

    assert (got.message, got.kind) == ("No.", ErrorKind.BOT_REJECTED)


def test_a_list_of_faults_becomes_one_sentence():
    """FastAPI says what is wrong of each field."""
    body = {"detail": [{"loc": ["body", "query", 0], "msg": "missing"}, {"msg": "bad"}, 5]}

    assert told(422, body).message == "body.query.0: missing; bad"


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        # What Poe names beats the status,
        (500, {"type": "rate_limit_error"}, ErrorKind.RATE_LIMITED),
        (400, {"code": "model_not_found"}, ErrorKind.UNKNOWN_MODEL),
        (403, {"code": "invalid_api_key", "type": "moderation_error"}, ErrorKind.BAD_KEY),
        # unless it says nothing more exact than the status,
        (413, {"type": "invalid_request_error"}, ErrorKind.CONTEXT_TOO_LONG),
        (503, {"type": "provider_error"}, ErrorKind.POE_UNAVAILABLE),
        (400, {"type": "invalid_request_error", "code": 400}, ErrorKind.BOT_REJECTED),
        # and the sentence decides last.
        (500, {"message": "Bot does not exist"}, ErrorKind.UNKNOWN_MODEL),
        (400, {"message": "This exceeds the context length"}, ErrorKind.CONTEXT_TOO_LONG),
        (404, {"message": "You were rate limited"}, ErrorKind.UNKNOWN_MODEL),
        (200, {"type": "invalid_request_error", "message": "No"}, ErrorKind.BOT_REJECTED),
    ],
)
def test_what_poe_names_counts_first(status, error, kind):
    """Then the status counts, then the sentence."""
    assert kind == told(status, {"error": error}).kind


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({"text": "Internal server error (error_id: 5)"}, ErrorKind.POE_FAILED),
        (
            {"text": "You have exceeded rate limit to query bot using User API Key."},
            ErrorKind.RATE_LIMITED,
        ),
        ({"text": "This bot needs more points to answer your request."}, ErrorKind.NO_POINTS),
        ({"text": "Model X does not support tool calling."}, ErrorKind.BOT_REJECTED),
        ({"text": "You do not have enough points to message this bot."}, ErrorKind.NO_POINTS),
        ({"text": "Sorry", "error_type": "insufficient_fund"}, ErrorKind.NO_POINTS),
        ({"text": "Bot does not exist"}, ErrorKind.UNKNOWN_MODEL),
        ({"text": "Invalid token"}, ErrorKind.BAD_KEY),
        ({"text": "Unauthorized"}, ErrorKind.BAD_KEY),
        ({"error_type": "user_message_too_long"}, ErrorKind.CONTEXT_TOO_LONG),
        ({"text": "The message is too long."}, ErrorKind.CONTEXT_TOO_LONG),
        ({"error_type": "privacy_authorization_error"}, ErrorKind.REFUSED),
        ({"error_type": "user_caused_error", "text": "No"}, ErrorKind.BOT_REJECTED),
        ({"error_type": "brand_new", "text": "No"}, ErrorKind.POE_FAILED),
        ({"error_type": 5, "text": None}, ErrorKind.POE_FAILED),
        ({}, ErrorKind.POE_FAILED),
    ],
)
def test_an_error_event_says_what_failed(data, kind):
    """All error events that were ever seen have their kind; the rest is a failure of Poe."""
    got = from_event(data)

    assert kind == got.kind
    assert (data.get("text") or "The bot failed and gave no reason.") == got.message


@pytest.mark.parametrize(("data", "allowed"), [({}, True), ({"allow_retry": False}, False)])
def test_poe_may_forbid_another_try(data, allowed):
    """Without a word of it another try is allowed."""
    assert allowed == from_event(data).may_succeed_later


def test_missing_tools_stay_recognisable():
    """The code by which another way of calling tools is chosen is kept, and so is the field."""
    body = {
        "error": {
            "message": "Model X does not support tool calling",
            "type": "invalid_request_error",
            "param": "tools",
            "code": "unsupported_feature_for_model",
        }
    }
    got = told(400, body)

    assert (
        got.kind,
        got.code,
        got.param,
    ) == (ErrorKind.BOT_REJECTED, "unsupported_feature_for_model", "tools")


@pytest.mark.parametrize("code", [5, None, "", "Not a code", "rate_limit_error", ["x"]])
def test_only_a_telling_code_is_passed_on(code):
    """Numbers, sentences and what the kind says already are not."""
    assert told(400, {"error": {"message": "No.", "code": code}}).code is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ErrorKind.POE_UNAVAILABLE),
        (403, ErrorKind.POE_UNAVAILABLE),
        (429, ErrorKind.RATE_LIMITED),
        (503, ErrorKind.POE_UNAVAILABLE),
        (524, ErrorKind.POE_TIMEOUT),
        (200, ErrorKind.POE_BROKEN),
    ],
)
@pytest.mark.parametrize("content_type", ["text/html; charset=UTF-8", ""])
def test_a_page_is_named_and_not_shown(status, kind, content_type):
    """A firewall's page is told from an answer of the bot, by its title and status alone."""
    page = b"<!DOCTYPE html><html><head><title>Just a &quot;moment&quot;...</title>secret</html>"
    got = told(status, page, content_type=content_type)

    assert kind == got.kind
    assert got.message == (
        'An HTML page with the title "Just a "moment"..." came instead of an answer '
        f"(status {status}): a proxy or firewall in front of Poe wrote it, not the bot."
    )


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 1.5 ", 1.5),
        ("-3", 0.0),
        ("9999999", 86400.0),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60.0),
        ("Tue, 14 Nov 2000 22:14:20 GMT", 0.0),
        ("soon", None),
        ("nan", None),
        ("", None),
    ],
)
def test_when_to_come_back_is_told_in_seconds_or_as_a_date(value, seconds):
    """What cannot be read is as if nothing was said."""
    assert seconds == told(429, b"", {"RETRY-AFTER": value}).retry_after_s


def test_poes_own_clock_of_requests_is_second_best():
    """It says when the minute of requests is over."""
    headers = {"x-ratelimit-reset-requests": "12"}

    assert told(429, b"", headers).retry_after_s == 12.0
    assert told(429, b"", headers | {"Retry-After": "3"}).retry_after_s == 3.0


def test_a_long_sentence_is_cut():
    """An error is no place for a whole prompt."""
    assert len(told(500, {"error": "x" * 9999}).message) == MAX_MESSAGE_CHARS


def test_the_key_is_never_repeated():
    """Poe may quote the key; the message does not."""
    said = {"error": "Invalid token: k-1234567!"}

    assert told(401, said, secret="k-1234567").message == "Invalid token: [key]!"
    assert from_event(said, secret="k-1234567").message == "Invalid token: [key]!"


def test_a_word_is_no_key():
    """What is too short to be a key stays in the sentence."""
    assert from_event({"text": "No key"}, secret="key").message == "No key"


def test_every_kind_in_the_tables_is_poes_fault():
    """Else raising it would be a fault of ours."""
    kinds = {*TYPES.values(), *STATUSES.values(), *(kind for _, kind in PHRASES)}

    assert {"poe"} == {RULES[kind].fault for kind in kinds}
    assert all(phrase == phrase.lower() for phrase, _ in PHRASES)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "detail", "message", "code", "type", "text", "loc", "msg"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.integers(100, 999), JSON_VALUES | st.binary(max_size=40), st.text(max_size=8))
def test_whatever_comes_is_an_error_with_a_clean_sentence(status, body, content_type):
    """No body, however wrong, is more than an error of Poe's."""
    got = told(status, body, content_type=content_type)

    assert isinstance(got, PoeError)
    assert got.message
    assert got.message.isprintable() or not got.message.isascii()
