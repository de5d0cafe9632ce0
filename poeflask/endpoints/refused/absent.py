"""What OpenAI, Anthropic and Google offer and Poe has no counterpart for, in two tables. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from poeflask.core.errors import ErrorKind, OwnError

_CHAT = "POST /v1/chat/completions or /v1/responses asks a bot at once."
_ANEW = (
    "Films are not changed here. POST /v1/videos makes a new one, from a picture too, as "
    "'input_reference'."
)

ABSENT: Mapping[str, str] = {
    "agents": f"Poe runs no agents for others. {_CHAT}",
    "answers": f"This API is older than chat. {_CHAT}",
    "assistants": f"Poe keeps no assistants; a bot made at poe.com/create_bot is one. {_CHAT}",
    "batches": f"Poe takes no batches; each request is answered at once. {_CHAT}",
    "chatkit": f"Poe keeps no ChatKit sessions. {_CHAT}",
    "classifications": f"This API is older than chat. {_CHAT}",
    "complete": "This API is older than messages. POST /v1/messages asks a bot.",
    "containers": "Poe lends no containers; some bots run code of their own, and their files come "
    "with the answer.",
    "edits": f"This API is older than chat; ask for the change in words. {_CHAT}",
    "engines": "This API is older than models. GET /v1/models lists the bots.",
    "evals": "Poe runs no evaluations. Ask the bots and judge their answers on your side.",
    "fine-tunes": "Poe trains no models. A bot with your own prompt is made at poe.com/create_bot.",
    "fine_tuning": "Poe trains no models. A bot with your own prompt is made at "
    "poe.com/create_bot.",
    "graders": "Poe grades nothing. Ask a bot to, with a JSON schema as its response format.",
    "live": "Poe holds no live conversations. POST /v1/audio/transcriptions, "
    "/v1/chat/completions and /v1/audio/speech, one after the other, come near.",
    "messages/batches": "Poe takes no batches; each request is answered at once. "
    "POST /v1/messages asks a bot.",
    "organization": "Poe knows no organizations over its API; what a key may spend is seen and "
    "set at poe.com.",
    "projects": "Poe knows no projects; a key belongs to an account.",
    "realtime": "Poe holds no realtime conversations. POST /v1/audio/transcriptions, "
    "/v1/chat/completions and /v1/audio/speech, one after the other, come near.",
    "skills": "Poe keeps no skills. Put what the bot should know into the system message.",
    "threads": f"Poe keeps no threads; send the conversation so far with each request. {_CHAT}",
    "uploads": "Uploads in parts are not taken. POST /v1/files takes a file in one piece.",
    "vector_stores": "Poe searches no vector stores. Search on your side, with POST "
    "/v1/embeddings if it is set up here, or attach the files themselves.",
    "vaults": "Poe keeps no vaults.",
    "videos/characters": "Poe keeps no characters. Describe them in the prompt, or send a picture "
    "of them as 'input_reference'.",
    "videos/edits": _ANEW,
    "videos/extensions": _ANEW,
    "webhook_endpoints": "Poe calls nobody back. Poll, or stream the answer.",
}
"""A sentence for each path behind /v1; all that is below it is refused alike."""


_GEMINI = "POST /v1beta/models/{model}:generateContent asks a bot."

ABSENT_OF_GOOGLE: Mapping[str, str] = {
    "cachedContents": f"Poe keeps no caches; send the whole content with each request. {_GEMINI}",
    "fileSearchStores": "Poe searches no files. Search on your side, or send the files themselves.",
    "files": "Gemini's files are not kept here. Send a file's content as inlineData, or its link "
    "as fileData.",
    "interactions": f"Poe keeps no interactions. {_GEMINI}",
    "tunedModels": "Poe trains no models. A bot with your own prompt is made at "
    "poe.com/create_bot.",
}
"""The same for Gemini's API, behind each of its versions."""


def paths_of_google(name: str) -> tuple[str, ...]:
    """The paths of an API of Google's table; `/v1/files` is OpenAI's, and is offered."""
    if name == "files":
        return ("/v1beta/files", "/v1alpha/files", *_UPLOADS)
    return (f"/v1beta/{name}", f"/v1alpha/{name}", f"/v1/{name}")


_UPLOADS = ("/upload/v1/files", "/upload/v1beta/files", "/upload/v1alpha/files")


def refusal_of_google(name: str) -> OwnError:
    """The error for an API of Google's table."""
    return OwnError(ErrorKind.NOT_OFFERED, f"{name} is not offered here. {ABSENT_OF_GOOGLE[name]}")


def refusal(name: str) -> OwnError:
    """The error for an API of the table."""
    return OwnError(ErrorKind.NOT_OFFERED, f"/v1/{name} is not offered here. {ABSENT[name]}")
