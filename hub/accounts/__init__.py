"""Who may sign in at the hub, and what they may do. Flask-Security does the work; its tables are in `hub.schema`."""

from datetime import datetime
from hashlib import sha256
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask import Flask
from flask_security import Security, SQLAlchemySessionUserDatastore, hash_password
from flask_security.core import RoleMixin, UserMixin
from sqlalchemy import Connection, Engine
from sqlalchemy.orm import DeclarativeBase, relationship, scoped_session, sessionmaker

from hub import schema
from hub.database import unheld

ADMIN = "admin"


class Base(DeclarativeBase):
    """Maps onto the hub's own tables."""

    metadata = schema.metadata


class Role(Base, RoleMixin):
    """A named set of permissions."""

    __table__ = schema.roles


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
    )
    Security(app, SQLAlchemySessionUserDatastore(session, User, Role))

    @app.teardown_appcontext
    def give_the_connection_back(error: BaseException | None) -> None:
        session.remove()


def add_admin(conn: Connection, institution_id: UUID, email: str, password: str, now: datetime) -> None:
    """Add somebody who may do everything in an institution. Needs the app's context (it hashes the password)."""
    role_id = conn.execute(sa.select(schema.roles.c.id).where(schema.roles.c.name == ADMIN)).scalar()
    if role_id is None:
        role_id = conn.execute(
            sa.insert(schema.roles).values(name=ADMIN, description="May do everything").returning(schema.roles.c.id)
        ).scalar_one()
    user_id = conn.execute(
        sa.insert(schema.users)
        .values(
            institution_id=institution_id,
            email=email,
            password=hash_password(password),
            active=True,
            fs_uniquifier=uuid4().hex,
            create_datetime=now,
            update_datetime=now,
        )
        .returning(schema.users.c.id)
    ).scalar_one()
    conn.execute(sa.insert(schema.roles_users).values(user_id=user_id, role_id=role_id))


def is_taken(conn: Connection, email: str) -> bool:
    """Whether somebody signs in with this address already, at whatever institution."""
    return bool(conn.execute(sa.select(sa.exists().where(schema.users.c.email == email))).scalar())
