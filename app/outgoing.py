"""What the settings say about calls to other servers, for jobs, pages and the API alike."""

from flask import current_app

from app.channels.http import VERSION, Http
from app.domain.outward import Allowed
from app.services.sealing import Seal


def seal() -> Seal:
    """Opens and closes the secrets of integrations."""
    return Seal(current_app.config["SETTINGS"].credential_keys)


def allowed() -> Allowed:
    """What may be called although it is private."""
    found: Allowed = current_app.config["SETTINGS"].outbound_allow
    return found


def client() -> Http:
    """A client of one's own: to be closed after use."""
    settings = current_app.config["SETTINGS"]
    agent = f"Tocsin/{VERSION} (+{settings.tocsin_url})"
    return Http(
        allowed=settings.outbound_allow,
        user_agent=agent,
        proxy=settings.outbound_proxy,
        bases=settings.service_addresses,
    )
