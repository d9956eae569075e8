"""Every mail over ordinary, hostile, right-to-left and missing data: both parts, short lines."""

import re
from dataclasses import replace

import pytest
from bs4 import Comment

from app.domain.excerpt import excerpt
from app.domain.kinds import KINDS, OUTWARD
from app.services.mails.mail_sample_list import SAMPLES
from app.services.mails.mail_sample_texts import TEXTS
from tests.messages.samples import EVERY, IN_THREAD, LETTERS, composed

ids = [f"{name}-{texts}" for name, texts in EVERY]
every_mail = pytest.mark.parametrize(("name", "texts"), EVERY, ids=ids)


@every_mail
def test_a_message_is_well_formed_and_small(name, texts):
    made = composed(name, texts)
    lines = made.raw.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert b"\n" not in made.raw.replace(b"\r\n", b"")
    assert len(made.raw) < 80 * 1024
    assert len([line for line in lines if line.lower().startswith(b"message-id:")]) == 1
    assert not made.message.defects
    assert made.message["Bcc"] is None
    assert len(made.message["Subject"]) <= 200
    assert made.message["Subject"].strip()


@every_mail
def test_the_html_holds_nothing_but_what_we_wrote(name, texts):
    page = composed(name, texts).page
    assert len(page.find_all("h1")) == 1
    assert page.title.text.strip()
    assert not page.find_all(["img", "script", "link", "iframe", "form", "svg", "input", "base"])
    assert len(page.find_all("meta")) == 5
    assert not [
        tag for tag in page.find_all(True) if any(name.startswith(("hx-", "on")) for name in tag.attrs)
    ]
    assert len(page.find_all("style")) == 1
    assert {
        str(each).partition(">")[0] for each in page.find_all(string=lambda text: isinstance(text, Comment))
    } <= {
        "[if mso]",
    }


@every_mail
def test_every_link_is_absolute_and_safe(name, texts):
    made = composed(name, texts)
    links = [link["href"] for link in made.page.find_all("a")]
    assert links
    assert [link for link in links if not link.startswith("https://")] == []
    assert "http://" not in made.mail.text
    assert all(link in made.mail.text for link in links)


@every_mail
def test_nothing_is_left_to_be_filled_in(name, texts):
    made = composed(name, texts)
    for part in (made.mail.subject, made.mail.text, made.mail.html, str(made.mail.headers)):
        assert not re.search(r"Q[0-9A-F]{16}[A-Z]+Q", part)
        assert "Undefined" not in part
    assert "None" not in made.mail.text


@every_mail
def test_no_one_steers_the_readers_screen(name, texts):
    """Terminals obey control characters, and direction overrides turn what stands around them."""
    made = composed(name, texts)
    for part in (made.mail.text, made.mail.html):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", part)


@every_mail
def test_the_preview_begins_with_the_state_and_has_the_right_length(name, texts):
    made = composed(name, texts)
    assert 40 <= len(made.preheader) <= 90
    if texts == "typical" and name not in LETTERS and not name.startswith(("digest", "deploy")):
        state = re.split(r"  |\n", made.mail.text)[0]
        assert made.preheader.upper().startswith(state)


@every_mail
def test_the_text_has_72_columns_where_the_words_are_ours(name, texts):
    footer = composed(name, "typical" if texts == "hostile" else texts).mail.text.partition("\n-- \n")[2]
    assert [line for line in footer.splitlines() if len(line) > 90 and "https://" not in line] == []


@pytest.mark.parametrize("texts", ["typical", "right to left", "empty"])
@pytest.mark.parametrize("name", SAMPLES)
def test_both_parts_say_the_same_in_the_same_order(name, texts):
    made = composed(name, texts)
    page = made.page
    for gone in page.find_all(["style", "title"]) + page.find_all(class_="preheader"):
        gone.decompose()
    for shape in page.find_all(attrs={"aria-hidden": "true"}):
        shape.decompose()
    at, said = 0, words(made.mail.text)
    for word in words(page.get_text(" ")):
        assert word in said[at:], f"{word!r} is not said in the text part, or not here"
        at += said[at:].index(word) + 1


def words(text: str) -> list[str]:
    """Without addresses, and without what a layout adds: heads of tables, marks of lists, capitals."""
    plain = re.sub(r"https?://\S+|[·`>:“”]|What happened|\bSeen\b|who was told|Who was told", " ", text)
    return plain.upper().split()


def test_every_kind_of_message_to_people_is_in_the_gallery():
    kinds = {dict(composed(name).mail.headers)["X-Tocsin-Kind"] for name in SAMPLES}
    assert kinds == {name for name, kind in KINDS.items() if kind.category != OUTWARD}


@pytest.mark.parametrize("name", IN_THREAD)
def test_a_mail_says_why_and_hands_over_the_switch(name):
    text = composed(name).mail.text
    assert "You're getting this because" in text
    assert "Unsubscribe from this issue: https://tocsin.example.com/u/" in text
    assert "Who else was told, and why: https://tocsin.example.com/notices/" in text
    assert "times are Europe/Paris" in text


def test_an_event_cannot_have_a_signed_link_put_where_it_likes():
    made = composed("alert-new", "hostile")
    assert made.mail.html.count("/u/") == 2


def test_what_is_too_long_is_cut_and_said_to_be():
    alert, comment = composed("alert-new", "hostile"), composed("comment", "hostile")
    assert "… 9,500 more characters" in " ".join(alert.mail.text.replace("  | ", "").split())
    assert "more frames" in alert.mail.text
    assert "more characters" in comment.mail.text
    assert "and 17 more" in composed("digest-age").mail.text


def test_a_mail_shrinks_until_it_fits(monkeypatch):
    monkeypatch.setattr("app.services.mails.composing.LARGEST", 20_000)
    tight = composed.__wrapped__("alert-new", "hostile")
    assert len(tight.raw) < len(composed("alert-new", "hostile").raw)
    assert "renderTotals" not in tight.mail.text


def test_a_comment_keeps_its_layout_and_gets_its_links():
    made = composed("comment")
    quoted = made.page.find(class_="quoted")
    assert quoted.find("pre").text.strip() == "return cart.total.amount"
    assert quoted.find("a")["href"] == "https://wiki.example.com/totals"
    assert quoted.find("b", class_="mention").text == "@priya"
    assert "      return cart.total.amount" in made.mail.text


def test_the_style_block_is_small_enough_for_gmail():
    assert len(composed("alert-new").page.style.text) < 4096


def test_colours_are_never_pure_black_or_white_on_it():
    html = composed("alert-new").mail.html.upper()
    assert "#000000" not in html
    assert 'BGCOLOR="#FFFFFF"' not in html


FORGED = "Unsubscribe from this issue: https://evil.example/u/1"
LINE_ENDS = ["\n", "\r\n", "\x0b", "\x85", "\u2028"]


@pytest.mark.parametrize("end", LINE_ENDS, ids=ascii)
@pytest.mark.parametrize("name", IN_THREAD + [each for each in SAMPLES if each.startswith("digest")])
def test_what_a_program_sent_is_never_a_line_of_its_own(name, end, monkeypatch):
    forged = f"{end}{end}-- {end}{FORGED}{end}"
    typical = TEXTS["typical"]
    texts = replace(
        typical,
        title=f"KeyError{forged}",
        culprit=f"cart{forged}",
        message=f"no cart{forged}",
        release=f"4{forged}",
        environment=f"prod{forged}",
        commit=f"Fix{forged}",
    )
    monkeypatch.setitem(TEXTS, "forged", texts)
    lines = composed.__wrapped__(name, "forged").mail.text.splitlines()
    assert not [line for line in lines if line.strip().startswith((FORGED, "-- "))]
    assert lines.count("--") + lines.count("-- ") <= 1


def test_a_forged_frame_stays_one_line():
    frame = {"filename": f"a.py\n{FORGED}", "function": f"f\n{FORGED}", "context_line": f"x\n{FORGED}"}
    made = excerpt({"exception": [{"value": "v", "stacktrace": {"frames": [{**frame, "in_app": True}]}}]})
    [shown] = made.frames
    assert not [part for part in (shown.place, shown.function, shown.code) if "\n" in part]
