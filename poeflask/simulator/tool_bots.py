"""Bots that call tools: through Poe's protocol, by a prompt's text, or not as they should."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from poeflask.core import json_text
from poeflask.simulator import agent, prompted
from poeflask.simulator.agent import Call
from poeflask.simulator.bot import Bot
from poeflask.simulator.bots import NOTHING_SAID
from poeflask.simulator.json_bots import asks_for_json, json_asked_for
from poeflask.simulator.query import CallMade, Query, ToolOffer, read_results
from poeflask.simulator.samples import Words, sample
from poeflask.simulator.steps import DONE, Answer, Event, Steps, error_body, spoken, words

_TIMES = {"twice": 2, "two times": 2, "both": 2, "thrice": 3, "three times": 3}
_NO_TOOLS = re.compile(r"\b(?:no|without|don't use|do not use)\b[^.!?]{0,12}\btools?\b", re.I)

Decide = Callable[[Query, Sequence[ToolOffer], Sequence[str]], tuple[Call, ...]]
"""A bot's mind: which calls it makes now, given the tools and what they gave so far."""

PIECE = 8
"""Letters of arguments in one event."""


def tool_user(query: Query) -> Steps:
    """Calls the tool that fits your words best, once or "twice"; tells what it gave."""
    return _native(query, _plain_calls, _last_words(query))


def agent_bot(query: Query) -> Steps:
    """Creates a file and reads it back with a coding agent's tools: "create a.txt with 'hi'"."""
    if not query.tools:
        return prompted_agent(query)
    return _native(query, _agent_calls, _task_at(query))


def tool_silent(query: Query) -> Steps:
    """Declares tools but says nothing when it gets them; obeys tools that a prompt describes."""
    return iter((DONE,)) if query.tools else prompted_tools(query)


def tool_refuser(query: Query) -> Steps:
    """Refuses tools with HTTP 400; obeys tools that a prompt describes."""
    if not query.tools:
        return prompted_tools(query)
    body = error_body(
        "Model 'tool-refuser' does not support tool calling.",
        "invalid_request_error",
        param="tools",
        code="unsupported_feature_for_model",
    )
    return iter((Answer(status=400, body=body),))


def prompted_tools(query: Query) -> Steps:
    """Knows no tools but those that the prompt's text describes, and calls them as it says."""
    return _by_text(query, _plain_calls, _last_words(query))


def prompted_agent(query: Query) -> Steps:
    """The agent for clients that describe their tools in the prompt's text."""
    return _by_text(query, _agent_calls, _task_at(query))


def results_of(query: Query, since: int) -> list[str]:
    """What tools gave after the message at `since`, whichever of three ways it was sent."""
    found: list[str] = []
    for message in query.messages[since + 1 :]:
        if message.role == "tool":
            found += [result.content for result in read_results(message.content)]
        elif message.role != "bot":
            found += prompted.results(message.content)
    return [*found, *(result.content for result in query.tool_results)]


def _last_words(query: Query) -> int:
    """Where the user spoke last in words of their own, not in those of a tool."""
    return next(_own_words(query), query.last_position)


def _task_at(query: Query) -> int:
    """Where the user set a task last: what clients add to later turns is none."""
    tasks = (n for n in _own_words(query) if agent.find_task(query.messages[n].content))
    return next(tasks, _last_words(query))


def _own_words(query: Query) -> Iterator[int]:
    for position in range(len(query.messages) - 1, -1, -1):
        message = query.messages[position]
        if message.role == "user" and not prompted.results(message.content):
            yield position


def _native(query: Query, decide: Decide, since: int) -> Steps:
    results = results_of(query, since)
    calls = decide(query, query.tools, results)
    if not query.tools:
        yield from spoken(_words_about(query, results))
        yield DONE
        return
    if calls:
        yield from _call_events(query, calls)
    else:
        yield from _answer_events(query, _words_about(query, results))
    yield _chunk(query, None, None, usage=_usage(query))
    yield DONE


def _by_text(query: Query, decide: Decide, since: int) -> Steps:
    tools = prompted.offers(query.instructions)
    results = results_of(query, since)
    calls = decide(query, tools, results)
    if not calls:
        yield from spoken(_words_about(query, results))
        yield DONE
        return
    if "nothing else" not in query.words:
        yield from spoken("Let me see.\n\n")
    for call in calls:
        yield from spoken(prompted.call_text(query.instructions, call.name, call.arguments) + "\n")
    yield DONE


def _plain_calls(
    query: Query, tools: Sequence[ToolOffer], results: Sequence[str]
) -> tuple[Call, ...]:
    if results or not tools or _NO_TOOLS.search(query.words):
        return ()
    said = prompted.own_words(query.words)
    tool = _fitting(tools, said)
    count = max((n for times, n in _TIMES.items() if times in said.lower()), default=1)
    return tuple(Call(tool.name, _arguments(tool, Words(said, skip=n))) for n in range(count))


def _arguments(tool: ToolOffer, words: Words) -> dict[str, Any]:
    """Arguments by the tool's schema; none if it describes no object, or only itself."""
    made = sample({"type": "object", **tool.schema}, words)
    return made if isinstance(made, dict) else {}


def _agent_calls(
    query: Query, tools: Sequence[ToolOffer], results: Sequence[str]
) -> tuple[Call, ...]:
    said = query.messages[_task_at(query)].content
    task = agent.find_task(said, query.instructions)
    if task is None or not tools:
        return ()
    call = agent.next_call(task, tools, max(len(results), _rounds_made(query, task, tools)))
    return () if call is None else (call,)


def _rounds_made(query: Query, task: agent.Task, tools: Sequence[ToolOffer]) -> int:
    """Which round the calls beside the messages belong to: they are those of one round only."""
    second = agent.next_call(task, tools, 1)
    if second is None or not query.tool_calls:
        return 0
    is_second = any(_is_same(call, second) for call in query.tool_calls)
    return 2 if is_second else 1


def _is_same(made: CallMade, call: Call) -> bool:
    try:
        arguments = json_text.read(made.arguments)
    except json_text.NotJsonError:
        return False
    return made.name == call.name and arguments == call.arguments


def _fitting(tools: Sequence[ToolOffer], said: str) -> ToolOffer:
    spoken_words = set(re.findall(r"[a-z]+", said.lower()))

    def fit(tool: ToolOffer) -> tuple[int, int]:
        name = re.sub(r"([a-z])([A-Z])", r"\1 \2", tool.name).lower()
        named = spoken_words & set(re.findall(r"[a-z]+", name))
        told = spoken_words & set(re.findall(r"[a-z]{4,}", tool.description.lower()))
        return len(named), len(told)

    return max(tools, key=fit)


def _words_about(query: Query, results: Sequence[str]) -> str:
    if asks_for_json(query):
        return json_asked_for(query)
    if results:
        return f"Done. The tool said: {' / '.join(results)}"
    return f"No tool is needed. You said: {prompted.own_words(query.words) or NOTHING_SAID}"


def _call_events(query: Query, calls: Sequence[Call]) -> Iterator[Event]:
    for index, call in enumerate(calls):
        arguments = json_text.write(call.arguments)
        head = {"name": call.name, "arguments": ""}
        call_id = _fingerprint(query, f"call {index} {arguments}")
        yield _calling(
            query,
            {"index": index, "id": f"call_{call_id}", "type": "function", "function": head},
            {"role": "assistant", "content": None} if index == 0 else {},
        )
        for start in range(0, len(arguments), PIECE):
            piece = {"arguments": arguments[start : start + PIECE]}
            yield _calling(query, {"index": index, "function": piece}, {})
    yield _chunk(query, {}, "tool_calls")


def _calling(query: Query, call: Mapping[str, Any], opening: Mapping[str, Any]) -> Event:
    return _chunk(query, {**opening, "tool_calls": [call]}, None)


def _answer_events(query: Query, answer: str) -> Iterator[Event]:
    yield _chunk(query, {"role": "assistant", "content": ""}, None)
    for word in words(answer):
        yield _chunk(query, {"content": word}, None)
    yield _chunk(query, {}, "stop")


def _chunk(
    query: Query,
    delta: Mapping[str, Any] | None,
    finish_reason: str | None,
    usage: Mapping[str, int] | None = None,
) -> Event:
    """One piece of the answer as OpenAI writes it; without choices if there is no delta."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    data = {
        "id": f"chatcmpl-{_fingerprint(query, 'chunk')}",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "simulator",
        "choices": [] if delta is None else [choice],
        "usage": usage,
    }
    return Event("json", data)


def _usage(query: Query) -> dict[str, int]:
    prompt = sum(len(words(message.content)) for message in query.messages)
    return {"prompt_tokens": prompt, "completion_tokens": 7, "total_tokens": prompt + 7}


def _fingerprint(query: Query, salt: str) -> str:
    seen = json_text.write([salt, query.attempt, query.body])
    return hashlib.sha256(seen.encode()).hexdigest()[:24]


TOOL_BOTS = (
    Bot("Tool-User", tool_user, tools=True),
    Bot("Agent", agent_bot, takes=("text", "image"), tools=True, context_tokens=200_000),
    Bot("Tool-Silent", tool_silent, tools=True),
    Bot("Tool-Refuser", tool_refuser, tools=True),
    Bot("Prompted-Tools", prompted_tools),
    Bot("Prompted-Agent", prompted_agent, takes=("text", "image"), context_tokens=200_000),
)
