"""Columns of the run parameters, built from their specs for the configuration and for
the runs.
"""

from typing import Any

from django.db import models

from discovery.domain.run_params import PARAM_SPECS, Params, ParamSpec
from discovery.models.fields import json_default


class ParamColumns(models.Model):
    """A row that stores the parameters of a run."""

    class Meta:
        abstract = True

    @property
    def params(self) -> Params:
        """The parameters of this row. A null of a row that is older than the parameter
        is read as the default.
        """
        values = {
            name: _param_value(spec, getattr(self, name))
            for name, spec in PARAM_SPECS.items()
        }
        return Params(**values)


def _param_value(spec: ParamSpec, stored: Any) -> Any:
    if stored is None and not spec.is_optional:
        return spec.default
    if spec.kind == "flags":
        return tuple(stored)
    return stored


def param_values(params: Params) -> dict[str, Any]:
    """Return the values of the columns that store `params`, by column. Each parameter
    has the column of its name.
    """
    return {name: column_value(getattr(params, name)) for name in PARAM_SPECS}


def column_value(value: Any) -> Any:
    """Return the value of the column that stores the value of a parameter: a list in
    place of a tuple, because flags are stored as JSON.
    """
    if isinstance(value, tuple):
        return list(value)
    return value


class ConfigParamColumns(ParamColumns):
    """The columns of the configuration, each with a default."""

    class Meta:
        abstract = True


class RunParamColumns(ParamColumns):
    """The columns of a run, null if the row is older than the parameter."""

    class Meta:
        abstract = True


def _config_column(spec: ParamSpec) -> "models.Field[Any, Any]":
    if spec.kind == "flags":
        stored = list(spec.default)
        return models.JSONField(
            default=default_excluded_flags, db_default=json_default(stored), blank=True
        )
    if spec.is_optional:
        return _column(spec, {"help_text": spec.help, "null": True, "blank": True})
    options = {
        "help_text": spec.help,
        "default": spec.default,
        "db_default": spec.default,
        "null": spec.is_null_allowed,
    }
    return _column(spec, options)


def _column(spec: ParamSpec, options: dict[str, Any]) -> "models.Field[Any, Any]":
    match spec.kind:
        case "decimal":
            return models.DecimalField(
                max_digits=spec.max_digits, decimal_places=spec.places, **options
            )
        case "integer":
            return models.IntegerField(**options)
        case "switch":
            return models.BooleanField(**options)
        case "flags":
            return models.JSONField(**options)


def default_excluded_flags() -> list[str]:
    """Return a new list of the flags that are excluded by default."""
    return list(Params().excluded_flags)


for _name, _spec in PARAM_SPECS.items():
    ConfigParamColumns.add_to_class(_name, _config_column(_spec))
    RunParamColumns.add_to_class(_name, _column(_spec, {"null": True, "blank": True}))
