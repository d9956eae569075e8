"""A comment's Markdown as HTML."""

import pytest

from app.models import User
from app.web.issues.comment_text import renderer

REL = 'rel="nofollow noopener noreferrer"'
CASES = {
    "emphasis": ("**a** *b* ~~c~~ `d`", "<strong>a</strong> <em>b</em> <s>c</s> <code>d</code>"),
    "line breaks": ("a\nb", "a<br />\nb"),
    "a list": ("- a", "<li>a</li>"),
    "a link": ("[a](https://example.org)", f'<a href="https://example.org" {REL}>a</a>'),
    "a bare address": (
        "see https://example.org/a?b=1, ok",
        f'<a href="https://example.org/a?b=1" {REL}>https://example.org/a?b=1</a>, ok',
    ),
    "an address in a link": ("[https://a.example](https://b.example)", f"{REL}>https://a.example</a>"),
    "an address in code": ("`https://a.example`", "<code>https://a.example</code>"),
    "a member": ("hi @bob.", 'hi <b class="mention">@bob</b>.'),
    "somebody unknown": ("hi @property", "hi @property"),
    "a team": ("hi #payments", 'hi <b class="mention">#payments</b>'),
    "an address of a person": ("hi @bob@example.org", '<b class="mention">@bob@example.org</b>'),
    "a name in code": ("`@bob`", "<code>@bob</code>"),
}
NEVER = {
    "markup": "<script>alert(1)</script>",
    "an attribute": '<b hx-get="/boom">x</b>',
    "a script's address": "[a](javascript:alert(1))",
    "a script's address, disguised": "[a](JaVaScRiPt&colon;alert(1))",
    "data": "[a](data:text/html;base64,xxxx)",
    "a file": "[a](file:///etc/passwd)",
    "a relative address": "[a](/settings/)",
    "an image": "![a](https://example.org/pixel.png)",
    "a broken attribute": '[a](https://example.org "x\\" onmouseover=alert(1)")',
    "an address with a quote": 'https://example.org/"onmouseover=alert(1)',
}


@pytest.fixture(scope="module")
def as_html():
    return renderer([User(handle="bob")])


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_what_a_writer_means_is_shown(as_html, text, expected):
    assert expected in as_html(text)


@pytest.mark.parametrize("text", NEVER.values(), ids=NEVER)
def test_nothing_harmful_is_made_of_a_comment(as_html, text, parsed):
    made = parsed(as_html(text))
    assert not made.select("script, img, [hx-get], [onmouseover], iframe, style")
    for link in made.select("a"):
        assert link["href"].startswith(("https://", "http://", "mailto:"))
