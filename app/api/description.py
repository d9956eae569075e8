"""The description of this API, for programs; `/help/api/` shows it to people."""

from typing import Any

from flask import Response, current_app

from app.api.blueprint import Answer, bp
from app.api.describing import describes
from app.api.openapi import Document


@bp.get("/openapi.json")
@describes({200: dict[str, Any]})
def description() -> Answer:
    """This description, as OpenAPI 3.1.

    It is made from the code that answers the calls.
    """
    made: Document = current_app.extensions["tocsin_api"]
    return Response(made.encoded, mimetype="application/json")
