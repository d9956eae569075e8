"""Flask's extensions, made once and bound to the application by `create_app`."""

from flask_limiter import Limiter
from flask_login import LoginManager
from flask_mail import Mail
from flask_migrate import Migrate
from flask_wtf import CSRFProtect

from app import visitors

login_manager = LoginManager()
csrf = CSRFProtect()
limiter = Limiter(visitors.address)
mail = Mail()
migrate = Migrate()
