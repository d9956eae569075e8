"""What is left of an answer once the quotation is gone."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import reply_text

TRACEBACK = """This is it:

    Traceback (most recent call last):
      File "cart.py", line 3, in total
        raise KeyError("cart")

It only happens to guests."""

QUOTED = "> ———— reply above this line ————\n> NEW shop\n> KeyError: cart\n"
ENDINGS = {
    "our delimiter": f"\n\n{QUOTED}",
    "Gmail": f"\n\nOn Mon, Nov 23, 2026 at 9:14 AM Tocsin <a@example.org> wrote:\n\n{QUOTED}",
    "Gmail, wrapped": "\n\nOn Mon, Nov 23, 2026 at 9:14 AM Tocsin <a@example.org>\nwrote:\n\n> NEW shop\n",
    "Outlook": "\n\nFrom: Tocsin <a@example.org>\nSent: Monday, November 23, 2026 9:14 AM\n"
    "To: Bob\nSubject: SHOP-1 - KeyError\n\nNEW shop\n",
    "Apple Mail": "\n\nOn 23 Nov 2026, at 09:14, Tocsin <a@example.org> wrote:\n\n> NEW shop\n",
    "German": "\n\nAm Mo., 23. Nov. 2026 um 09:14 Uhr schrieb Tocsin <a@example.org>:\n> NEW shop\n",
    "French": "\n\nLe lun. 23 nov. 2026 à 09:14, Tocsin <a@example.org> a écrit :\n> NEW shop\n",
    "a signature": "\n\n-- \nBob\nExample Ltd\n",
    "a telephone": "\n\nSent from my iPhone\n",
    "nothing": "",
}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS.keys())
@pytest.mark.parametrize("said", ["Yes, it does.", TRACEBACK], ids=["a line", "a traceback"])
def test_only_what_was_written_above_is_kept_as_it_was_written(said, ending):
    assert reply_text.reply(said + ending) == said


def test_windows_line_ends_are_nothing_special():
    assert reply_text.reply("Yes.\r\n\r\n" + QUOTED.replace("\n", "\r\n")) == "Yes."


def test_a_message_that_is_all_quotation_is_kept_whole():
    assert reply_text.reply("> NEW shop\n> KeyError") == "> NEW shop\n> KeyError"


def test_nothing_stays_nothing():
    assert reply_text.reply("") == ""
    assert reply_text.reply(QUOTED) == ""


def test_a_long_answer_keeps_its_end():
    lines = "\n".join(f"line {number}" for number in range(400))
    assert reply_text.reply(lines) == lines


def test_it_is_cut_to_what_a_comment_can_hold():
    assert len(reply_text.reply("word " * 4000)) == reply_text.LONGEST


HOSTILE = ["On ", "\n", "> ", "From: ", "wrote:", " ", "—", "On a\n", "\n\n \n", "-----\n", "Am x schrieb\n"]


@pytest.mark.parametrize("piece", HOSTILE)
def test_no_text_keeps_a_worker_busy(piece):
    began = time.process_time()
    reply_text.reply(piece * (20_000 // len(piece)))
    assert time.process_time() - began < 5  # minutes, where the parser gets all of it


@given(st.text(alphabet="abn> \n—:-", max_size=400))
def test_whatever_is_kept_stood_in_the_message(text):
    kept = reply_text.reply(text)
    normal = text.replace("\r\n", "\n").replace("\r", "\n")
    assert kept in normal
