"""What helps to write a connector. Nothing here is needed: a connector may do it its own way with ``hub.contract`` alone.

Docs: ``docs/connectors.md``. Import each tool from its own module, such as ``hub.toolkit.signing``.
"""
