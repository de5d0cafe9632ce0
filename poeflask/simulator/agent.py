"""The coding agent's mind: which tool of those that are offered takes a small task one step on.

The task is "create FILE with the content "TEXT" and read it back". The tools may be those of any
common coding agent: they are known by their names, their arguments by the names in their schema.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from poeflask.simulator.query import ToolOffer
from poeflask.simulator.samples import Words, sample

_WRITERS = ("write", "writefile", "createfile", "writetofile", "filewrite", "createnewfile")
_EDITORS = ("strreplacebasededittool", "strreplaceeditor", "editor")
_READERS = ("read", "readfile", "readfiles", "viewfile", "view", "fileread", "openfile")
_SHELLS = (
    *("bash", "shell", "terminal", "execute", "localshell", "execcommand", "executecommand"),
    *("runcommand", "runcommands", "runshellcommand", "runterminalcmd", "runterminalcommand"),
    "runinterminal",
)
_PATHS = ("path", "paths", "file", "files", "filepath", "filename", "targetfile", "absolutepath")
_TEXTS = ("content", "contents", "text", "newtext", "filetext", "codeedit")
_COMMANDS = ("command", "commands", "cmd", "script")

_FILE = re.compile(r"(?<![\w/.])((?:/|\./)?(?:[\w-]+/)*[\w-]+\.[A-Za-z]\w{0,7})\b")
_TASK = re.compile(r"\b(?:create|write|make|add)\b[^\n]*?" + _FILE.pattern, re.IGNORECASE)
_QUOTED = re.compile(r"\"([^\"\n]+)\"|`([^`\n]+)`|(?<!\w)'([^'\n]+)'(?!\w)")
_CONTENT = re.compile(
    r"\b(?:contents?|containing|contains|text|saying|says|line|words?)\b"
    r"(?:\s+(?:of|the|a|exactly|single|text|words?|line|contents?)\b)*"
    r"\s*:?\s+(\S+?)[.,;]?(?:\s|$)",
    re.IGNORECASE,
)
_REMINDER = re.compile(r"<system-reminder>.*?</system-reminder>", re.DOTALL)
_PLACE = r"(?:working directory|workspace|cwd|current directory)"
_FOLDERS = (
    re.compile(
        rf"{_PLACE}[\w ]{{0,20}}[\"'`>]*(?:\s+is)?\s*[:= ]\s*[\"'`]?(/[\w./-]+)", re.IGNORECASE
    ),
    re.compile(rf"{_PLACE}[^/\n]{{0,40}}?(/[\w./-]+)", re.IGNORECASE),
)
"""How clients say in which folder they are; the surer way first."""


@dataclass(frozen=True, slots=True)
class Task:
    """A file to create, what shall stand in it, and the folder that a path starts from."""

    file: str
    content: str
    folder: str = ""

    @property
    def path(self) -> str:
        """The file's whole path as far as the folder is known."""
        known = self.folder and not self.file.startswith("/")
        return f"{self.folder.rstrip('/')}/{self.file.removeprefix('./')}" if known else self.file


@dataclass(frozen=True, slots=True)
class Call:
    """A tool and its arguments."""

    name: str
    arguments: Mapping[str, Any]


def find_task(said: str, surroundings: str = "") -> Task | None:
    """The task that the user's words set; None if they set none that is understood here."""
    # Clients that were given the words on a command line may have escaped their quotes.
    own = _REMINDER.sub("", said).replace('\\"', '"')
    found = list(_TASK.finditer(own))
    if not found:
        return None
    file = found[-1].group(1)
    rest = own[found[-1].start() :]
    quoted = ["".join(groups) for groups in _QUOTED.findall(rest)]
    contents = [one for one in quoted if one != file] or _CONTENT.findall(rest) or ["hello"]
    places = (words.search(text) for words in _FOLDERS for text in (said, surroundings))
    folder = next((place.group(1).rstrip(".") for place in places if place), "")
    return Task(file, contents[0], folder)


def next_call(task: Task, tools: Sequence[ToolOffer], rounds: int) -> Call | None:
    """The call for the round: writing in the first, reading in the second, then none."""
    if rounds >= 2:
        return None
    kinds, command, verb = _ROUNDS[rounds]
    tool = _first(tools, kinds)
    if tool is not None:
        return Call(tool.name, _arguments(tool, task, "", verb))
    shell = _first(tools, _SHELLS)
    if shell is None:
        return None
    line = command.format(content=shlex.quote(task.content), path=shlex.quote(task.path))
    return Call(shell.name, _arguments(shell, task, line, verb))


_ROUNDS = (
    ((*_WRITERS, *_EDITORS), "printf '%s\\n' {content} > {path}", "create"),
    ((*_READERS, *_EDITORS[:2]), "cat {path}", "view"),
)
"""Names of tools that fit the round, the shell's command in place of them, the editor's verb."""


def _first(tools: Sequence[ToolOffer], names: Sequence[str]) -> ToolOffer | None:
    by_name = {_plain(tool.name): tool for tool in reversed(tools)}
    return next((by_name[name] for name in names if name in by_name), None)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def _arguments(tool: ToolOffer, task: Task, command: str, verb: str) -> dict[str, Any]:
    properties = tool.schema.get("properties") or {}
    wanted = {*(tool.schema.get("required") or properties)}
    fitting = _COMMANDS if command else (*_PATHS, *(_TEXTS if verb == "create" else ()))
    return {
        name: _argument(name, schema, task, command, verb)
        for name, schema in properties.items()
        if name in wanted or _plain(name) in fitting
    }


def _argument(name: str, schema: Any, task: Task, command: str, verb: str) -> Any:
    plain = _plain(name)
    is_list = isinstance(schema, Mapping) and schema.get("type") == "array"
    enum = schema.get("enum", ()) if isinstance(schema, Mapping) else ()
    if verb in enum:
        return verb
    if command and plain in _COMMANDS:
        return _command(plain, command, is_list)
    value = task.path if plain in _PATHS else task.content if plain in _TEXTS else None
    if value is None:
        return sample(schema, Words(task.file))
    return [_item(schema, value)] if is_list else value


def _command(name: str, command: str, is_list: bool) -> str | list[str]:
    """A list called "commands" holds lines; one called "command" holds a program's arguments."""
    if not is_list:
        return command
    return [command] if name == "commands" else ["bash", "-lc", command]


def _item(schema: Mapping[str, Any], value: str) -> Any:
    items = schema.get("items")
    if not isinstance(items, Mapping) or not items.get("properties"):
        return value
    return {
        name: value
        for name in items["properties"]
        if _plain(name) in _PATHS or name in items.get("required", ())
    }
