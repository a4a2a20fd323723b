"""The columns of run parameters, built from their specs: once for the configuration, once for the runs."""

from typing import Any

from django.db import models

from discovery.domain.run_params import PARAM_SPECS, Params, ParamSpec
from discovery.models.fields import json_default


class ParamColumns(models.Model):
    """A row that holds the parameters of a run."""

    class Meta:
        abstract = True

    @property
    def params(self) -> Params:
        """The parameters of this row. A null means the default: the row is older than the parameter."""
        values: dict[str, Any] = {}
        for name, spec in PARAM_SPECS.items():
            value = getattr(self, name)
            if value is None and not spec.is_optional:
                value = spec.default
            values[name] = tuple(value) if spec.kind == "flags" else value
        return Params(**values)


def param_values(params: Params) -> dict[str, Any]:
    """Return the parameters as values of their columns."""
    values = {name: getattr(params, name) for name in PARAM_SPECS}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


class ConfigParamColumns(ParamColumns):
    """The columns of the configuration: a default for each."""

    class Meta:
        abstract = True


class RunParamColumns(ParamColumns):
    """The columns of a run: null where the row is older than the parameter."""

    class Meta:
        abstract = True


def _config_column(spec: ParamSpec) -> "models.Field[Any, Any]":
    if spec.kind == "flags":
        stored = list(spec.default)
        return models.JSONField(default=default_excluded_flags, db_default=json_default(stored), blank=True)
    options: dict[str, Any] = {"help_text": spec.help}
    if spec.is_optional:
        options |= {"null": True, "blank": True}
    else:
        options |= {"default": spec.default, "db_default": spec.default, "null": spec.is_null_allowed}
    return _column(spec, options)


def _run_column(spec: ParamSpec) -> "models.Field[Any, Any]":
    return _column(spec, {"null": True, "blank": True})


def _column(spec: ParamSpec, options: dict[str, Any]) -> "models.Field[Any, Any]":
    match spec.kind:
        case "decimal":
            return models.DecimalField(max_digits=spec.max_digits, decimal_places=spec.places, **options)
        case "integer":
            return models.IntegerField(**options)
        case "switch":
            return models.BooleanField(**options)
        case "flags":
            return models.JSONField(**options)


def default_excluded_flags() -> list[str]:
    """Return a fresh list of the flags that exclude by default."""
    return list(Params().excluded_flags)


for _name, _spec in PARAM_SPECS.items():
    ConfigParamColumns.add_to_class(_name, _config_column(_spec))
    RunParamColumns.add_to_class(_name, _run_column(_spec))
