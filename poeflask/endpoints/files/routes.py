"""/v1/files: upload, list, tell of, give back and forget files; only their owner can.

The paths are OpenAI's and Anthropic's; who asks says whose words are spoken.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from poeflask.core import json_text
from poeflask.core.errors import ClientError, ErrorKind
from poeflask.core.kept_file import KeptFile
from poeflask.endpoints.describing import ANTHROPIC_PAGE, PAGE, described
from poeflask.endpoints.files.decode import (
    decode_anthropic_page,
    decode_anthropic_upload,
    decode_page,
    decode_upload,
)
from poeflask.endpoints.files.encode import (
    anthropic_deletion,
    anthropic_file,
    anthropic_list,
    deletion,
    file_list,
    file_object,
)
from poeflask.web import auth, forms
from poeflask.web.family import speaks_anthropic
from poeflask.web.services import services

files = Blueprint("files", __name__)


@files.post("/v1/files")
@described(
    files={"file": True}, note="A form; OpenAI's clients name a purpose, Anthropic's need not."
)
def upload_file() -> Response:
    """Keep a file; its id stands for it in every other request."""
    here = services()
    owner = _owner()
    decode = decode_anthropic_upload if speaks_anthropic(request) else decode_upload
    upload = decode(forms.form(request), max_bytes=here.max_file_bytes)
    kept = here.files.keep(
        owner,
        upload.file.content,
        name=upload.file.name,
        content_type=upload.file.content_type,
        purpose=upload.purpose,
        ttl_s=upload.ttl_s,
    )
    return _told(kept)


@files.get("/v1/files")
@described(query={**PAGE, **ANTHROPIC_PAGE, "purpose": "Only files of this purpose."})
def list_files() -> Response:
    """The key's files, page by page."""
    owner = _owner()
    kept = services().files.all(owner)
    if speaks_anthropic(request):
        return _json(anthropic_list(kept, decode_anthropic_page(request.args)))
    return _json(file_list(kept, decode_page(request.args)))


@files.get("/v1/files/<file_id>")
@described()
def retrieve_file(file_id: str) -> Response:
    """What is known of one file."""
    file = services().files.find(_owner(), file_id)
    if file is None:
        raise _no_file(file_id)
    return _told(file)


@files.get("/v1/files/<file_id>/content")
@described(gives=("application/octet-stream",))
def download_file(file_id: str) -> Response:
    """The content, always as a download: no browser may show what a stranger uploaded."""
    here = services()
    owner = _owner()
    file, content = here.files.find(owner, file_id), here.files.content(owner, file_id)
    if file is None or content is None:
        raise _no_file(file_id)
    response = Response(content, mimetype="application/octet-stream")
    response.headers.set("Content-Disposition", "attachment", filename=file.name)
    return response


@files.delete("/v1/files/<file_id>")
@described()
def delete_file(file_id: str) -> Response:
    """Forget one file."""
    if not services().files.forget(_owner(), file_id):
        raise _no_file(file_id)
    gone = anthropic_deletion if speaks_anthropic(request) else deletion
    return _json(gone(file_id))


def _owner() -> str:
    return auth.caller_of(request.headers).owner


def _no_file(file_id: str) -> ClientError:
    return ClientError(
        ErrorKind.NOT_FOUND, f"There is no file {file_id[:100]!r} of this key.", param="id"
    )


def _told(file: KeptFile) -> Response:
    return _json(anthropic_file(file) if speaks_anthropic(request) else file_object(file))


def _json(value: object) -> Response:
    return Response(json_text.write(value), mimetype="application/json")
