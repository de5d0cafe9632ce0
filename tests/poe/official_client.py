"""Poe's own client, asked for several answers. Run as a program: prints them as JSON.

Each answer is a list of [kind, index, content] that ends in ["end", ...].
"""

import asyncio
import json
import sys
import warnings

import fastapi_poe as fp
from fastapi_poe.client import BotError, BotErrorNoRetry, stream_request

TOOL = {
    "type": "function",
    "function": {
        "name": "f",
        "description": "",
        "parameters": {"type": "object", "properties": {}},
    },
}


def said(message):
    """What one message of the client says, in the words of the comparison."""
    index = getattr(message, "index", None) or 0
    if isinstance(message, fp.MetaResponse):
        return [["meta", index, message.content_type]]
    if message.attachment is not None:
        a = message.attachment
        return [["file", index, [a.url, a.content_type, a.name, a.inline_ref or ""]]]
    if message.is_suggested_reply:
        return [["suggested_reply", index, message.text]]
    if message.is_replace_response:
        return [["replace", index, message.text]]
    calls = [
        ["call", index, [c.index, c.id or "", c.function.name or "", c.function.arguments]]
        for c in message.tool_calls
    ]
    return calls or ([["text", index, message.text]] if message.text else [])


async def answer(base_url, name):
    """All that one bot says."""
    query = fp.QueryRequest(
        version="1.2",
        type="query",
        query=[fp.ProtocolMessage(role="user", content="Hi")],
        user_id="",
        conversation_id="",
        message_id="",
    )
    tools = [fp.ToolDefinition(**TOOL)] if name.startswith("tools") else None
    got = []
    try:
        async for message in stream_request(
            query,
            name,
            api_key="key",
            tools=tools,
            base_url=base_url,
            num_tries=1,
            on_error=lambda *_: None,
        ):
            got += said(message)
    except BotErrorNoRetry:
        return [*got, ["end", "failure", "for good"]]
    except BotError:
        return [*got, ["end", "failure", "for now"]]
    return [*got, ["end", "finish", ""]]


async def main(base_url, names):
    """Print what all of the bots say."""
    warnings.simplefilter("ignore")
    answers = {name: await answer(base_url, name) for name in names}
    print(json.dumps(answers))  # noqa: T201 the parent reads it


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
