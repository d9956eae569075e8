"""The words of HTML mail, in time that grows as the mail does."""

import pytest

from app.domain import html_words

CASES = {
    "what is quoted": (
        "<html><head><style>p{}</style></head><body><p>Yes,<br>it does &amp; did.</p>"
        '<div class="gmail_quote">On Monday … <blockquote><p>NEW shop</p></blockquote></div></body></html>',
        "Yes,\nit does & did.",
    ),
    "a quotation in a quotation": ("<p>Yes<blockquote>a<blockquote>b</blockquote>c</blockquote>!", "Yes!"),
    "a quotation that never ends": ("<p>Yes<blockquote>a<p>b", "Yes"),
    "a comment": ("Yes<!-- <p>no</p> -->!", "Yes!"),
    "a comment that never ends": ("Yes<!-- no", "Yes"),
    "a condition": ("Yes<![if !mso]>, it<![endif]> does", "Yes, it does"),
    "less than": ("1 < 2 &lt; 3", "1 < 2 < 3"),
    "a tag that never ends": ("Yes<p", "Yes"),
    "capitals": ("<P>Yes<BR>No</P>", "Yes\nNo"),
    "a link": ('<a href="https://example.org/?a=1&amp;b">here</a>', "here"),
    "nothing": ("", ""),
}


@pytest.mark.parametrize(("html", "words"), CASES.values(), ids=CASES)
def test_its_words_are_kept_without_what_it_quotes(html, words):
    assert html_words.words(html) == words


def test_no_more_is_read_than_a_person_writes():
    assert len(html_words.words("a" * 100_000)) == html_words.READ_AT_MOST
