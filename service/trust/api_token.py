"""A bearer token of the API, as a setting tells of it: `token:role[:tenant[:name]]`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from service.trust.tenants import DEFAULT_TENANT

PERSON_LETTERS_MAX = 60  # it stands in a badge on the console

Role = Literal["viewer", "agent", "admin"]


class ApiToken(BaseModel):
    """One bearer token: what it may do, for which tenant, and whose it is if one's own."""

    model_config = ConfigDict(frozen=True)

    token: str = Field(repr=False)
    role: Role
    tenant: str = DEFAULT_TENANT
    name: str = ""


def parsed(text: str) -> ApiToken:
    """Read one token. Raises ValueError with what was expected."""
    parts = text.split(":")
    if len(parts) not in (2, 3, 4) or not all(parts):
        raise ValueError("expected token:role[:tenant[:name]]")
    token, role, tenant, name = [*parts, "", ""][:4]
    if role not in ("viewer", "agent", "admin"):
        raise ValueError("expected token:role[:tenant[:name]] with the role viewer, agent or admin")
    if len(name) > PERSON_LETTERS_MAX or not name.isprintable():
        raise ValueError(f"expected a name of at most {PERSON_LETTERS_MAX} printable letters")
    return ApiToken.model_construct(
        token=token, role=role, tenant=tenant or DEFAULT_TENANT, name=name
    )
