"""The house keeps its order: floors, doors, names, and a test for every room.

Everything here is read from the source, not run. A rule that stands in the way of a better house is
changed here, in the open, with its reason.
"""

import ast
import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOUSE = ROOT / "poeflask"

TOP_LEVEL = {"setup.cfg", "wsgi.py", "poeflask", "tests", "deploy", "README.md"}
BESIDE = {
    *(
        "pyproject.toml",
        "Makefile",
        "LICENSE",
        "CHANGELOG.md",
        "requirements.lock",
        ".ci",
        "docs",
        "bench",
    ),
    *("Dockerfile", "compose.yaml", ".dockerignore", ".gitignore", ".git", "ruff.toml"),
}

FLOORS = {
    "core": 0,
    "setting_values": 0,
    "settings": 1,
    "shown_settings": 2,
    "threads": 0,
    "log_lines": 0,
    "patch": 0,
    "gunicorn_conf": 0,
    "vocabulary": 1,
    "filters": 1,
    "stores": 1,
    "dialect": 1,
    "poe": 2,
    "counting": 2,
    "embedder": 2,
    "simulator": 2,
    "relay": 2,
    "bridge": 3,
    "web": 4,
    "routes": 5,
    "admin": 5,
    "upstreams": 5,
    "app": 6,
    "commands": 7,
    "cli": 8,
    "wsgi": 7,
    "__main__": 9,
}
"""Each room's floor. A module imports its own room and lower floors, never a neighbour's room."""

READS_SETTINGS = {
    *("settings", "shown_settings", "web", "admin", "upstreams", "app", "commands", "cli"),
}

DOORS = {
    "flask": ["web/*", "endpoints/*/routes.py", "admin/*", "app.py", "simulator/*"],
    # The client, the adapter that it mounts, and what the faults of both mean.
    "requests": ["poe/client.py", "poe/connections.py", "poe/transport.py"],
    "sqlite3": ["stores/sqlite.py", "stores/sqlite_file.py"],
    "redis": ["stores/redis.py"],
    "gevent": [
        *("_patch.py", "gunicorn_conf.py", "counting.py", "cli.py", "bridge.py", "threads.py"),
        *("web/*", "poe/*", "stores/*", "simulator/*", "admin/*"),
    ],
    "prometheus_client": ["web/metrics.py"],
    "structlog": ["log_lines.py"],
    "opentelemetry": ["web/tracing.py"],
}
"""Libraries that only these files may import."""

CHANCE_AND_CLOCK = {
    "time": {"*"},
    "random": {"*"},
    "secrets": {"*"},
    "uuid": {"uuid1", "uuid4"},
    "datetime": {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"},
    "os": {"environ", "getenv", "urandom"},
}
"""What is asked of the world: module, and the names in it that are used."""

ASKS_THE_WORLD = [
    *("settings.py", "app.py", "cli.py", "gunicorn_conf.py", "commands/*"),
    *("web/*", "stores/*", "admin/*"),
]

PURE = [
    *("core/*", "filters/*", "poe/wire.py", "poe/faults.py", "poe/head.py"),
    *("poe/changes.py", "poe/models_schema.py", "poe/overrides.py"),
    *("poe/poe2openai.py", "poe/yaml_text.py"),
    *("endpoints/*/schema.py", "endpoints/*/decode.py", "endpoints/*/encode.py"),
]
IO = {
    *("os", "io", "pathlib", "shutil", "tempfile", "socket", "ssl", "select", "subprocess", "http"),
    *("multiprocessing", "asyncio", "time", "random", "secrets", "gevent", "flask"),
    *("requests", "urllib3", "sqlite3", "redis", "structlog", "logging"),
}
"""What pure code may not import at all."""

LATE_IMPORTS = {
    ("stores/__init__.py", "open_store"): "a tenth of a second, and most do without a Redis",
    ("stores/__init__.py", "open_contents"): "as above",
    ("commands/probes.py", "_eviction_findings"): "as above",
    ("upstreams.py", "_simulated"): "the simulator is heavy, and a service does without it",
    ("app.py", "_tracing"): "an extra that need not be installed",
    ("core/json_text.py", "repaired"): "a library of its own, for the few texts that are no JSON",
    ("poe/overrides.py", "_value"): "most have no models.yaml, and YAML is nearly a megabyte",
    ("poe/models_file.py", "edit"): "as above",
    ("poe/models_file.py", "_bounded"): "as above",
    ("filters/structured.py", "_schema"): "a megabyte, and few answers have to follow a schema",
    ("vocabulary/o200k.py", "load"): "only who counts needs what counts",
    ("endpoints/reference/routes.py", "openapi"): "most never ask for the description",
    ("commands/chat.py", "_client"): "the app is heavy and needs the patch before it",
    ("commands/poe_keys.py", "_keys"): "what speaks to Poe needs the patch before it",
    ("cli.py", "simulator"): "the simulator is heavy and needs the patch before it",
}
"""Imports inside functions: (file, function) and why."""

TESTED_ELSEWHERE = {
    "stores/base.py": "tests/stores/test_contract.py",
    "core/dialect.py": "tests/endpoints",
    "filters/base.py": "tests/filters",
    # A value with defaults and nothing else; what it is made of is tested with the bot.
    "core/profile.py": "tests/core/test_bot.py",
    # The table of bad files goes through all of its fields.
    "poe/models_schema.py": "tests/poe/test_overrides.py",
    # Only fields; the table of bad requests goes through all of them.
    "endpoints/chat/schema.py": "tests/endpoints/chat/test_decode.py",
}
"""Files without a test file of the same name, and what holds them to their word."""

TESTED_LIVE = "endpoints/*/routes.py"


@dataclass(frozen=True)
class Module:
    """One source file, by its path within the package ("../wsgi.py" for that)."""

    path: str

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree, made when it is wanted: every worker that collects tests comes here."""
        return ast.parse((HOUSE / self.path).read_text(encoding="utf-8"))

    @property
    def name(self) -> str:
        """The dotted name by which it is imported."""
        if self.path == "../wsgi.py":
            return "wsgi"
        parts = ["poeflask", *self.path.removesuffix(".py").split("/")]
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def read_house() -> dict[str, Module]:
    """Every module of the package and wsgi.py, by name."""
    modules = [Module(path.relative_to(HOUSE).as_posix()) for path in sorted(HOUSE.rglob("*.py"))]
    modules.append(Module("../wsgi.py"))
    return {module.name: module for module in modules}


MODULES = read_house()


def fits(path: str, patterns: list[str]) -> bool:
    """Whether one of the patterns is the path's; a star also covers folders."""
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)


def imports(module: Module) -> Iterator[tuple[str, int]]:
    """(dotted name, line) of all that is imported, wherever in the file it stands."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Import():
                for alias in node.names:
                    yield alias.name, node.lineno
            case ast.ImportFrom(module=str(start), level=0):
                for alias in node.names:
                    inner = f"{start}.{alias.name}"
                    yield (inner if inner in MODULES else start), node.lineno


def own_imports(module: Module) -> Iterator[tuple[Module, int]]:
    """(module, line) of the house's own modules that are imported."""
    for name, line in imports(module):
        if name in MODULES:
            yield MODULES[name], line


def room(module: Module) -> str:
    """The room that a module belongs to; a word of `FLOORS`, or the path if there is none."""
    path = module.path
    if path == "__init__.py":
        return "core"
    if path.startswith("endpoints/"):
        return "routes" if path.endswith("/routes.py") else "dialect"
    first = path.removeprefix("../").removesuffix(".py").split("/")[0]
    first = first if first in FLOORS else first.removeprefix("_")
    return first if first in FLOORS else path


def endpoint(module: Module) -> str:
    """The name of the endpoint that a module belongs to; empty if it belongs to none."""
    parts = module.path.split("/")
    return parts[1] if parts[0] == "endpoints" and len(parts) > 2 else ""


def told(faults: list[str]) -> str:
    """The faults, one a line, for a failing assertion."""
    return "\n" + "\n".join(faults)


def may_import(importer: Module, imported: Module) -> bool:
    """Whether the imported module stands lower, or in the same room."""
    if importer.path == "__init__.py" or imported.path == "__init__.py":
        return True
    if endpoint(importer) and endpoint(imported):
        return endpoint(importer) == endpoint(imported)
    if room(importer) == room(imported):
        return True
    return FLOORS[room(imported)] < FLOORS[room(importer)]


def test_the_top_level_is_as_it_is_told():
    """What must be there is there, and nothing lies beside it that nobody knows."""
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    present = {
        path.name
        for path in ROOT.iterdir()
        if not fits(path.name, [pattern.rstrip("/") for pattern in ignored])
    }

    assert set() == TOP_LEVEL - present, "these are missing"
    assert set() == present - TOP_LEVEL - BESIDE, "these belong elsewhere"
    assert (ROOT / "deploy" / "nginx.conf").is_file()
    assert (ROOT / "deploy" / "systemd").is_dir()


def test_every_module_has_a_floor():
    """A new room is given its floor in this file."""
    homeless = [module.path for module in MODULES.values() if room(module) not in FLOORS]

    assert [] == homeless, "give these a floor in FLOORS"


def test_imports_run_down_only():
    """No module imports a higher floor or a neighbour's room, and no endpoint another."""
    faults = [
        f"{importer.path}:{line} imports {imported.name}: {room(importer)} may import its own room "
        f"and floors below {FLOORS[room(importer)]}, {room(imported)} is on "
        f"{FLOORS[room(imported)]}"
        for importer in MODULES.values()
        for imported, line in own_imports(importer)
        if not may_import(importer, imported)
    ]

    assert not faults, told(faults)


def test_only_the_upper_floors_read_settings():
    """Parts get plain values in their constructors."""
    faults = [
        f"{importer.path}:{line} reads Settings: give it the values it needs in its constructor"
        for importer in MODULES.values()
        for imported, line in own_imports(importer)
        if imported.path == "settings.py" and room(importer) not in READS_SETTINGS
    ]

    assert not faults, told(faults)


def test_no_imports_go_in_circles():
    """Each module can be read after those it imports."""
    targets = {
        name: {imported.name for imported, _ in own_imports(module)} - {name}
        for name, module in MODULES.items()
    }
    while free := {name for name, wanted in targets.items() if not wanted & targets.keys()}:
        for name in free:
            del targets[name]

    assert {} == targets, "each of these imports another of these"


def test_libraries_come_in_by_their_own_door():
    """Flask, requests, databases and gevent are known to few."""
    faults = [
        f"{module.path}:{line} imports {name}: only {', '.join(DOORS[library])} may"
        for module in MODULES.values()
        for name, line in imports(module)
        if (library := name.split(".")[0]) in DOORS and not fits(module.path, DOORS[library])
    ]

    assert not faults, told(faults)


def test_pure_code_does_no_io():
    """What is pure imports nothing that reads, writes, waits or guesses."""
    faults = [
        f"{module.path}:{line} imports {name}: this file is pure; take what it gives as a value"
        for module in MODULES.values()
        if fits(module.path, PURE)
        for name, line in imports(module)
        if name.split(".")[0] in IO
    ]

    assert not faults, told(faults)


def test_clock_chance_and_environment_are_handed_in():
    """Elsewhere they are arguments, so that a test decides what time it is."""
    faults = [
        f"{module.path}:{line} uses {name}: take it as an argument of the constructor"
        for module in MODULES.values()
        if not fits(module.path, ASKS_THE_WORLD)
        for name, line in asked_of_the_world(module.tree)
    ]

    assert not faults, told(faults)


def asked_of_the_world(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """(name, line) of each use of clock, chance or environment, but for defaults of arguments."""
    names = _world_names(tree)
    defaults = {id(node) for node in _argument_defaults(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and id(node) not in defaults:
            name = _full_name(node, names)
            if name and _is_of_the_world(name):
                yield name, node.lineno


def _world_names(tree: ast.Module) -> dict[str, str]:
    """What the file calls these modules and their names: {"now": "time.time"}."""
    names = {}
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                names |= {alias.asname or alias.name: alias.name for alias in node.names}
            case ast.ImportFrom(module=str(start)):
                names |= {
                    alias.asname or alias.name: f"{start}.{alias.name}" for alias in node.names
                }
    return {name: full for name, full in names.items() if full.split(".")[0] in CHANCE_AND_CLOCK}


def _argument_defaults(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.arguments):
            yield from node.defaults
            yield from (default for default in node.kw_defaults if default is not None)


def _full_name(node: ast.expr, names: dict[str, str]) -> str:
    match node:
        case ast.Name(id=name):
            return names.get(name, "")
        case ast.Attribute(value=value, attr=attribute):
            start = _full_name(value, names)
            return f"{start}.{attribute}" if start else ""
    return ""


def _is_of_the_world(name: str) -> bool:
    module, _, rest = name.partition(".")
    wanted = CHANCE_AND_CLOCK[module]
    return bool(rest) and ("*" in wanted or rest in wanted)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import time\ntime.monotonic()", ["time.monotonic"]),
        ("from time import time as now\nnow()", ["time.time"]),
        ("import time\ndef f(clock=time.time): return clock()", []),
        ("import time\ndef f(*, clock=time.time): return clock()", []),
        ("import time\ndef f(at=time.time()): return at", ["time.time"]),
        ("import datetime\ndatetime.datetime.now()", ["datetime.datetime.now"]),
        ("from datetime import datetime\ndatetime.fromisoformat(x)", []),
        ("import uuid\nuuid.uuid5(a, b)", []),
        ("import uuid\nuuid.uuid4()", ["uuid.uuid4"]),
        ("import os\nos.environ['A']", ["os.environ"]),
        ("import os\nos.path.join(a)", []),
    ],
)
def test_the_rule_about_clock_and_chance_sees_what_it_should(source, found):
    """A default that hands in a clock is no use of it; a default that calls one is."""
    assert found == [name for name, _ in asked_of_the_world(ast.parse(source))]


def test_imports_name_the_whole_path():
    """A relative import would pass by every rule above."""
    relative = [
        f"{module.path}:{node.lineno} imports relatively: write out where it comes from"
        for module in MODULES.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]

    assert not relative, told(relative)


def test_imports_stand_at_the_top():
    """An import inside a function hides what a module needs; the few that must are listed."""
    found = {
        (module.path, node.name)
        for module in MODULES.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    }

    assert set() == found - LATE_IMPORTS.keys(), "move these imports to the top, or give a reason"
    assert set() == LATE_IMPORTS.keys() - found, "these need no exception any more"


def test_every_module_says_what_it_holds():
    """A file with anything in it opens with a sentence."""
    silent = [
        module.path
        for module in MODULES.values()
        if module.tree.body and not ast.get_docstring(module.tree)
    ]

    assert [] == silent, "begin these with a docstring"


def test_tests_mirror_the_code():
    """poeflask/a/b.py is tested by tests/a/test_b.py, or it is told by what else."""
    untested = [
        f"{module.path}: write {place_of_tests(module.path)}"
        for module in MODULES.values()
        if does_something(module) and not is_tested(module.path)
    ]

    assert not untested, told(untested)


def does_something(module: Module) -> bool:
    """Whether a file defines a function or a class; mere values and joints need no test."""
    defines = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return any(isinstance(node, defines) for node in ast.walk(module.tree))


def is_tested(path: str) -> bool:
    """Whether a test file of the same name, or what `TESTED_ELSEWHERE` names, is there."""
    elsewhere = TESTED_ELSEWHERE.get(path)
    if fits(path, [TESTED_LIVE]):
        return any((ROOT / place_of_tests(path)).parent.glob("test_*.py"))
    return (ROOT / (elsewhere or place_of_tests(path))).exists()


def place_of_tests(path: str) -> str:
    """Where the tests of a file stand; a package's own file is tested by test_init.py."""
    folder, _, name = path.removesuffix(".py").rpartition("/")
    return "/".join(filter(None, ["tests", folder, f"test_{name.strip('_')}.py"]))
