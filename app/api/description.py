"""The description of this API, for programs; `/help/api/` shows it to people."""

from typing import Any

from flask import Response, current_app

from app.api.blueprint import Answer, bp
from app.api.describing import describes
from app.extensions import api_description


@bp.get("/openapi.json")
@describes({200: dict[str, Any]})
def description() -> Answer:
    """This description, as OpenAPI 3.1.

    It is made from the code that answers the calls.
    """
    return Response(api_description(current_app).encoded, mimetype="application/json")
