"""How a gateway key is used, to be copied: lines for a shell, Python and Claude Code."""

from __future__ import annotations

import shlex
from typing import NamedTuple

from poeflask.core import json_text


class Sample(NamedTuple):
    """Lines to copy.

    Attributes:
        name: names it within a page.
        title: where they are pasted; a proper noun.
        text: the lines.
    """

    name: str
    title: str
    text: str


def samples(base_url: str, key: str, model: str) -> tuple[Sample, ...]:
    """The samples for a key.

    Args:
        base_url: the address of this service, without a slash at its end.
        key: the key itself.
        model: whom the key may ask; may hold any letters.
    """
    body = {"model": model, "messages": [{"role": "user", "content": "Hello!"}]}
    api = f"{base_url}/v1"
    return (
        Sample(
            "curl",
            "curl",
            f"curl {_word(f'{api}/chat/completions')} \\\n"
            f"  -H {_word(f'Authorization: Bearer {key}')} \\\n"
            "  -H 'Content-Type: application/json' \\\n"
            f"  -d {_word(json_text.write(body))}",
        ),
        Sample(
            "python",
            "Python",
            "from openai import OpenAI\n\n"
            f"client = OpenAI(\n    base_url={_string(api)},\n    api_key={_string(key)},\n)\n"
            "answer = client.chat.completions.create(\n"
            f"    model={_string(model)},\n"
            '    messages=[{"role": "user", "content": "Hello!"}],\n'
            ")\n"
            "print(answer.choices[0].message.content)",
        ),
        Sample(
            "claude-code",
            "Claude Code",
            f"export ANTHROPIC_BASE_URL={_word(base_url)}\n"
            f"export ANTHROPIC_AUTH_TOKEN={_word(key)}\n"
            f"claude --model {_word(model)}",
        ),
        Sample(
            "environment",
            ".env",
            f"OPENAI_BASE_URL={_word(api)}\nOPENAI_API_KEY={_word(key)}",
        ),
    )


def _word(text: str) -> str:
    return shlex.quote(text)


def _string(text: str) -> str:
    """A text as Python writes it; JSON's strings are Python's."""
    return json_text.write(text)
