"""``python -m hub``: the ``hub`` command."""

from hub.cli import main

main(prog_name="hub")
