"""Models: all that Poe lists or the owner speaks of, and what `models.yaml` says of them.

The table comes whole; what is done on it its script sends, with the tag of the file that the page
shows. An answer holds the lines that changed and the file's new tag. A page that shows an older
file than there is by now is told so, and nothing is lost.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import Blueprint, Response, request

from poeflask.admin import layout, model_forms, model_rows
from poeflask.admin.guard import RefusedError
from poeflask.admin.model_forms import FormError
from poeflask.core import json_text
from poeflask.core.bot import Bot
from poeflask.core.override import KnownBot, Override
from poeflask.endpoints.models.encode import known_model
from poeflask.poe import changes
from poeflask.poe.catalogue import read_bots
from poeflask.poe.changes import Change
from poeflask.poe.models_file import EditError, StaleEditError
from poeflask.poe.overrides import Overrides, OverridesError, plain, read
from poeflask.web import auth
from poeflask.web.services import services

models = Blueprint("models", __name__)

_SWITCHES = frozenset({"disabled", "hidden"})


class Shown(NamedTuple):
    """What the page shows, all of one moment.

    Attributes:
        tag: of the file that is in force.
        known: every bot.
        overrides: what the file says.
        note: what the owner should know of Poe's list; "simulated", "missing", or nothing.
    """

    tag: str
    known: tuple[KnownBot, ...]
    overrides: Overrides
    note: str

    def find(self, bot_id: str) -> KnownBot:
        """The bot of this id.

        Raises:
            RefusedError: there is none by now.
        """
        for one in self.known:
            if one.bot.id == bot_id:
                return one
        raise RefusedError(404, "models.gone")


def at_hand() -> Shown:
    """All bots as they are known now, without long waiting.

    Where Poe's list cannot be had, the simulator's stands in for it if there is one.
    """
    here = services()
    tag = here.models_file.tag()
    state = here.catalogue_state()
    key = here.example_key if state == "simulated" else ""
    known = here.upstream_for(auth.caller_with(key)).catalogue.known_at_hand()
    note = state if state in ("simulated", "missing") else ""
    return Shown(tag, known, here.models_file.overrides(), note)


@models.get("")
def show() -> Response:
    """The table."""
    shown = at_hand()
    return layout.page(
        "admin/models.html",
        title="models.title",
        script_texts=("models.script.",),
        rows=[model_rows.row(one) for one in shown.known],
        kinds=model_rows.KINDS,
        groups=shown.overrides.groups,
        tag=shown.tag,
        note=shown.note,
        fault=services().models_file.fault(),
        path=services().models_file.path,
        is_foreign=shown.overrides.is_foreign,
    )


@models.get("/editor")
def show_editor() -> Response:
    """The form of one model, or of a new one."""
    shown = at_hand()
    bot_id = request.args.get("id", "")
    known = shown.find(bot_id) if bot_id else KnownBot(bot=Bot(id="", handle=""), is_listed=False)
    told = known_model(known)
    return layout.fragment(
        "admin/model_editor.html",
        is_new=not bot_id,
        known=known,
        bot=_as_poe_says(known.bot),
        said=known.override,
        told=told,
        sources=told["sources"],
        choices=model_forms.CHOICES,
        choice=model_forms.choice,
        prices=model_forms.PRICES,
        priced=model_rows.priced,
        modalities=model_forms.MODALITIES,
        parameters=model_forms.written(known.override.parameters),
    )


@models.post("/editor")
def edit() -> Response:
    """Change what is said of a model, or add a new one."""
    shown = at_hand()
    bot_id = request.form.get("id", "")
    if not bot_id:
        return _add(shown)
    known = shown.find(bot_id)
    try:
        said = model_forms.said(request.form, known.override)
    except FormError as error:
        return _wrong(error)
    if not said:
        return _json(_difference(shown, shown))
    name = _spelled(known.bot, shown.overrides)
    return _edited(shown, changes.set_fields([name], said))


@models.post("/forget")
def forget() -> Response:
    """Leave a model to Poe's list again; one that is only the owner's is gone."""
    shown = at_hand()
    bot = shown.find(request.form.get("id", "")).bot
    return _edited(shown, changes.forget([_spelled(bot, shown.overrides)]))


@models.post("/switch")
def switch() -> Response:
    """Enable, disable, list or hide models."""
    shown = at_hand()
    field = request.form.get("field", "")
    if field not in _SWITCHES:
        raise RefusedError(400, "errors.request")
    value = True if request.form.get("value") == "on" else None
    return _edited(shown, changes.set_fields(_chosen(shown), {field: value}))


@models.post("/group")
def add_to_group() -> Response:
    """Add models to a group, which may be new, or take them out of it."""
    shown = at_hand()
    name = request.form.get("group", "").strip().removeprefix("@")
    chosen = {one.lower(): one for one in _chosen(shown)}
    had = {shown.overrides.named(one).lower(): one for one in _members(shown.overrides, name)}
    if request.form.get("out") == "on":
        kept = [member for key, member in had.items() if key not in chosen]
        return _edited(shown, changes.set_group(name, kept))
    return _edited(shown, changes.set_group(name, {**chosen, **had}.values()))


@models.get("/groups")
def show_groups() -> Response:
    """All groups, to be changed."""
    shown = at_hand()
    return layout.fragment("admin/model_groups.html", groups=shown.overrides.groups)


@models.post("/groups")
def edit_group() -> Response:
    """Make a group, rename it, give it other models, or take it away."""
    shown = at_hand()
    old = request.form.get("old", "")
    name = request.form.get("name", "").strip().removeprefix("@")
    members = model_forms.lines(request.form.get("members", ""))
    if request.form.get("gone") == "on":
        return _edited(shown, changes.set_group(old, None))
    others = {group.lower() for group in shown.overrides.groups} - {old.lower()}
    if name.lower() in others:
        return _refused(422, layout.translator()("models.group_exists"))
    taken_away = [changes.set_group(old, None)] if old and old != name else []
    return _edited(shown, *taken_away, changes.set_group(name, members))


@models.post("/import")
def take_over() -> Response:
    """Say all that another models.yaml says too; without one, write poe2openai's anew as ours."""
    shown = at_hand()
    given = request.files.get("file")
    if given is None:
        return _edited(shown, _as_it_is)
    try:
        text = given.read().decode("utf-8-sig")
        other = services().threads.run(_other, text)
    except UnicodeDecodeError:
        return _refused(422, layout.translator()("models.no_text"))
    except OverridesError as error:
        return _refused(422, layout.translator()("models.bad_file", reason=error))
    return _edited(shown, changes.taken_over(other))


def _other(text: str) -> dict[str, Any]:
    read(text)
    return plain(text)


def _as_it_is(said: dict[str, Any]) -> dict[str, Any]:
    return said


def _add(shown: Shown) -> Response:
    name = request.form.get("name", "").strip()
    if name.lower() in {
        word for one in shown.known for word in (one.bot.id, one.bot.handle.lower())
    }:
        return _refused(422, layout.translator()("models.exists"))
    try:
        said = model_forms.said(request.form, Override())
    except FormError as error:
        return _wrong(error)
    said = {field: value for field, value in said.items() if value is not None}
    return _edited(shown, changes.add_custom(name, said))


def _chosen(shown: Shown) -> list[str]:
    """The models that the form names, as the file spells them."""
    by_id = {one.bot.id: one.bot for one in shown.known}
    wanted = request.form.getlist("id")
    if not wanted or not by_id.keys() >= set(wanted):
        raise RefusedError(404, "models.gone")
    return [_spelled(by_id[bot_id], shown.overrides) for bot_id in wanted]


def _spelled(bot: Bot, overrides: Overrides) -> str:
    """The bot's name as the file spells it, or as Poe does if the file is silent of it."""
    return overrides.names.get(bot.handle.lower()) or overrides.names.get(bot.id) or bot.handle


def _members(overrides: Overrides, group: str) -> tuple[str, ...]:
    """The models of a group as the file names them; none if there is no such group."""
    groups = {name.lower(): members for name, members in overrides.groups.items()}
    return groups.get(group.lower(), ())


def _as_poe_says(bot: Bot) -> Bot:
    """The bot without the owner's word."""
    return next(iter(read_bots([bot.entry])), Bot(id=bot.id, handle=bot.handle))


def _edited(shown: Shown, *made: Change) -> Response:
    """Make the changes in the file; the answer holds the lines that are others now."""
    here = services()
    fault = here.models_file.fault()
    if fault:
        return _refused(422, layout.translator()("models.bad_file", reason=fault))
    try:
        here.threads.run(here.models_file.edit, *made, tag=request.form.get("tag", ""))
    except StaleEditError:
        return _refused(409, layout.translator()("models.stale"))
    except OverridesError as error:
        return _refused(422, layout.translator()("models.not_made", reason=error))
    except EditError as error:
        return _refused(500, str(error))
    return _json(_difference(shown, at_hand()))


def _difference(before: Shown, after: Shown) -> dict[str, Any]:
    had = {one.bot.id: one for one in before.known}
    others = [one for one in after.known if had.get(one.bot.id) != one]
    rows = [model_rows.row(one) for one in others]
    return {
        "tag": after.tag,
        "rows": layout.fragment("admin/model_rows.html", rows=rows).get_data(as_text=True),
        "gone": sorted(had.keys() - {one.bot.id for one in after.known}),
        "groups": list(after.overrides.groups),
    }


def _wrong(error: FormError) -> Response:
    return _refused(422, layout.translator()(error.text), field=error.field)


def _refused(status: int, message: str, **more: str) -> Response:
    return _json({"error": {"message": message, **more}}, status)


def _json(value: dict[str, Any], status: int = 200) -> Response:
    return Response(json_text.write(value), status=status, mimetype="application/json")
