"""The commands of ``hub``, one file a subject; :mod:`hub.cli` names them and imports them when they are used."""
