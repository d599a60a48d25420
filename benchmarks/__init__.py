"""How fast, how light. Run with ``make bench`` or ``python -m benchmarks``; README.md says what is measured and how."""
