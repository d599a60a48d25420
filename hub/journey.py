"""THE TABLE OF CONTENTS: the seven steps of a hit, in order, each with its room and what it is given and gives.

Steps do not know each other. Who walks them: the doors (1 and 2, in the web process, before the 2xx), and three jobs of
the workers: hub/run/reader.py (3 to 5, one transaction for a batch), hub/run/asking.py beside it (what only the sender can
say, over the network), and hub/run/lanes.py (6 and 7, one lane a destination).
Any part may run twice or die in the middle: what is not committed is done again, what is committed is not done twice.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the journey. ``room`` is the module or package that does it, ``walked_by`` who calls it."""

    number: int
    name: str
    room: str
    given: str
    gives: str
    walked_by: str


JOURNEY = (
    # Is it genuine? Asked of the source's connector, so that nothing forged is acknowledged.
    Step(1, "verify", "hub.verify", "a request as it came", "its trust, or why it is refused", "hub.doors"),
    # Keep the raw bytes, once. Many requests share one commit; only after it they are answered with a 2xx.
    Step(2, "receive", "hub.receive", "a verified request", "a committed inbound row", "hub.doors"),
    # ── the 2xx, or the pixel's image, means: committed ──
    # What only the sender can say is asked beside the others, so that a slow one holds up nobody: what its message leaves
    # out (read back), and whether it is genuine where that cannot be seen without asking.
    Step(3, "ask", "hub.run.asking", "an inbound row that says too little", "the same row, answered", "hub.run.asking"),
    # What does it say? What cannot be read is parked with the reason, and can be replayed.
    Step(3, "normalize", "hub.normalize", "an inbound row", "conversions, or why there are none", "hub.run.reader"),
    # Whose is it, what for, which order? The ledger of signed money lines.
    Step(4, "attribute", "hub.attribute", "conversions", "contacts, orders, ledger; what changed", "hub.run.reader"),
    # Which destinations want it, and may have it? A delivery, or the reason why not.
    Step(5, "route", "hub.route", "what changed", "deliveries that wait", "hub.run.reader"),
    # ── deliveries committed ──
    # From a conversion to the fields of its destination.
    Step(6, "map", "hub.mapping", "a conversion and a mapping", "a record, or the field that fails", "hub.run.lanes"),
    # Call out, judge the answer, try again later.
    Step(7, "deliver", "hub.deliver", "records that are due", "an outcome for each", "hub.run.lanes"),
)
