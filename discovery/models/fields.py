"""Field types of the domain, with validation."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from discovery.domain.addresses import is_address


def json_default(value: Any) -> models.Value:
    """Return `value` as the database default of a jsonb column."""
    return models.Value(value, models.JSONField())


def validate_address(value: str) -> None:
    """Raise ValidationError unless `value` is the base58 text of 32 bytes."""
    if not is_address(value):
        raise ValidationError(
            "%(value)s is not a Solana address", params={"value": value}
        )


class AddressField(models.CharField):  # type: ignore[type-arg]  # generic only in the stubs
    """A base58 public key: a wallet, a mint or a pool."""

    default_validators = [validate_address]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 44)
        super().__init__(*args, **kwargs)


class UnitsField(models.DecimalField):  # type: ignore[type-arg]
    """Raw token units: an integer up to 2⁶⁴, stored as numeric(20,0)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_digits"] = 20
        kwargs["decimal_places"] = 0
        super().__init__(*args, **kwargs)
