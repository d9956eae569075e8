"""What a mail says of the instance that sends it."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from app.domain.links import Links

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True)
class Site:
    """`token_keys` sign the links that need no password: the first signs, all are accepted.

    Replies go to addresses of `reply_domain`; without one they are not read.
    """

    url: str
    mail_domain: str
    token_keys: tuple[str, ...]
    reply_domain: str = ""

    @property
    def links(self) -> Links:
        return Links(self.url)

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def one_click(self) -> bool:
        """RFC 8058 wants https; a loopback address is where people try things out."""
        parts = urlsplit(self.url)
        return parts.scheme == "https" or parts.hostname in LOOPBACK
