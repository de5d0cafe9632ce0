"""Wishes for pictures, sounds and films as each bot's own parameters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeflask.core.profile import Parameter, Profile
from poeflask.filters.media_parameters import Fitted, fitted


def enum(*members):
    """The schema of a parameter that takes one of these."""
    return {"enum": list(members)}


def number(low=None, high=None, kind="number"):
    """The schema of a number within bounds."""
    bounds = {"minimum": low, "maximum": high}
    return {"type": kind} | {name: bound for name, bound in bounds.items() if bound is not None}


TEXT = {"type": "string"}
FLAG = {"type": "boolean"}
GPT_IMAGE = {
    "aspect": enum("1:1", "3:2", "2:3"),
    "quality": enum("low", "medium", "high"),
    "use_mask": FLAG,
    "use_high_fidelity": FLAG,
}
DALL_E = {"aspect": enum("1:1", "7:4", "4:7")}
QWEN = {"size": enum("512*512", "1024*1024", "1536*1536", "1536*1024", "1024*1536")}
BANANA = {"aspect_ratio": enum("1:1", "16:9", "21:9"), "image_size": enum("1K", "2K", "4K")}
FLUX_DI = {"width": number(128, 1920), "height": number(128, 1920)}
RETRO = {"width": TEXT, "height": TEXT}
RUNWAY = {"aspect_ratio": enum("landscape", "portrait")}
SORA = {"size": enum("1280x720", "720x1280"), "duration": enum("4", "8", "12")}
VEO = {"aspect_ratio": enum("16:9", "9:16"), "duration": enum("4s", "6s", "8s")}
WAN = {"resolution": enum("832x480", "480x832", "720x1280", "1280x720")}
KLING = {"resolution": enum("480p", "720p", "1080p"), "duration": number(3, 15)}
GROK = {"resolution": enum("auto", "480p", "720p")}
NOVA = {"quality": enum("standard", "premium")}
RETRO_STYLE = {"style": enum("None", "anime", "3d_animation")}
FREE_STYLE = {"style": TEXT}
IDEOGRAM = {"style": enum("GENERAL", "REALISTIC", "RENDER_3D"), "negative_prompt": TEXT}
HAILUO = {"voice": enum("Wise_Woman", "Deep_Voice_Man"), "speed": number(0.5, 2)}
GEMINI_TTS = {"voice": enum("Zephyr", "Puck"), "style_prompt": TEXT, "language": enum("en-US")}
SONIC = {"voice": enum("katie - friendly fixer", "brooke - big sister"), "language": enum("de")}
CARTESIA = {"output_format": enum("MP3", "WAV", "OGG"), "language": enum("auto", "German")}

ROWS = [
    ("size", "1024x1024", GPT_IMAGE, {"aspect": "1:1"}),
    ("size", "1536x1024", GPT_IMAGE, {"aspect": "3:2"}),
    ("size", "1024x1792", GPT_IMAGE, {"aspect": "2:3"}),
    ("size", "16:9", GPT_IMAGE, {"aspect": "3:2"}),
    ("size", "auto", GPT_IMAGE, {}),
    ("size", "1792x1024", DALL_E, {"aspect": "7:4"}),
    ("size", "1024x1024", QWEN, {"size": "1024*1024"}),
    ("size", "600x600", QWEN, {"size": "512*512"}),
    ("size", "1024x1792", QWEN, {"size": "1024*1536"}),
    ("size", "3840x2160", BANANA, {"aspect_ratio": "16:9", "image_size": "4K"}),
    ("size", "2K", BANANA, {"image_size": "2K"}),
    ("size", "1:1", BANANA, {"aspect_ratio": "1:1"}),
    ("size", "1024x768", FLUX_DI, {"width": 1024, "height": 768}),
    ("size", "4096x64", FLUX_DI, {"width": 1920, "height": 128}),
    ("size", "256x128", RETRO, {"width": "256", "height": "128"}),
    ("size", "1280x720", RUNWAY, {"aspect_ratio": "landscape"}),
    ("size", "720x1280", RUNWAY, {"aspect_ratio": "portrait"}),
    ("size", "1792x1024", SORA, {"size": "1280x720"}),
    ("size", "640x480", WAN, {"resolution": "832x480"}),
    ("size", "1920x1080", KLING, {"resolution": "1080p"}),
    ("size", "1280x720", GROK, {"resolution": "720p"}),
    ("size", "640x480", {"size": TEXT}, {"size": "640x480"}),
    ("quality", "hd", GPT_IMAGE, {"quality": "high"}),
    ("quality", "standard", GPT_IMAGE, {"quality": "medium"}),
    ("quality", "max", GPT_IMAGE, {"quality": "high"}),
    ("quality", "auto", GPT_IMAGE, {}),
    ("quality", "hd", NOVA, {"quality": "premium"}),
    ("quality", "low", NOVA, {"quality": "standard"}),
    ("style", "anime", RETRO_STYLE, {"style": "anime"}),
    ("style", "realistic", IDEOGRAM, {"style": "REALISTIC"}),
    ("style", "vivid", FREE_STYLE, {"style": "vivid"}),
    ("input_fidelity", "high", GPT_IMAGE, {"use_high_fidelity": True}),
    ("input_fidelity", "low", GPT_IMAGE, {"use_high_fidelity": False}),
    ("mask", True, GPT_IMAGE, {"use_mask": True}),
    (
        "background",
        "transparent",
        {"transparent_background": FLAG},
        {"transparent_background": True},
    ),
    ("background", "opaque", {"background": enum("opaque", "auto")}, {"background": "opaque"}),
    ("negative_prompt", "rain", IDEOGRAM, {"negative_prompt": "rain"}),
    ("negative_prompt", "rain", {"no": TEXT}, {"no": "rain"}),
    ("voice", "wise woman", HAILUO, {"voice": "Wise_Woman"}),
    ("voice", "katie", SONIC, {"voice": "katie - friendly fixer"}),
    ("speed", 4.0, HAILUO, {"speed": 2}),
    ("speed", 1.25, HAILUO, {"speed": 1.25}),
    ("instructions", "whisper", GEMINI_TTS, {"style_prompt": "whisper"}),
    ("response_format", "wav", CARTESIA, {"output_format": "WAV"}),
    ("response_format", "opus", CARTESIA, {"output_format": "OGG"}),
    ("output_format", "jpeg", {"output_format": enum("png", "jpg")}, {"output_format": "jpg"}),
    ("language", "en", GEMINI_TTS, {"language": "en-US"}),
    ("language", "de-AT", SONIC, {"language": "de"}),
    ("language", "de", CARTESIA, {"language": "German"}),
    ("seconds", "8", SORA, {"duration": "8"}),
    ("seconds", "20", SORA, {"duration": "12"}),
    ("seconds", "5", VEO, {"duration": "4s"}),
    ("seconds", "1", KLING, {"duration": 3}),
    ("fps", 24, {"fps": number(1, 60, "integer")}, {"fps": 24}),
]


@pytest.mark.parametrize(("name", "wish", "declared", "parameters"), ROWS)
def test_a_wish_becomes_the_bots_parameter(name, wish, declared, parameters):
    """Each bot gets what is nearest to the wish in its own words."""
    assert Fitted(parameters, ()) == fitted({name: wish}, profile(declared))


IGNORED = [
    ("size", "1024x1024", {}),
    ("size", "4K", GPT_IMAGE),
    ("size", "1:1", FLUX_DI),
    ("size", "1:1", {"size": TEXT}),
    ("quality", "ultimate", GPT_IMAGE),
    ("quality", "high", DALL_E),
    ("style", "vivid", RETRO_STYLE),
    ("mask", True, DALL_E),
    ("voice", "alloy", HAILUO),
    ("voice", "---", HAILUO),
    ("speed", 2.0, GEMINI_TTS),
    ("speed", "fast", HAILUO),
    ("language", "ja", SONIC),
    ("response_format", "pcm", CARTESIA),
    ("background", "opaque", {"transparent_background": TEXT}),
    ("seconds", "8", {"duration": enum("short", "long")}),
    ("seconds", "8", {"duration": {}}),
    ("mask", True, {"use_mask": TEXT}),
]


@pytest.mark.parametrize(("name", "wish", "declared"), IGNORED)
def test_what_no_parameter_carries_is_named(name, wish, declared):
    """A wish that the bot has no word for is left out, and its name given."""
    assert Fitted({}, (name,)) == fitted({name: wish}, profile(declared))


def test_no_wish_is_no_parameter():
    """None wishes for nothing and is not named."""
    assert Fitted({}, ()) == fitted({"size": None, "voice": None}, profile(GPT_IMAGE))


@given(
    st.text(max_size=12) | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.text(max_size=8) | st.integers(), max_size=4),
    st.sampled_from(["size", "quality", "voice", "language", "seconds", "speed", "mask", "other"]),
)
def test_only_allowed_values_are_given(wish, members, name):
    """Whatever is wished, a parameter with members gets one of them or nothing."""
    names = ("size", "quality", "voice", "language", "duration", "speed", "use_mask", "other")
    declared = {one: enum(*members) for one in names}
    found = fitted({name: wish}, profile(declared)).parameters

    assert all(value in members for value in found.values())


def profile(declared):
    """A bot that declares parameters with these schemas."""
    parameters = {name: Parameter(name=name, schema=schema) for name, schema in declared.items()}
    return Profile(bot="Bot", parameters=parameters)
