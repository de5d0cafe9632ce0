"""Tool calls for every bot: through Poe's own protocol where the bot takes it, in words elsewhere.

`tools_maker` chooses. `PromptedTools` asks in words and reads the calls out of the text;
`NativeTools` leaves them to the wire, and becomes `PromptedTools` if the bot refuses tools or says
nothing at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from poeflask.core import json_text
from poeflask.core.profile import Profile
from poeflask.core.prompt import Prompt
from poeflask.filters import tool_prompt, tool_text
from poeflask.filters.base import Filter
from poeflask.filters.native_tools import NativeTools
from poeflask.filters.prompted_tools import PromptedTools
from poeflask.filters.tool_calls.lenient_json import Repair

ToolMode = Literal["auto", "native", "prompted"]


def tools_maker(
    prompt: Prompt,
    profile: Profile,
    mode: ToolMode = "auto",
    *,
    new_call_id: Callable[[], str],
    repair: Repair = json_text.repaired,
) -> Callable[[], Filter] | None:
    """Makes the filter that this prompt needs for its tools; None if it has to do with none.

    The prompt itself is not kept.

    Args:
        prompt: as the client asks.
        profile: what is known of the bot.
        mode: "auto" goes by the profile; the others overrule it.
        new_call_id: makes the id of a call; each must be new and hard to guess.
        repair: makes a value of a text that is nearly JSON, or raises ValueError; called with at
            most 64 KiB, for which it may need a second.
    """
    offered = tool_prompt.offered_tools(prompt)
    if not offered and not prompt.tools and not tool_prompt.has_tool_history(prompt):
        return None
    choice, mark = prompt.tool_choice, tool_text.mark_of(prompt)
    is_native = profile.native_tools if mode == "auto" else mode == "native"

    def make() -> Filter:
        prompted = PromptedTools(offered, choice, mark, new_call_id=new_call_id, repair=repair)
        return NativeTools(prompted) if offered and is_native else prompted

    return make
