"""The admin page: for the person who runs poeflask, behind a password.

    parts.py        what the pages work with, made once by the app
    passwords.py    the one password; setup_links.py how the first one is set
    sessions.py     who is logged in; throttle.py how often a password may be guessed
    guard.py        no path under /admin answers without login; CSRF; security headers
    languages.py    the words of all pages: languages/<language>/<page>.json
    figures.py      what the overview draws of the ledger's sums
    assets.py       stylesheets, scripts and libraries, under addresses that change with them
    layout.py       the frame around every page
    routes.py       joins all of that into one blueprint; the list of pages
    key_forms.py    what the form of a gateway key says; key_rows.py how the table shows keys;
                    key_samples.py how a key is used
    pages/          one module for each page
    model_rows.py   models as lines of a table; model_forms.py as forms
    owner_list.py   the same for programs: GET /api/models

To add a page called "keys":

1. pages/keys.py holds `keys = Blueprint("keys", __name__)` and its views: `@keys.get("")` for
   /admin/keys itself, `@keys.post("/<id>/revoke")` and so on for what it does. A view ends with
   `return layout.page("admin/keys.html", title="keys.title", ...)`; `layout.fragment` gives a part
   of a page to htmx. What a view needs that the app makes is a field of `parts.Parts`, found by
   `parts.parts()`, or one of `web.services`.
2. templates/admin/keys.html begins with `{% extends "admin/frame.html" %}` and fills the block
   `main`. `t("keys.title")` is a text in the reader's language, `asset("js/keys.js")` the address
   of a file in static/, `csrf` what a form sends as the hidden field of that name (htmx sends it by
   itself). A script is an ES module, named in the block `scripts`; what it says comes from the
   texts that `layout.page(..., script_texts=("keys.script.",))` hands it.
3. languages/<each>/keys.json hold its words; `nav` is the one in the navigation. A test holds that
   all languages have the same ones.
4. routes.py lists `keys` in PAGES, in the order of the navigation.

Nothing else is needed: login, CSRF, headers, navigation and error pages hold for every page by
themselves, and the tests that walk the routes and look at pages with a browser find it. Names of
models and keys and recorded texts are hostile: templates escape them, scripts set `textContent`.
No page has code or styles in its own HTML; the browser refuses both.
"""
