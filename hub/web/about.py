"""A connector's own about page, on our pages: headings, paragraphs, lists, bold, code. Anything else is shown as text."""

from __future__ import annotations

import re
from pathlib import Path

from markupsafe import Markup, escape

Sections = dict[str, str]
"""The text under each second-level heading, in order."""


def sections(folder: Path, language: str) -> Sections:
    """The about page of the connector in ``folder``; empty when it has none in that language."""
    try:
        text = (folder / f"about.{language}.md").read_text(encoding="utf-8")
    except OSError:
        return {}
    parts = re.split(r"^## +(.+)$", text, flags=re.MULTILINE)
    return {title.strip(): body.strip() for title, body in zip(parts[1::2], parts[2::2], strict=True)}


def good_for(folder: Path, language: str, role: str) -> str:
    """What the connector does in that role, in one sentence: the first of its about page that is about it."""
    blocks = next(iter(sections(folder, language).values()), "").split("\n\n")
    about_role = re.compile(rf"\W*(as a|comme) {role}\b", re.IGNORECASE)
    first = next((block for block in blocks if about_role.match(block)), blocks[0])
    plain = re.sub(r"[*`_]|\[|\]\([^)]*\)", "", " ".join(first.split()))
    return re.split(r"(?<=[.!?]) (?=[A-ZÀ-Ý])", plain)[0].rstrip(":")


def as_html(text: str) -> Markup:
    """One section as HTML. Everything in it is escaped before it is marked up."""
    return Markup("\n").join(_block(block) for block in re.split(r"\n\s*\n", text) if block.strip())


def _block(block: str) -> Markup:
    numbered = re.match(r"\d+\. ", block)
    if numbered or block.startswith(("- ", "* ")):
        items = re.split(r"^(?:\d+\.|[-*]) +", block, flags=re.MULTILINE)[1:]
        inner = Markup("").join(Markup("<li>{}</li>").format(_line(item)) for item in items)
        return Markup("<ol>{}</ol>").format(inner) if numbered else Markup("<ul>{}</ul>").format(inner)
    if block.startswith("```"):
        return Markup("<pre>{}</pre>").format(re.sub(r"^```\w*\n|\n?```$", "", block.strip()))
    if block.startswith("### "):
        return Markup("<h3>{}</h3>").format(_line(block.removeprefix("### ")))
    if block.startswith("|"):
        return _table(block.splitlines())
    return Markup("<p>{}</p>").format(_line(block))


def _table(lines: list[str]) -> Markup:
    rows = [[_line(cell) for cell in line.strip().strip("|").split("|")] for line in lines]
    head, body = rows[0], [row for row in rows[1:] if any(set(cell) - set("-: ") for cell in row)]
    titles = Markup("").join(Markup('<th scope="col">{}</th>').format(cell) for cell in head)
    filled = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(cell) for cell in row))
        for row in body
    )
    return Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(titles, filled)


def _line(text: str) -> Markup:
    safe = str(escape(" ".join(text.split())))
    safe = re.sub(r"`([^`]+)`", r"<code>\1</code>", safe)
    safe = re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", safe)
    safe = re.sub(r"(?<![\w*])\*([^*\s][^*]*)\*", r"<i>\1</i>", safe)
    safe = re.sub(
        r"\[([^\]]+)\]\((https://[^)\s]+)\)", r'<a href="\2" rel="noreferrer noopener" target="_blank">\1</a>', safe
    )
    return Markup(safe)  # noqa: S704 - escaped above; only our own tags were added
