"""A comment's Markdown as HTML."""

import pytest

from app.services.issues import comment_text

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
    "who was told": ("hi @Bob.", 'hi <b class="mention">@Bob</b>.'),
    "who was not": ("hi @property", "hi @property"),
    "a team that was told": ("hi #payments", 'hi <b class="mention">#payments</b>'),
    "a number": ("like #412, or #1", "like #412, or #1"),
    "an address of a person": ("hi @bob@example.org", '<b class="mention">@bob@example.org</b>'),
    "an address of nobody here": ("hi @ann@example.com", "<p>hi @ann@example.com</p>"),
    "a name in code": ("`@bob`", "<code>@bob</code>"),
    "a name in a block of code": ("```\n@bob\n```", "<code>@bob\n</code>"),
    "a name in a quote": ("> @bob said\n\nso", "<p>@bob said</p>"),
    "a name after a quote": ("> no\n\n@bob", '<b class="mention">@bob</b>'),
    "an address in a quote": (
        "> https://example.org/",
        f'<a href="https://example.org/" {REL}>https://example.org/</a>',
    ),
    "a name in a link": ("[@bob](https://example.org)", ">@bob</a>"),
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
    told = ("@bob", "@bob@example.org", "#payments")
    return lambda text: comment_text.as_html(text, told)


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_what_a_writer_means_is_shown(as_html, text, expected):
    assert expected in as_html(text)


@pytest.mark.parametrize("text", NEVER.values(), ids=NEVER)
def test_nothing_harmful_is_made_of_a_comment(as_html, text, parsed):
    made = parsed(as_html(text))
    assert not made.select("script, img, [hx-get], [onmouseover], iframe, style")
    for link in made.select("a"):
        assert link["href"].startswith(("https://", "http://", "mailto:"))
