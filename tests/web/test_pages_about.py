from pathlib import Path

from shop import Shop
from visitors import Visitor

from hub.web.about import as_html, good_for, sections


def test_an_about_page_is_marked_up_and_everything_in_it_is_escaped() -> None:
    text = "One **bold** `code` and *slanted*.\n\n1. First\n   goes on\n2. [a link](https://example.com/?a=1&b=2)\n\n"
    text += "```json\n{ <b> }\n```\n\n### As a source\n\n- dot\n\n"
    made = as_html(text + "| a | b |\n|---|---|\n| `x` | <script>alert(1)</script> |")
    assert "<p>One <b>bold</b> <code>code</code> and <i>slanted</i>.</p>" in made
    assert "<ol><li>First goes on</li><li>" in made
    assert 'href="https://example.com/?a=1&amp;b=2"' in made
    assert "<pre>{ &lt;b&gt; }</pre>" in made
    assert "<h3>As a source</h3>" in made
    assert "<ul><li>dot</li></ul>" in made
    assert "<tr><td><code>x</code></td><td>&lt;script&gt;alert(1)&lt;/script&gt;</td></tr>" in made
    assert "---" not in made


def test_a_link_to_anything_but_a_page_stays_text() -> None:
    assert "<a " not in as_html("[x](javascript:alert(1)) [y](data:text/html,z) [w](//evil.example)")
    assert 'href="https://e.example/&#34;onclick="' in as_html('[z](https://e.example/"onclick=)')


def test_a_connector_with_two_roles_says_what_each_is_good_for(tmp_path: Path) -> None:
    (tmp_path / "about.en.md").write_text(
        "# It\n\n## What it does\n\nAs a source, takes things. And more.\n\nAs a destination, gives **things**. And more.\n\n"
        "## Set it up\n\n1. Do.\n"
    )
    assert good_for(tmp_path, "en", "source") == "As a source, takes things."
    assert good_for(tmp_path, "en", "destination") == "As a destination, gives things."
    assert good_for(tmp_path, "fr", "source") == ""
    assert list(sections(tmp_path, "en")) == ["What it does", "Set it up"]


def test_the_form_of_a_connector_has_its_about_page_beside_it(owner: Visitor) -> None:
    assert "<h2>Set it up</h2>" in owner.get("/connections/new/source/thinkific").text
    owner.post("/language", {"language": "fr"})
    assert "<h2>Mise en place</h2>" in owner.get("/connections/new/source/thinkific").text


def test_a_sources_light_shows_what_came_last(owner: Visitor, shop: Shop) -> None:
    assert "Waiting for its first message." in owner.get(f"/connections/{shop.source_id}").text
    message_id = shop.hit()
    light = owner.get(f"/connections/{shop.source_id}/light").text
    assert "<html" not in light
    assert "Purchase €49.99" in light
    assert f'href="/live/{message_id}"' in light
    shop.hit("email={{email}}&amount=5&currency=EUR")
    assert (
        "Placeholder not replaced. The page sent the template text itself"
        in owner.get(f"/connections/{shop.source_id}/light").text
    )
