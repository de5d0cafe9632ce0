"""The examples on the front page, ready to be copied. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Example:
    """A text to copy and what it is for."""

    title: str
    text: str


def examples(address: str, key: str) -> tuple[Example, ...]:
    """How to reach the service at `address` with a key, or with the reader's own if it is empty."""
    shown_key = key or "$POE_API_KEY"
    bot = "Echo" if key else "Claude-Sonnet-4.5"
    return (
        Example("curl", _CURL.format(address=address, key=shown_key, bot=bot)),
        Example("Python", _PYTHON.format(address=address, key=shown_key, bot=bot)),
        Example("JavaScript", _JAVASCRIPT.format(address=address, key=shown_key, bot=bot)),
        Example("Any other client", _OTHER.format(address=address, key=shown_key, bot=bot)),
    )


_CURL = """\
curl -N {address}/v1/chat/completions \\
  -H "Authorization: Bearer {key}" \\
  -H "Content-Type: application/json" \\
  -d '{{"model": "{bot}", "stream": true,
       "messages": [{{"role": "user", "content": "Hello!"}}]}}'"""

_PYTHON = """\
from openai import OpenAI

client = OpenAI(base_url="{address}/v1", api_key="{key}")
stream = client.chat.completions.create(
    model="{bot}",
    messages=[{{"role": "user", "content": "Hello!"}}],
    stream=True,
)
for chunk in stream:
    print(chunk.choices[0].delta.content or "", end="")"""

_JAVASCRIPT = """\
import OpenAI from "openai";

const client = new OpenAI({{ baseURL: "{address}/v1", apiKey: "{key}" }});
const stream = await client.chat.completions.create({{
  model: "{bot}",
  messages: [{{ role: "user", content: "Hello!" }}],
  stream: true,
}});
for await (const chunk of stream) {{
  process.stdout.write(chunk.choices[0]?.delta?.content ?? "");
}}"""

_OTHER = """\
Base URL  {address}/v1
API key   {key}
Model     {bot}"""
