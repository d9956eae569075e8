"""How a commit is shown: its short name, the first line of its message, its page at the provider."""

SHORT = 7
# Where a provider shows a commit, below the repository's own address.
_PAGES = {"gitlab": "/-/commit/", "bitbucket": "/commits/"}
_PAGE = "/commit/"


def short(sha: str) -> str:
    return sha[:SHORT]


def first_line(message: str) -> str:
    return next((line.strip() for line in message.splitlines() if line.strip()), "")


def is_web(url: str) -> bool:
    """Whether it can be opened in a browser, and can do nothing else there."""
    return url.lower().startswith(("https://", "http://")) and url.isprintable()


def page(repository_url: str, provider: str, sha: str) -> str:
    """The address of a commit; empty where the repository has none that one can open."""
    if not is_web(repository_url):
        return ""
    return repository_url.rstrip("/").removesuffix(".git") + _PAGES.get(provider, _PAGE) + sha
