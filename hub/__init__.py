"""The hub: webhooks and pixels in, one order each, every tool fed. ``hub/journey.py`` is the table of contents."""

from hub.connecting.old_paths import keep_old_paths

keep_old_paths()
