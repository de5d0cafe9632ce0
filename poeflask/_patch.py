"""Makes the standard library cooperative. Imported before anything else in tests and commands."""

from gevent import events, monkey

# Or gevent looks for plugins in the metadata of every installed package, 25 times; there are none.
events.notify_and_call_entry_points = events.notify
monkey.patch_all()
