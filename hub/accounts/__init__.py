"""Who may sign in at the hub, and what they may do. Flask-Security does the work; its tables are in `hub.schema`."""

from datetime import datetime
from hashlib import sha256
from uuid import UUID, uuid4

from flask import Flask
from flask_security import Security, SQLAlchemySessionUserDatastore, hash_password
from flask_security.core import RoleMixin, UserMixin
from sqlalchemy import Connection, Engine
from sqlalchemy.orm import DeclarativeBase, relationship, scoped_session, sessionmaker

from hub import schema
from hub.accounts.permissions import may, needs
from hub.database import unheld
from hub.rules.roles import ADMIN, ROLES
from hub.store import staff

__all__ = ["add_admin", "is_taken", "may", "needs", "set_up_accounts"]


class Base(DeclarativeBase):
    """Maps onto the hub's own tables."""

    metadata = schema.metadata


class Role(Base, RoleMixin):
    """A named set of permissions. Which they are is said in `ROLES`, whatever the row says."""

    __table__ = schema.roles

    def get_permissions(self) -> set[str]:
        """What this role may do."""
        return set(ROLES.get(self.name, ()))


class User(Base, UserMixin):
    """Somebody of an institution's staff who may sign in."""

    __table__ = schema.users
    roles = relationship("Role", secondary=schema.roles_users)


def set_up_accounts(app: Flask, engine: Engine) -> None:
    """Give the app its sign-in and sign-out pages."""
    session = scoped_session(sessionmaker(unheld(engine)))
    app.config.update(
        SECURITY_PASSWORD_SALT=sha256(b"password salt" + app.config["SECRET_KEY"].encode()).hexdigest(),
        SECURITY_EMAIL_VALIDATOR_ARGS={"check_deliverability": False, "test_environment": True},
        SECURITY_LOGOUT_METHODS=["POST"],
        SECURITY_RETURN_GENERIC_RESPONSES=True,
        SECURITY_DEFAULT_REMEMBER_ME=False,
        # It would say `private=True, no-store=True`, which no browser knows; `ui.headers` says it rightly.
        SECURITY_CACHE_CONTROL={},
    )
    Security(app, SQLAlchemySessionUserDatastore(session, User, Role))
    app.jinja_env.globals["may"] = may

    @app.teardown_appcontext
    def give_the_connection_back(error: BaseException | None) -> None:
        session.remove()


def add_admin(conn: Connection, institution_id: UUID, email: str, password: str, now: datetime) -> None:
    """Add somebody who may do everything in an institution. Needs the app's context (it hashes the password)."""
    row = {
        "institution_id": institution_id,
        "email": email,
        "password": hash_password(password),
        "active": True,
        "fs_uniquifier": uuid4().hex,
        "create_datetime": now,
        "update_datetime": now,
    }
    staff.add(conn, row, ADMIN)


def is_taken(conn: Connection, email: str) -> bool:
    """Whether somebody signs in with this address already, at whatever institution."""
    return staff.find(conn, email) is not None
