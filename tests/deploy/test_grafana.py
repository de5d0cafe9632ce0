"""The dashboard shows what there is, and all of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from poeflask.core.ledger_row import OK
from poeflask.web.metrics import GAP_BOUNDS_S, Metrics
from tests.core.ledger_rows import ROW

DASHBOARD = Path(__file__).parents[2] / "deploy" / "grafana.json"
_METRIC = re.compile(r"\bpoeflask_[a-z_]+")
_LABELS = re.compile(r"by \(([^)]*)\)|\{\{(\w+)\}\}")


@pytest.fixture(scope="module")
def panels() -> list[dict[str, Any]]:
    """The dashboard's panels."""
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return found


@pytest.fixture(scope="module")
def samples() -> dict[str, set[str]]:
    """The names of all samples that poeflask gives, and the labels of each."""
    metrics = Metrics()
    metrics.requested("chat", OK)
    metrics.requested("chat", "busy")
    row = replace(ROW, points=1.0, first_token_s=0.1)
    metrics.answered(row, "Echo", [1] * (len(GAP_BOUNDS_S) + 1), 1.0)
    metrics.store_used("get", 0.1, failed=True)
    metrics.look_around(idle=1, busy=1)
    found: dict[str, set[str]] = {}
    for line in metrics.text().decode().splitlines():
        name, _, rest = line.partition("{")
        if not line.startswith("#"):
            labels = set(re.findall(r"(\w+)=", rest))
            found.setdefault(name.split(" ")[0], set()).update(labels)
    return found


def expressions(panels: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Each panel's queries, with the names of their lines."""
    return [
        (target["expr"], target["legendFormat"]) for panel in panels for target in panel["targets"]
    ]


def test_every_metric_that_is_shown_is_there(
    panels: list[dict[str, Any]], samples: dict[str, set[str]]
) -> None:
    """And has the labels by which it is told apart."""
    for expression, legend in expressions(panels):
        (name, *_) = _METRIC.findall(expression)
        used = {
            label.strip()
            for grouped, shown in _LABELS.findall(f"{expression} {legend}")
            for label in (grouped or shown).split(",")
        }

        assert set() == set(_METRIC.findall(expression)) - samples.keys()
        assert set() == used - samples[name], expression


def test_every_metric_that_is_there_is_shown(
    panels: list[dict[str, Any]], samples: dict[str, set[str]]
) -> None:
    """Nothing is measured that nobody looks at."""
    shown = {name for expression, _ in expressions(panels) for name in _METRIC.findall(expression)}
    families = {
        re.sub(r"_(bucket|count|sum|created)$", "", name)
        for name in samples
        if not name.endswith("_created")
    }

    assert set() == families - {name.removesuffix("_bucket") for name in shown}


def test_panels_do_not_overlap(panels: list[dict[str, Any]]) -> None:
    """Each has a place, a number and a title of its own."""
    cells = [
        (column, row)
        for place in (panel["gridPos"] for panel in panels)
        for column in range(place["x"], place["x"] + place["w"])
        for row in range(place["y"], place["y"] + place["h"])
    ]

    assert len(cells) == len(set(cells))
    assert max(column for column, _ in cells) < 24
    assert len(panels) == len({panel["id"] for panel in panels})
    assert len(panels) == len({panel["title"] for panel in panels})
