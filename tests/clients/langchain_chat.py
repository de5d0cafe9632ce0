"""LangChain's own standard tests of a chat model, run by its own Python against a live bridge.

Named so that the project's pytest leaves it alone: `test_frameworks.py` runs it.
"""

from __future__ import annotations

import base64
import os
from typing import Any

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture(autouse=True)
def no_web(monkeypatch: pytest.MonkeyPatch) -> None:
    """LangChain's tests fetch a picture, a sound and a document; one pixel stands for them all."""
    monkeypatch.setattr(httpx, "get", lambda *_, **__: httpx.Response(200, content=PIXEL))


class TestChat(ChatModelIntegrationTests):
    """All that LangChain asks of a chat model."""

    chat_model_class: type[BaseChatModel] = ChatOpenAI
    supports_model_override = True
    model_override_value = "Echo"
    supports_json_mode = True
    supports_image_inputs = True
    supports_image_urls = True
    supports_image_tool_message = True
    supports_pdf_inputs = True
    supports_pdf_tool_message = True
    supports_audio_inputs = True

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": os.environ["MODEL"], "max_retries": 0, "stream_usage": True}
