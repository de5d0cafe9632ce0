"""Makes the standard library cooperative. Imported before anything else in tests and commands."""

from gevent import monkey

monkey.patch_all()
