"""One folder per outside system. Nothing here is imported by name: :mod:`hub.connecting.registry` finds the folders."""
