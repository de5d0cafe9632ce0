"""What the owner knows better than Poe's list: `models.yaml`, read into changes of profiles. Pure.

    models:
      Claude-Sonnet-4.5:
        tools: prompted       # auto, native or prompted
        reasoning: tags       # quote, tags, any or none: how its text sets thoughts apart
        buffered: true        # it rewrites itself: nothing is shown before the answer has settled
        flags: true           # its parameters are written behind the text, as --name value

Names are found in any case. A bot that Poe does not list may stand here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml
from marshmallow import Schema, ValidationError, fields, validate

from poeflask.core.profile import Profile, ThinkingMarks, ToolsMode


class OverridesError(ValueError):
    """The file cannot be used; the message is a sentence that says where and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What the owner says of one bot; None leaves it as it is."""

    tools: ToolsMode | None = None
    reasoning: ThinkingMarks | None = None
    buffered: bool | None = None
    flags: bool | None = None

    def applied(self, profile: Profile) -> Profile:
        """The profile with the owner's word in place of Poe's."""
        said: dict[str, Any] = {
            "tools_mode": self.tools,
            "thinking_marks": self.reasoning,
            "buffered": self.buffered,
            "flags": self.flags,
        }
        return replace(
            profile, **{name: value for name, value in said.items() if value is not None}
        )


def _one_of(*names: str) -> fields.String:
    return fields.String(validate=validate.OneOf(names))


class _Switch(fields.Field[bool]):
    """true or false, and nothing that looks like them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> bool:
        if isinstance(value, bool):
            return value
        raise ValidationError("Must be true or false.")


class _Override(Schema):
    tools = _one_of("auto", "native", "prompted")
    reasoning = _one_of("quote", "tags", "any", "none")
    buffered = _Switch()
    flags = _Switch()


class _File(Schema):
    models = fields.Dict(keys=fields.String(), values=fields.Nested(_Override), allow_none=True)


_FILE = _File()


def read(text: str) -> Mapping[str, Override]:
    """The overrides of a file's text, by the bots' names in lower case.

    Raises:
        OverridesError: it is no YAML, or says something that nothing understands.
    """
    try:
        value = yaml.safe_load(text) or {}
        if not isinstance(value, dict):
            raise OverridesError('it must begin with "models:", as a table of bots.')
        known = _FILE.load(value)
    except yaml.YAMLError as error:
        raise OverridesError(f"it is no YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        raise OverridesError(_first_fault(error.messages)) from error
    models = known.get("models") or {}
    return {name.lower(): Override(**said) for name, said in models.items()}


def _first_fault(messages: Any, path: str = "") -> str:
    """The first sentence in marshmallow's tree of faults, behind the path that leads to it."""
    if isinstance(messages, dict):
        name, inner = next(iter(messages.items()))
        if name in ("key", "value", "_schema"):
            return _first_fault(inner, path)
        return _first_fault(inner, f"{path}.{name}" if path else str(name))
    return f"{path}: {messages[0]}"
