"""The WSGI application `app`: ingest in front, Flask behind. `python wsgi.py` serves it."""

from app import create_app, memory
from app.ingest import middleware

flask_app = create_app()
app = middleware.wrap(flask_app)
memory.settle()

if __name__ == "__main__":
    from app.serve import (
        main,
    )  # Another server than granian may import `app`, and need not have it installed.

    main(flask_app, app)
