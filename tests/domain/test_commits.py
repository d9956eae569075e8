"""How a commit is shown."""

import pytest

from app.domain import commits

SHA = "1f0c3aa" + "0" * 33


@pytest.mark.parametrize(
    ("repository", "provider", "page"),
    [
        ("https://git.example.org/acme/shop", "github", f"https://git.example.org/acme/shop/commit/{SHA}"),
        ("https://git.example.org/acme/shop/", "", f"https://git.example.org/acme/shop/commit/{SHA}"),
        ("https://git.example.org/acme/shop.git", "", f"https://git.example.org/acme/shop/commit/{SHA}"),
        ("https://git.example.org/shop", "gitlab", f"https://git.example.org/shop/-/commit/{SHA}"),
        ("https://git.example.org/shop", "bitbucket", f"https://git.example.org/shop/commits/{SHA}"),
        ("git@git.example.org:acme/shop", "", ""),
        ("javascript:alert(1)//", "", ""),
        ("", "github", ""),
    ],
)
def test_a_commit_has_a_page_where_its_repository_has_one(repository, provider, page):
    assert commits.page(repository, provider, SHA) == page


@pytest.mark.parametrize(
    ("message", "line"),
    [("Guard the cart\n\nLong story", "Guard the cart"), ("\n  Guard \n", "Guard"), ("", ""), (" \n", "")],
)
def test_its_title_is_the_first_line_that_says_something(message, line):
    assert commits.first_line(message) == line
    assert commits.short(SHA) == "1f0c3aa"
