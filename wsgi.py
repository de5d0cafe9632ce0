"""The app for a WSGI server of your own: `gunicorn --config poeflask/gunicorn_conf.py wsgi:app`."""

from poeflask import _patch  # noqa: F401 - the patch comes before every other import
from poeflask.app import create_app

app = create_app()
