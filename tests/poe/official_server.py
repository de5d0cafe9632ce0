"""Poe's own server, with a bot for each thing that bots do. Run as a program: prints its port."""

import json
import socket
import warnings

import fastapi_poe as fp
import uvicorn
from sse_starlette.event import ServerSentEvent

CHUNKS = [
    {"role": "assistant", "content": None},
    {"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "f", "arguments": ""}}]},
    {"tool_calls": [{"index": 0, "function": {"arguments": '{"a":1}'}}]},
]


class Texts(fp.PoeBot):
    """Says two texts, one of them from far away."""

    async def get_response(self, request):
        """The answer."""
        yield fp.MetaResponse(text="", content_type="text/markdown", suggested_replies=True)
        yield fp.PartialResponse(text="Hé")
        yield fp.PartialResponse(text="llo \U0001f600\u2028\r\n")
        yield fp.PartialResponse(text="More?", is_suggested_reply=True)
        yield fp.DataResponse(metadata="m")


class Replacer(fp.PoeBot):
    """Changes its mind, with a file."""

    async def get_response(self, request):
        """The answer."""
        yield fp.PartialResponse(text="Drawing")
        attachment = fp.Attachment(
            url="https://p/a", content_type="image/png", name="a.png", inline_ref="r"
        )
        yield fp.PartialResponse(text="", attachment=attachment)
        yield fp.PartialResponse(text="![a][r]", is_replace_response=True)


class Refuser(fp.PoeBot):
    """Says that the message is too long."""

    async def get_response(self, request):
        """The answer."""
        yield fp.ErrorResponse(text="No", error_type="user_message_too_long", allow_retry=False)


class Broken(fp.PoeBot):
    """Fails in the middle."""

    async def get_response(self, request):
        """The answer."""
        yield fp.PartialResponse(text="so far")
        raise RuntimeError("on purpose")


class Caller(fp.PoeBot):
    """Calls a tool."""

    async def get_response(self, request):
        """The answer."""
        for delta in CHUNKS:
            chunk = {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
            yield ServerSentEvent(data=json.dumps(chunk), event="json")
        last = {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}
        yield ServerSentEvent(data=json.dumps(last), event="json")


class Echo(fp.PoeBot):
    """Says what it understood of the query."""

    async def get_response(self, request):
        """The answer."""
        left_out = {"access_key", "api_key", "http_request"}
        yield fp.PartialResponse(text=json.dumps(request.model_dump(exclude=left_out), default=str))


def main():
    """Serve until killed."""
    warnings.simplefilter("ignore")
    bots = [
        bot(path=f"/bot/{bot.__name__}", access_key="k" * 32, bot_name=bot.__name__)
        for bot in (Texts, Replacer, Refuser, Broken, Caller, Echo)
    ]
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)  # noqa: T201 the parent reads it
    config = uvicorn.Config(fp.make_app(bots), log_level="critical")
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
