"""Rules that compile late build the same addresses."""

from __future__ import annotations

import pytest
from flask import Flask, url_for
from werkzeug.routing import Rule

from poeflask.web.late_rules import LateRule


def test_nothing_is_compiled_before_an_address_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """And then once."""
    compiled = []
    compile_now = Rule._get_func_code
    monkeypatch.setattr(
        Rule,
        "_get_func_code",
        staticmethod(lambda *code: compiled.append(code) or compile_now(*code)),
    )
    app = Flask("small", static_folder=None)
    app.url_rule_class = LateRule
    app.add_url_rule("/a/<int:rule>/<name>", "it", defaults={"kind": "x y"})
    app.add_url_rule("/b", "other")
    before = list(compiled)
    with app.test_request_context():
        built = [url_for("it", rule=number, name="ü", more="&") for number in (7, 8)]

    assert [] == before
    assert ["/a/7/%C3%BC?more=%26", "/a/8/%C3%BC?more=%26"] == built
    assert 1 == len(compiled)
