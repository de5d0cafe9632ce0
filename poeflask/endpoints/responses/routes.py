"""/v1/responses and /v1/conversations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, request

from poeflask.bridge import Answer
from poeflask.core import json_text
from poeflask.core.caller import Caller
from poeflask.core.errors import ClientError, ErrorKind, OwnError
from poeflask.core.reply import ReplyEvent, ReplyMeta
from poeflask.endpoints.describing import FRAMES, JSON, PAGE, described
from poeflask.endpoints.responses.decode import (
    Links,
    ResponsesRequest,
    decode,
    decode_conversation,
    decode_labels,
    kept_items,
    links_of,
)
from poeflask.endpoints.responses.encode import ResponsesEncoder
from poeflask.endpoints.responses.ids import CONVERSATION_PREFIX, RESPONSE_PREFIX
from poeflask.endpoints.responses.listing import page
from poeflask.endpoints.responses.schema import CONVERSATION_ENVELOPE, RESPONSES_ENVELOPE
from poeflask.endpoints.responses.state import State
from poeflask.filters.chain import Wants
from poeflask.stores.namespace import Namespace
from poeflask.web import auth, body, respond
from poeflask.web.asking import address, ask, ignored_header
from poeflask.web.services import services

responses = Blueprint("responses", __name__)

_NAMESPACE = "responses:1"


@responses.post("/v1/responses")
@described(
    body=RESPONSES_ENVELOPE, gives=(JSON, FRAMES), example={"model": "Echo", "input": "Hello!"}
)
def create_response() -> Response:
    """Answer a conversation: streamed, whole, or in the background."""
    here = services()
    caller = auth.caller_of(request.headers)
    state = _state(caller)
    asked, links = _read(body.json_object(request), state)
    upstream = here.upstream_for(caller)
    prompt, left_out = address(asked.prompt, asked.extras, upstream.catalogue)
    meta = ReplyMeta(id=here.new_id(RESPONSE_PREFIX), created=int(here.clock()), model=asked.model)
    keep = _keeper(state, asked, links, meta.id) if asked.store else None
    encoder = ResponsesEncoder(meta, asked.echo, asked.naming, clock=here.clock, on_final=keep)
    headers = ignored_header([*asked.ignored, *left_out])
    answer = ask(caller, upstream, prompt, Wants())
    if asked.background and keep is not None:
        answer = _in_background(answer, encoder, state, keep)
        # Its own greenlet keeps it: a listener who leaves has heard less than there is.
        encoder = ResponsesEncoder(meta, asked.echo, asked.naming, clock=here.clock)
    if asked.background and not asked.stream:
        answer.close()
        return _json(encoder.unfinished("queued"), headers)
    return respond.given(request, answer, encoder, streamed=asked.stream, headers=headers)


@responses.post("/v1/responses/input_tokens")
@described(body=RESPONSES_ENVELOPE, example={"model": "Echo", "input": "Hello!"})
def count_input_tokens() -> Response:
    """How many tokens a request's input has; nothing is asked of the bot."""
    here = services()
    caller = auth.caller_of(request.headers)
    asked, _ = _read({"model": "unnamed", **body.json_object(request)}, _state(caller))
    count = here.count_prompt(asked.prompt)()
    return _json({"object": "response.input_tokens", "input_tokens": count})


@responses.post("/v1/responses/compact")
@described()
def compact() -> Response:
    """Refused: no bot of Poe's shortens a conversation for others to read."""
    auth.caller_of(request.headers)
    raise OwnError(
        ErrorKind.NOT_OFFERED,
        "Conversations are not compacted here. Ask a bot for a summary, or send fewer items.",
    )


@responses.get("/v1/responses/<response_id>")
@described()
def retrieve_response(response_id: str) -> Response:
    """A response that was kept, finished or not."""
    state = _state(auth.caller_of(request.headers))
    if request.args.get("stream", "false").lower() in ("true", "1"):
        raise ClientError(
            ErrorKind.UNSUPPORTED_PARAMETER,
            "A response is not streamed again; poll for it without 'stream'.",
            param="stream",
        )
    return _json(state.response(response_id))


@responses.delete("/v1/responses/<response_id>")
@described()
def delete_response(response_id: str) -> Response:
    """Forget a response."""
    _state(auth.caller_of(request.headers)).delete(response_id)
    return _json({"id": response_id, "object": "response", "deleted": True})


@responses.post("/v1/responses/<response_id>/cancel")
@described()
def cancel_response(response_id: str) -> Response:
    """End a background response."""
    response = _state(auth.caller_of(request.headers)).cancel(response_id)
    if response["status"] == "cancelled":
        services().background.cancel(response_id)
    return _json(response)


@responses.get("/v1/responses/<response_id>/input_items")
@described(query=PAGE)
def list_input_items(response_id: str) -> Response:
    """The items that a response answers."""
    state = _state(auth.caller_of(request.headers))
    return _json(page(state.input_items(response_id), request.args))


@responses.post("/v1/conversations")
@described(body=CONVERSATION_ENVELOPE, example={"items": []})
def create_conversation() -> Response:
    """A conversation that responses may belong to."""
    here = services()
    state = _state(auth.caller_of(request.headers))
    metadata, items = decode_conversation(body.json_object(request))
    conversation = {
        "id": here.new_id(CONVERSATION_PREFIX),
        "object": "conversation",
        "created_at": int(here.clock()),
        "metadata": metadata,
    }
    node_id = here.new_id(RESPONSE_PREFIX)
    state.begin(conversation, node_id, kept_items(items, node_id))
    return _json(conversation)


@responses.get("/v1/conversations/<conversation_id>")
@described()
def retrieve_conversation(conversation_id: str) -> Response:
    """A conversation without its items."""
    return _json(_state(auth.caller_of(request.headers)).conversation(conversation_id))


@responses.post("/v1/conversations/<conversation_id>")
@described(body=CONVERSATION_ENVELOPE, example={"metadata": {"topic": "demo"}})
def label_conversation(conversation_id: str) -> Response:
    """Put other labels in the place of those that a conversation has."""
    state = _state(auth.caller_of(request.headers))
    metadata = decode_labels(body.json_object(request))
    return _json(state.label(conversation_id, metadata))


@responses.delete("/v1/conversations/<conversation_id>")
@described()
def delete_conversation(conversation_id: str) -> Response:
    """Forget a conversation."""
    _state(auth.caller_of(request.headers)).end(conversation_id)
    return _json({"id": conversation_id, "object": "conversation.deleted", "deleted": True})


@responses.get("/v1/conversations/<conversation_id>/items")
@described(query=PAGE)
def list_conversation_items(conversation_id: str) -> Response:
    """The items of a conversation."""
    state = _state(auth.caller_of(request.headers))
    return _json(page(state.conversation_items(conversation_id), request.args))


@responses.post("/v1/conversations/<conversation_id>/items")
@described(body=CONVERSATION_ENVELOPE, example={"items": [{"role": "user", "content": "Hello!"}]})
def add_conversation_items(conversation_id: str) -> Response:
    """Add items to a conversation."""
    state = _state(auth.caller_of(request.headers))
    _, items = decode_conversation(body.json_object(request))
    node_id = services().new_id(RESPONSE_PREFIX)
    kept = kept_items(items, node_id)
    state.extend(conversation_id, node_id, kept)
    return _json(page(kept, {"order": "asc", "limit": "100"}))


@responses.get("/v1/conversations/<conversation_id>/items/<item_id>")
@described()
def retrieve_conversation_item(conversation_id: str, item_id: str) -> Response:
    """One item of a conversation."""
    state = _state(auth.caller_of(request.headers))
    return _json(state.conversation_item(conversation_id, item_id))


@responses.delete("/v1/conversations/<conversation_id>/items/<item_id>")
@described()
def remove_conversation_item(conversation_id: str, item_id: str) -> Response:
    """Take an item out of a conversation."""
    state = _state(auth.caller_of(request.headers))
    state.remove(conversation_id, item_id, services().new_id(RESPONSE_PREFIX))
    return _json(state.conversation(conversation_id))


def _read(sent: dict[str, Any], state: State) -> tuple[ResponsesRequest, Links]:
    """The request with all that it points at."""
    links = links_of(sent)
    previous = state.head(links.conversation) if links.conversation else links.previous
    history = state.history(previous)
    known = {item["id"]: item for item in history if "id" in item}
    asked = decode(
        sent,
        history=history,
        references={**known, **state.found(links.items)},
        skip_system_prompt=services().skip_system_prompt,
    )
    return asked, replace(links, previous=previous)


_Keep = Callable[[Mapping[str, Any]], None]


def _keeper(state: State, asked: ResponsesRequest, links: Links, response_id: str) -> _Keep:
    """What keeps the response as it is at some moment; made of values, not of the request."""
    said = kept_items(asked.items, response_id)

    def keep(response: Mapping[str, Any]) -> None:
        if not asked.background or not state.is_cancelled(response_id):
            state.keep(response, said, links.previous)

    return keep


def _in_background(answer: Answer, encoder: ResponsesEncoder, state: State, keep: _Keep) -> Answer:
    """Let a greenlet of its own read and keep the answer; gives one that may be listened to."""
    begun = encoder.unfinished("in_progress")
    response_id = begun["id"]
    keep(begun)
    state.beat(response_id)

    def go_on() -> bool:
        state.beat(response_id)
        return not state.is_cancelled(response_id)

    def finish(events: list[ReplyEvent]) -> None:
        encoder.whole(events)

    return services().background.read(response_id, answer, go_on=go_on, finish=finish)


def _state(caller: Caller) -> State:
    store = services().store
    return State(
        caller.owner,
        reads=Namespace(store, _NAMESPACE, on_failure="refuse"),
        writes=Namespace(store, _NAMESPACE, on_failure="forget"),
    )


def _json(value: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    return Response(json_text.write(value), mimetype="application/json", headers=headers)
