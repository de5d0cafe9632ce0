"""Every setting, once: its name with the unit in it, where it comes from, its default, its meaning.

Settings come from the environment and from nowhere else. A new one is one field here: the README's
table and `poeflask settings` are made of these fields. The names of poe2openai (PORT, HOST,
LOG_LEVEL, CONFIG_DIR, MAX_REQUEST_SIZE, RATE_LIMIT_MS, URL_CACHE_TTL_SECONDS, URL_CACHE_SIZE_MB,
ADMIN_USERNAME, ADMIN_PASSWORD, POE_BASE_URL, POE_FILE_UPLOAD_URL) mean what they mean there, that
of OpenTelemetry (OTEL_EXPORTER_OTLP_ENDPOINT) what it means everywhere; every other variable begins
with POEFLASK_.

An unset and an empty variable are the same. A setting that may hold a password can also be read
from a file, named by the same variable with _FILE behind it; so are no file and an empty one.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from poeflask import setting_values as read
from poeflask.setting_values import KeyOfPoe, UnfitError

_T = TypeVar("_T")

ELSEWHERE = "https://your.proxy.example"
"""Stands for an address that only the proxy in front knows."""

NO_TRACING = (
    "OTEL_EXPORTER_OTLP_ENDPOINT is set, and what sends traces is not installed: "
    "pip install 'poeflask[otel]', or leave the variable unset."
)

Environ = Mapping[str, str]
When = Literal["boot", "live"]
Source = Literal["default", "environment", "file"]


class SettingsError(ValueError):
    """Variables hold what they cannot hold; `faults` has a sentence for each. No secret is told."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingRow:
    """One line of the table of settings.

    Attributes:
        name: the field of `Settings`.
        variable: the environment variable.
        default: the default as the README shows it, in Markdown.
        doc: what it means, in one sentence.
        when: "boot" if a change needs a restart, "live" if it does not.
        secret: whether the value may hold a password; `variable` + "_FILE" is read then too.
    """

    name: str
    variable: str
    default: str
    doc: str
    when: When
    secret: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    variable: str
    read: Callable[[str], Any]
    default: Callable[[Environ], Any]
    shown: str
    doc: str
    when: When
    secret: bool


def _setting(
    variable: str,
    read: Callable[[str], _T],
    default: str | Callable[[Environ], _T],
    doc: str,
    *,
    shown: str | None = None,
    when: When = "boot",
    secret: bool = False,
) -> _T:
    """A field of `Settings`, told as its variable.

    Args:
        variable: the environment variable's name.
        read: makes the value of the text; raises UnfitError.
        default: the default as a person would write it, or how it follows from the environment.
        doc: one sentence.
        shown: the default as the table shows it, where it is computed.
        when: see `SettingRow`.
        secret: see `SettingRow`.
    """
    compute = default if callable(default) else _constant(read(default))
    source = _Source(
        variable=variable,
        read=read,
        default=compute,
        shown=shown or (f"`{default}`" if default else "empty"),
        doc=doc,
        when=when,
        secret=secret,
    )
    made: _T = field(
        default_factory=lambda: compute(os.environ), repr=not secret, metadata={"source": source}
    )
    return made


def _constant(value: _T) -> Callable[[Environ], _T]:
    return lambda _environ: value


def _state_home(environ: Environ) -> Path:
    home = environ.get("XDG_STATE_HOME") or Path(environ.get("HOME") or "~") / ".local" / "state"
    return read.directory(str(Path(home) / "poeflask"))


def _cores(_environ: Environ) -> int:
    return len(os.sched_getaffinity(0))


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All that can be set, as plain values. Made by `from_environ`, or by hand in tests."""

    host: str = _setting(
        "HOST",
        read.host,
        "127.0.0.1",
        "The address to listen on, or `unix:` and the path of a socket.",
    )
    port: int = _setting("PORT", read.whole(1, 65535), "8080", "The TCP port to listen on.")
    workers: int = _setting(
        "POEFLASK_WORKERS",
        read.whole(1, 256),
        _cores,
        "The number of worker processes.",
        shown="the number of cores",
    )
    worker_connections: int = _setting(
        "POEFLASK_WORKER_CONNECTIONS",
        read.whole(1, 1_000_000),
        "4000",
        "The most connections that one worker holds at a time, idle ones counted.",
    )
    trusted_proxies: int = _setting(
        "POEFLASK_TRUSTED_PROXIES",
        read.whole(0, 16),
        "0",
        "How many proxies stand in front whose X-Forwarded headers are believed.",
    )
    cors_origins: tuple[str, ...] = _setting(
        "POEFLASK_CORS_ORIGINS",
        read.origins,
        "*",
        "The web origins whose pages may call the API, with commas between; `none` for none.",
    )
    drain_s: float = _setting(
        "POEFLASK_DRAIN_S",
        read.seconds(1),
        "60",
        "How long running answers may go on after a stop or a reload was asked for.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = _setting(
        "LOG_LEVEL",
        read.log_level,
        "info",
        "The least that is logged: debug, info, warning or error.",
    )
    log_format: Literal["console", "json"] = _setting(
        "POEFLASK_LOG_FORMAT",
        read.choice("console", "json"),
        "console",
        "How log lines are written: `console` for people, `json` for machines.",
    )
    state_dir: Path = _setting(  # noqa: RUF009 - a field, as all the others
        "CONFIG_DIR",
        read.directory,
        _state_home,
        "The folder that holds what must outlive a restart.",
        shown="`$XDG_STATE_HOME/poeflask` or `~/.local/state/poeflask`",
    )
    store_url: str = _setting(
        "POEFLASK_STORE_URL",
        read.store_url,
        "sqlite",
        "Where state is kept: `sqlite`, a file in the state folder that all workers share; a Redis "
        "or Valkey that several hosts share, as `redis://:password@host:6379/0`, `rediss://` with "
        "TLS, or `unix://:password@/path`; or `memory`, which each worker has for itself and "
        "forgets.",
        secret=True,
    )
    poe_base_url: str = _setting(
        "POE_BASE_URL", read.url, "https://api.poe.com", "Where Poe's API is."
    )
    poe_file_upload_url: str = _setting(
        "POE_FILE_UPLOAD_URL",
        read.url,
        "https://www.quora.com/poe_api/file_upload_3RD_PARTY_POST",
        "Where Poe takes uploads.",
    )
    poe_api_keys: tuple[KeyOfPoe, ...] = _setting(
        "POE_API_KEYS",
        read.keys_of_poe,
        "",
        "The Poe keys that pay for callers who bring none of Poe's, with commas or line ends "
        "between: `KEY`, `NAME:KEY`, `KEY*WEIGHT` or `NAME:KEY*WEIGHT`.",
        secret=True,
    )
    poe_api_key: tuple[KeyOfPoe, ...] = _setting(
        "POE_API_KEY",
        read.keys_of_poe,
        "",
        "The same, for who has only one; not read beside POE_API_KEYS.",
        secret=True,
    )
    poe_requests_per_minute: int = _setting(
        "POEFLASK_POE_REQUESTS_PER_MINUTE",
        read.whole(0, 1_000_000),
        "480",
        "How many queries one Poe key may send within a minute, over all workers; more wait their "
        "turn. Poe refuses more than 500. 0 for no bound.",
    )
    rate_limit_ms: int = _setting(
        "RATE_LIMIT_MS",
        read.whole(0, 3_600_000),
        "0",
        "The least time between two queries to Poe, in milliseconds, over all keys and workers; 0 "
        "for none.",
    )
    proxy_url: str = _setting(
        "POEFLASK_PROXY_URL",
        read.proxy_url,
        "",
        "The HTTP proxy on the way to Poe, password included; empty for none.",
        secret=True,
    )
    simulator: Literal["auto", "on", "off"] = _setting(
        "POEFLASK_SIMULATOR",
        read.choice("auto", "on", "off"),
        "auto",
        "Whether the key `demo` is answered by a Poe that runs here; `auto` means on while only "
        "this machine can reach poeflask.",
    )
    connect_timeout_s: float = _setting(
        "POEFLASK_CONNECT_TIMEOUT_S",
        read.seconds(0.1),
        "10",
        "How long connecting to Poe may take.",
    )
    first_event_wait_s: float = _setting(
        "POEFLASK_FIRST_EVENT_WAIT_S",
        read.seconds(0),
        "10",
        "How long a stream waits for Poe's first word, so that a failure still has its own status.",
    )
    heartbeat_s: float = _setting(
        "POEFLASK_HEARTBEAT_S",
        read.seconds(0),
        "15",
        "How often a silent stream says that it is alive; 0 for never.",
    )
    idle_timeout_s: float = _setting(
        "POEFLASK_IDLE_TIMEOUT_S",
        read.seconds(1),
        "600",
        "How long Poe may be silent within an answer.",
    )
    total_timeout_s: float = _setting(
        "POEFLASK_TOTAL_TIMEOUT_S",
        read.seconds(1),
        "3600",
        "How long an answer may take as a whole.",
    )
    tries: int = _setting(
        "POEFLASK_TRIES",
        read.whole(1, 10),
        "2",
        "How often Poe is asked at most; never again after the first word of an answer.",
    )
    retry_wait_max_s: float = _setting(
        "POEFLASK_RETRY_WAIT_MAX_S", read.seconds(0), "10", "The longest wait between two tries."
    )
    breaker_failures: int = _setting(
        "POEFLASK_BREAKER_FAILURES",
        read.whole(0, 1000),
        "5",
        "After how many failures in a row a bot is left alone for a while; 0 for never.",
    )
    setups: int = _setting(
        "POEFLASK_SETUPS",
        read.whole(1, 10_000),
        "32",
        "How many questions one worker makes and sends to Poe at once; more wait their turn, so "
        "that running answers do not falter.",
    )
    queue: int = _setting(
        "POEFLASK_QUEUE",
        read.whole(0, 1_000_000),
        "4000",
        "How many questions may wait for their turn in one worker; more are refused.",
    )
    queue_wait_s: float = _setting(
        "POEFLASK_QUEUE_WAIT_S",
        read.seconds(0.1),
        "30",
        "How long a question waits for its turn before it is refused.",
    )
    max_answers: int = _setting(
        "POEFLASK_MAX_ANSWERS",
        read.whole(1, 1_000_000),
        "4000",
        "How many answers one worker reads at once; more are refused with 503.",
    )
    max_request_bytes: int = _setting(
        "MAX_REQUEST_SIZE", read.size, "64MiB", "The largest request body that is taken."
    )
    body_timeout_s: float = _setting(
        "POEFLASK_BODY_TIMEOUT_S",
        read.seconds(0.1),
        "120",
        "How long a client may take to send a request's body.",
    )
    send_timeout_s: float = _setting(
        "POEFLASK_SEND_TIMEOUT_S",
        read.seconds(0.1),
        "60",
        "How long a client may read nothing of what is sent to it before its connection is cut; "
        "behind a proxy the proxy's own time holds.",
    )
    max_upload_bytes: int = _setting(
        "POEFLASK_MAX_UPLOAD_SIZE",
        read.size,
        "50MB",
        "The largest file that is sent on to Poe; as base64 it must fit into MAX_REQUEST_SIZE.",
    )
    upload_cache_ttl_s: float = _setting(
        "URL_CACHE_TTL_SECONDS",
        read.seconds(0),
        "259200",
        "How long the same file is not uploaded again.",
    )
    upload_cache_mb: int = _setting(
        "URL_CACHE_SIZE_MB",
        read.whole(0, 100_000),
        "100",
        "How many megabytes may be spent on remembering which files were uploaded; 0: none is.",
    )
    reattach_pictures: Literal["on", "off"] = _setting(
        "POEFLASK_REATTACH_PICTURES",
        read.choice("on", "off"),
        "on",
        "Whether pictures that the bot made go back to it with the next turn, so that it can edit "
        "them.",
    )
    moderation_bot: str = _setting(
        "POEFLASK_MODERATION_BOT",
        read.as_it_is,
        "",
        "The bot that judges for /v1/moderations; empty if none does.",
    )
    file_ttl_s: float = _setting(
        "POEFLASK_FILE_TTL_S",
        read.seconds(3600),
        "2592000",
        "How long files of /v1/files are kept at most.",
    )
    max_files_bytes_per_key: int = _setting(
        "POEFLASK_MAX_FILES_SIZE_PER_KEY",
        read.size,
        "512MiB",
        "How large all files of /v1/files of one key may be together.",
    )
    max_files_bytes: int = _setting(
        "POEFLASK_MAX_FILES_SIZE",
        read.size,
        "4GiB",
        "How large all files of /v1/files may be together, whosoever they are.",
    )
    catalogue_ttl_s: float = _setting(
        "POEFLASK_CATALOGUE_TTL_S",
        read.seconds(1),
        "3600",
        "How old the list of bots may be before Poe is asked for it again.",
    )
    skip_system_prompt: Literal["auto", "always", "never"] = _setting(
        "POEFLASK_SKIP_SYSTEM_PROMPT",
        read.choice("auto", "always", "never"),
        "auto",
        "Whether bots leave their own persona aside; `auto` means when a request brings a system "
        "prompt.",
    )
    tools_mode: Literal["auto", "native", "prompted"] = _setting(
        "POEFLASK_TOOLS_MODE",
        read.choice("auto", "native", "prompted"),
        "auto",
        "How tools reach a bot: `native`, `prompted` in words, or `auto`, as the bot can.",
    )

    keys: Literal["passthrough", "keys", "both"] = _setting(
        "POEFLASK_KEYS",
        read.choice("passthrough", "keys", "both"),
        "both",
        "Which keys are taken: `passthrough` Poe's, `keys` those that `poeflask keys` issues, or "
        "`both`.",
    )
    answer_tokens: int = _setting(
        "POEFLASK_ANSWER_TOKENS",
        read.whole(16, 1_000_000),
        "4096",
        "How many tokens are reserved for an answer, and end it, if a key has a limit on tokens or "
        "points and the client does not say how long the answer may be.",
    )
    points_per_usd: int = _setting(
        "POEFLASK_POINTS_PER_USD",
        read.whole(1, 10_000_000),
        "33333",
        "How many points a US dollar of Poe's list prices is, for budgets and estimates in points; "
        "Poe sells a million for 30.",
    )
    ledger: Literal["on", "off"] = _setting(
        "POEFLASK_LEDGER",
        read.choice("on", "off"),
        "on",
        "Whether a row is kept of each request for an answer: who, what, how much, how long; never "
        "what was said.",
    )
    ledger_ttl_s: float = _setting(
        "POEFLASK_LEDGER_TTL_S",
        read.seconds(60),
        "7776000",
        "How long the rows of the ledger are kept.",
    )
    ledger_sums_ttl_s: float = _setting(
        "POEFLASK_LEDGER_SUMS_TTL_S",
        read.seconds(3600),
        "34560000",
        "How long the ledger's sums by hour are kept.",
    )
    ledger_max_rows: int = _setting(
        "POEFLASK_LEDGER_MAX_ROWS",
        read.whole(1000),
        "500000",
        "How many rows of the ledger are kept at most; one takes about 600 bytes.",
    )
    recording_ttl_s: float = _setting(
        "POEFLASK_RECORDING_TTL_S",
        read.seconds(60),
        "604800",
        "How long the texts of keys that are recorded are kept.",
    )
    max_recordings: int = _setting(
        "POEFLASK_MAX_RECORDINGS",
        read.whole(1, 100_000),
        "500",
        "How many answers are kept as texts at most; one takes up to 128 KiB.",
    )
    metrics_token: str = _setting(
        "POEFLASK_METRICS_TOKEN",
        read.as_it_is,
        "",
        "Whoever sends this as a Bearer token may read /metrics from anywhere; if it is empty, "
        "only this machine may.",
        secret=True,
    )
    otlp_endpoint: str = _setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        read.otlp_endpoint,
        "",
        "Where traces go, such as `http://localhost:4318`; empty for nowhere. Needs "
        "`poeflask[otel]`.",
    )
    local_key: str = _setting(
        "POEFLASK_LOCAL_KEY",
        read.as_it_is,
        "",
        "The key for requests in Ollama's API that bring none, as most of its clients do; "
        "empty: they are refused.",
        secret=True,
    )
    local_key_for: Literal["local", "everyone"] = _setting(
        "POEFLASK_LOCAL_KEY_FOR",
        read.choice("local", "everyone"),
        "local",
        "Whom POEFLASK_LOCAL_KEY serves: `local` is nobody unless only this machine can reach "
        "poeflask, `everyone` is whoever reaches it, at your cost.",
    )

    admin: Literal["on", "off"] = _setting(
        "POEFLASK_ADMIN",
        read.choice("on", "off"),
        "on",
        "Whether there is a page for you at /admin.",
    )
    admin_username: str = _setting(
        "ADMIN_USERNAME", read.as_it_is, "admin", "The name with which one logs in at /admin."
    )
    admin_password: str = _setting(
        "ADMIN_PASSWORD",
        read.password,
        "",
        "The password of /admin; empty: it is set through the link that `poeflask serve` or "
        "`poeflask admin reset` prints.",
        secret=True,
    )

    @classmethod
    def from_environ(cls, environ: Environ) -> Settings:
        """Read every setting from the environment.

        Raises:
            SettingsError: with a sentence for each variable that does not fit, naming the
                variable, what it holds (never a secret) and what would be right.
        """
        values: dict[str, Any] = {}
        faults: list[str] = []
        for made in fields(cls):
            try:
                values[made.name] = _value(_source(made), environ)
            except SettingsError as error:
                faults.extend(error.faults)
        if faults:
            raise SettingsError(*faults)
        return cls(**values)

    @staticmethod
    def describe() -> tuple[SettingRow, ...]:
        """A row for each setting, in the order in which they are best read."""
        return tuple(_row(made) for made in fields(Settings))

    @staticmethod
    def sources(environ: Environ) -> dict[str, Source]:
        """Where each field's value comes from, by the field's name."""
        return {row.name: _whence(row, environ) for row in Settings.describe()}

    @property
    def keys_of_poe(self) -> tuple[KeyOfPoe, ...]:
        """The keys that pay for callers who bring none of Poe's."""
        return self.poe_api_keys or self.poe_api_key

    @property
    def listens_on_loopback(self) -> bool:
        """Whether only this machine can reach the address; false for a socket that a proxy uses."""
        if self.host == "localhost":
            return True
        return read.is_address(self.host) and ipaddress.ip_address(self.host).is_loopback

    @property
    def bind(self) -> str:
        """The address to listen on, as servers take it."""
        if self.host.startswith("unix:"):
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def local_url(self) -> str:
        """The address as a client on this machine writes it; of a socket, a proxy's to be named."""
        if self.host.startswith("unix:"):
            return ELSEWHERE
        if self.host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
            return f"http://127.0.0.1:{self.port}"
        return f"http://{self.bind}"

    @property
    def simulator_enabled(self) -> bool:
        """Whether the simulator answers: never by itself where strangers might reach it."""
        return self._only_this_machine if self.simulator == "auto" else self.simulator == "on"

    @property
    def demo_key_works(self) -> bool:
        """Whether the simulator answers whoever brings the key "demo"."""
        return self.simulator_enabled and self.keys != "keys"

    @property
    def key_of_local_requests(self) -> str:
        """The Poe key for requests in Ollama's API that bring none; empty if they are refused."""
        served = self._only_this_machine or self.local_key_for == "everyone"
        return self.local_key if served else ""

    @property
    def _only_this_machine(self) -> bool:
        return self.listens_on_loopback and not self.trusted_proxies


def unknown_variables(environ: Environ) -> tuple[str, ...]:
    """A sentence for each POEFLASK_ variable that nothing reads, so that a typo is seen."""
    known = {name for row in Settings.describe() for name in _variables(row)}
    strays = sorted(name for name in environ if name.startswith("POEFLASK_") and name not in known)
    return tuple(_stray_sentence(name, known) for name in strays)


def markdown_table() -> str:
    """The README's table of settings."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for row in Settings.describe():
        variable = ", ".join(f"`{name}`" for name in _variables(row))
        lines.append(f"| {variable} | {row.default} | {row.doc} |")
    return "\n".join(lines) + "\n"


def _source(made: Field[Any]) -> _Source:
    return cast("_Source", made.metadata["source"])


def _row(made: Field[Any]) -> SettingRow:
    source = _source(made)
    return SettingRow(
        name=made.name,
        variable=source.variable,
        default=source.shown,
        doc=source.doc,
        when=source.when,
        secret=source.secret,
    )


def _whence(row: SettingRow, environ: Environ) -> Source:
    if environ.get(row.variable, "").strip():
        return "environment"
    is_file = row.secret and environ.get(f"{row.variable}_FILE", "").strip()
    return "file" if is_file else "default"


def _variables(row: SettingRow) -> tuple[str, ...]:
    return (row.variable, f"{row.variable}_FILE") if row.secret else (row.variable,)


def _value(source: _Source, environ: Environ) -> Any:
    text = _given(source, environ)
    if not text:
        return source.default(environ)
    try:
        return source.read(text)
    except UnfitError as error:
        held = "a secret that does not fit" if source.secret else repr(text)
        raise SettingsError(f"{source.variable} holds {held}; it should be {error}.") from error


def _given(source: _Source, environ: Environ) -> str:
    """The text of the variable, or of the file that its _FILE twin names; empty if neither."""
    text = environ.get(source.variable, "").strip()
    path = environ.get(f"{source.variable}_FILE", "").strip() if source.secret else ""
    if not path:
        return text
    try:
        filed = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{source.variable}_FILE holds {path!r}; it should be a text file that can be read."
        ) from error
    if text and filed:
        raise SettingsError(
            f"{source.variable} and {source.variable}_FILE are both set; only one can be right."
        )
    return text or filed


def _stray_sentence(name: str, known: set[str]) -> str:
    endings = {other.removeprefix("POEFLASK_"): other for other in sorted(known)}
    near = difflib.get_close_matches(name.removeprefix("POEFLASK_"), endings, n=1, cutoff=0.75)
    meant = f"; perhaps {endings[near[0]]} is meant" if near else ""
    return f"{name} is not a setting of poeflask{meant}."
