import pytest

from poeflask.simulator.agent import Call, Task, find_task, next_call
from poeflask.simulator.query import ToolOffer

TASK = Task("hello.txt", "hi", "/w")


def offer(name, *required, **optional):
    """A tool that requires some arguments and takes others."""
    kinds = {"commands": "array", "edits": "array", "timeout": "integer"}
    properties = {key: {"type": kinds.get(key, "string")} for key in required}
    schema = {"type": "object", "properties": {**properties, **optional}}
    return ToolOffer(name, "", {**schema, "required": list(required)})


SHELL_WRITE = "printf '%s\\n' hi > /w/hello.txt"
VIEWER = ToolOffer(
    "str_replace_based_edit_tool",
    "",
    {
        "properties": {
            "command": {"enum": ["view", "create"]},
            "path": {"type": "string"},
            "file_text": {"type": "string"},
        },
        "required": ["command", "path"],
    },
)
ARGV = ToolOffer(
    "shell",
    "",
    {"properties": {"command": {"type": "array"}}, "required": ["command"]},
)


@pytest.mark.parametrize(
    ("tools", "write", "read"),
    [
        (
            [
                offer("Bash", "command"),
                offer("Write", "file_path", "content"),
                offer("Read", "file_path", limit={"type": "integer"}),
            ],
            Call("Write", {"file_path": "/w/hello.txt", "content": "hi"}),
            Call("Read", {"file_path": "/w/hello.txt"}),
        ),
        (
            [offer("write", "filePath", "content"), offer("read", "filePath")],
            Call("write", {"filePath": "/w/hello.txt", "content": "hi"}),
            Call("read", {"filePath": "/w/hello.txt"}),
        ),
        (
            [offer("exec_command", "cmd", timeout={"type": "integer"})],
            Call("exec_command", {"cmd": SHELL_WRITE}),
            Call("exec_command", {"cmd": "cat /w/hello.txt"}),
        ),
        (
            [ARGV],
            Call("shell", {"command": ["bash", "-lc", SHELL_WRITE]}),
            Call("shell", {"command": ["bash", "-lc", "cat /w/hello.txt"]}),
        ),
        (
            [offer("editor", "path", "new_text"), offer("run_commands", "commands")],
            Call("editor", {"path": "/w/hello.txt", "new_text": "hi"}),
            Call("run_commands", {"commands": ["cat /w/hello.txt"]}),
        ),
        (
            [VIEWER],
            Call(
                "str_replace_based_edit_tool",
                {"command": "create", "path": "/w/hello.txt", "file_text": "hi"},
            ),
            Call("str_replace_based_edit_tool", {"command": "view", "path": "/w/hello.txt"}),
        ),
    ],
    ids=["claude-code", "opencode", "codex", "codex-old", "cline", "anthropic-editor"],
)
def test_the_tools_of_common_agents_are_known(tools, write, read):
    """Write first, then read, each with the tool and arguments that the agent's client has."""
    assert write == next_call(TASK, tools, 0)
    assert read == next_call(TASK, tools, 1)
    assert next_call(TASK, tools, 2) is None


def test_unknown_tools_are_left_alone():
    """An agent without a tool that fits calls none."""
    assert next_call(TASK, [offer("get_weather", "city")], 0) is None


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("create a.txt with content 'hi there' and read it back", Task("a.txt", "hi there")),
        ("Create a file src/a.py containing the text hello.", Task("src/a.py", "hello")),
        ("Please write `x = 1` into b.py", Task("b.py", "x = 1")),
        ("make /tmp/c.md", Task("/tmp/c.md", "hello")),
        (
            "<system-reminder>never create README.md</system-reminder> create d.txt with 'q'",
            Task("d.txt", "q"),
        ),
        ("What is in a.txt?", None),
        ("create something nice", None),
    ],
)
def test_a_task_is_read_from_what_is_said(said, expected):
    """File and content are found in the usual ways of saying it."""
    assert expected == find_task(said)


def test_a_folder_that_is_named_is_surer_than_one_that_is_near():
    """A sentence about folders does not hide the line that says where the client is."""
    around = "To look around the current directory, read docs/commands first.\ncwd: `/home/me`\n"

    assert "/home/me/a.txt" == find_task("create a.txt", around).path


def test_escaped_quotes_are_quotes():
    """A client may hand on its command line as it was written."""
    assert "good morning" == find_task(r'"Create a.txt with the content \"good morning\"."').content


def test_the_folder_makes_the_path_whole():
    """A working directory named around the task stands in front of the file, unless it has one."""
    around = "Environment:\n  Primary working directory: /home/me/work\n"

    assert "/home/me/work/a.txt" == find_task("create ./a.txt", around).path
    assert "/tmp/a.txt" == find_task("create /tmp/a.txt", around).path
    assert "a.txt" == find_task("create a.txt").path
