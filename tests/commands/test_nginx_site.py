"""What would hurt poeflask behind nginx is found in nginx's configuration."""

from pathlib import Path

import pytest

from poeflask.commands.nginx_site import Needs, examined, read

SITE = (Path(__file__).parents[2] / "deploy" / "nginx.conf").read_text(encoding="utf-8")
NEEDS = Needs(
    addresses=("unix:/run/poeflask.sock", "127.0.0.1:8080"),
    max_request_bytes=64 * 2**20,
    idle_s=600,
    trusted_proxies=1,
)


def levels(text, needs=NEEDS):
    """(level, first word) of each finding."""
    return [(one.level, one.text.split()[0]) for one in examined(text, needs)]


def test_our_own_site_is_sound():
    """deploy/nginx.conf gives no cause for a remark."""
    assert [("ok", "its")] == levels(SITE)


def test_another_program_s_site_is_none_of_our_business():
    """Nothing is said of what does not lead to poeflask."""
    assert [] == levels("server { location / { proxy_pass http://127.0.0.1:9000; } }")


def test_a_site_of_three_lines_has_every_fault():
    """Nginx's defaults are for web pages, not for answers that take minutes."""
    site = """
    http { server { location / {
        proxy_pass http://127.0.0.1:8080/;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    } } }
    """

    assert [
        ("remark", "proxy_buffering"),
        ("fault", "proxy_read_timeout"),
        ("fault", "client_max_body_size"),
        ("remark", "proxy_next_upstream"),
        ("remark", "what"),
    ] == levels(site)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("proxy_read_timeout 620s;", []),
        ("proxy_read_timeout 11m;", []),
        ("proxy_read_timeout 600s;", [("fault", "proxy_read_timeout")]),
        ("proxy_read_timeout 60000ms;", [("fault", "proxy_read_timeout")]),
        ("client_max_body_size 0;", []),
        ("client_max_body_size 1g;", []),
        ("client_max_body_size 64m;", []),
        ("client_max_body_size 63M;", [("fault", "client_max_body_size")]),
        ("proxy_buffering on;", [("remark", "proxy_buffering")]),
    ],
)
def test_values_are_read_as_nginx_reads_them(line, found):
    """Units and zeros mean what they mean there; the inner block wins."""
    site = SITE.replace("location / {\n        proxy_pass", f"location / {{ {line} proxy_pass")

    assert found == [one for one in levels(site) if one[0] != "ok"]


def test_who_asks_is_not_believed_without_the_setting():
    """The site tells, and poeflask does not listen."""
    needs = Needs(NEEDS.addresses, NEEDS.max_request_bytes, NEEDS.idle_s, trusted_proxies=0)

    assert [("remark", "it")] == levels(SITE, needs)


def test_quotes_and_comments_are_no_directives():
    """Braces and semicolons inside them mean nothing."""
    top = read("a 'x;{' \"y}\"; # b {\nc { d e; }")

    assert {"a": ("x;{", "y}")} == top.said
    assert [("c",)] == [block.name for block in top.blocks]
    assert {"d": ("e",)} == top.blocks[0].said
