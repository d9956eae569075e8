"""How tokens for the API read (`web-api.md` 1). Their beginnings are known to scanners for secrets."""

import base64
import json
from datetime import datetime

OF_PERSON, OF_ORGANIZATION = "sntryu_", "sntrys_"
SECRET_BYTES = 32


def of_person(secret: bytes) -> str:
    return OF_PERSON + secret.hex()


def of_organization(secret: bytes, *, url: str, slug: str, at: datetime) -> str:
    """Says where it is good, and for which organization: sentry-cli asks for neither then."""
    told = {"iat": int(at.timestamp()), "url": url, "region_url": url, "org": slug}
    facts = base64.b64encode(json.dumps(told, separators=(",", ":")).encode()).decode()
    return f"{OF_ORGANIZATION}{facts}_{base64.b64encode(secret).decode().rstrip('=')}"
