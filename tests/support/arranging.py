"""The session with which tests arrange rows and look at them."""

from flask import Flask
from sqlalchemy.orm import Session


class ArrangingSession(Session):
    """Commits as the application would, which then wakes workers. After a commit everything is read anew."""

    app: Flask | None = None

    def commit(self) -> None:
        if self.app is None:
            super().commit()
        else:
            with self.app.app_context():
                super().commit()
