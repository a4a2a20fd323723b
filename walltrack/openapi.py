"""Settings of drf-spectacular: the description of the API."""

from typing import Any, Final

SETTINGS: Final[dict[str, Any]] = {
    "TITLE": "WallTrack",
    "DESCRIPTION": "Discovery runs, the wallets they found, and the evidence.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # Without `validatorUrl` the page sends the schema to a validator of the Swagger
    # project.
    "SWAGGER_UI_SETTINGS": {
        "deepLinking": True,
        "persistAuthorization": False,
        "validatorUrl": None,
    },
    "SCHEMA_PATH_PREFIX": "/api/discovery",
    "ENUM_NAME_OVERRIDES": {
        "RunStatus": "discovery.models.enums.RunStatus",
        "RunStage": "discovery.models.enums.RunStage",
        "Trigger": "discovery.models.enums.Trigger",
        "WalletStatus": "discovery.models.enums.WalletStatus",
        "ClaimKind": "discovery.analysis.forward_record.ClaimKind",
        "CycleResult": "discovery.models.enums.CycleResult",
    },
    "PREPROCESSING_HOOKS": ["discovery.api.schema.without_trailing_slashes"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "discovery.api.schema.shared_problems",
    ],
}
