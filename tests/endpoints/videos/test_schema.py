"""The fields of requests for films."""

from openai.types.video_create_params import VideoCreateParams

from poeflask.endpoints.videos.schema import VIDEO_ENVELOPE


def test_every_field_of_the_official_sdk_is_known():
    """What the SDK can send is read here, not taken for a bot's own parameter."""
    assert set() == set(VideoCreateParams.__annotations__) - set(VIDEO_ENVELOPE.fields)
