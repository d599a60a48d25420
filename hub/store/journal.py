"""Who asked to be left alone, kept beside the backups: a restore of an older state must not forget them.

One JSON object a line, only ever added to, on disk before the request is acknowledged. It holds keyed hashes, never an
address. Each host writes a file of its own; all files in the folder are read. A line's ``reason`` is that of the
suppression ("unsubscribed"; "erased" for who was erased), so an erasure is a line like any other.
"""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

log = logging.getLogger(__name__)

PATTERN = "left-alone.*.jsonl"


class LeftAlone(msgspec.Struct, frozen=True):
    """One person who asked. ``email_hash`` is keyed (:func:`hub.connecting.vault.keyed_hash`), ``at`` aware."""

    workspace_id: str
    email_hash: str
    reason: str
    at: datetime


def append(folder: Path, entries: Iterable[LeftAlone]) -> None:
    """Add ``entries`` to this host's file, and wait until they are on disk. Raises OSError."""
    lines = b"".join(_WRITE.encode(entry) + b"\n" for entry in entries)
    if not lines:
        return
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / PATTERN.replace("*", platform.node().replace(os.sep, "_") or "host")
    is_new = not file.exists()
    opened = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(opened).st_size
        torn = size and os.pread(opened, 1, size - 1) != b"\n"  # its writer died in the middle of a line
        os.write(opened, b"\n" + lines if torn else lines)
        os.fsync(opened)
    finally:
        os.close(opened)
    if is_new:
        flush_folder(folder)


def note(folder: Path, entry: LeftAlone) -> None:
    """As :func:`append` of one. Where the folder cannot be written to, that is logged: the request itself must go on."""
    try:
        append(folder, [entry])
    except OSError:
        log.exception(
            "an opt-out could not be written to %s: a restore of a lost database would not know of it", folder
        )


def read(folder: Path) -> list[LeftAlone]:
    """All that was ever written, in the order of time. A line that is torn says nothing."""
    found = []
    for file in sorted(folder.glob(PATTERN)):
        for line in file.read_bytes().splitlines():
            try:
                found.append(_READ.decode(line))
            except msgspec.MsgspecError:
                if line:
                    log.warning("a line of %s cannot be read: %r", file, line[:80])
    return sorted(found, key=lambda entry: entry.at)


def complete(folder: Path, entries: Sequence[LeftAlone]) -> None:
    """Add those of ``entries`` that no file has yet: what was asked for before there was a journal."""
    known = {(entry.workspace_id, entry.email_hash, entry.reason) for entry in read(folder)}
    append(folder, [one for one in entries if (one.workspace_id, one.email_hash, one.reason) not in known])


def flush_folder(folder: Path) -> None:
    """The names in ``folder`` are on disk, too."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


_WRITE = msgspec.json.Encoder()
_READ = msgspec.json.Decoder(LeftAlone)
