"""The fields of requests to speak and to listen."""

import pytest
from openai.types.audio import (
    speech_create_params,
    transcription_create_params,
    translation_create_params,
)

from poeflask.endpoints.audio.schema import (
    SPEECH_ENVELOPE,
    TRANSCRIPTION_ENVELOPE,
    TRANSLATION_ENVELOPE,
)


@pytest.mark.parametrize(
    ("sdk", "schema"),
    [
        (speech_create_params.SpeechCreateParams, SPEECH_ENVELOPE),
        (transcription_create_params.TranscriptionCreateParamsBase, TRANSCRIPTION_ENVELOPE),
        (translation_create_params.TranslationCreateParams, TRANSLATION_ENVELOPE),
    ],
)
def test_every_field_of_the_official_sdk_is_known(sdk, schema):
    """What the SDK can send is read here; the recording is a file of the form, not a field."""
    assert set() == set(sdk.__annotations__) - set(schema.fields) - {"file"}
