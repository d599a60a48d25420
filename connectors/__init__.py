"""One folder per outside system. Nothing here is imported by name: :mod:`hub.registry` finds the folders."""
