"""Retention: a daily task deletes the rows that have expired, by the rules of
`discovery.models.retention_rules`.
"""

import logging
from collections import Counter
from datetime import datetime
from typing import Any, Final

from django.apps import apps
from django.db import connection, transaction
from django.db.models import QuerySet

from discovery.models.database_time import database_now
from discovery.models.expired_rows import outcomes_of_deleted_wallets
from discovery.models.retention_rules import RetentionRule, retention_rules
from walltrack import clock

log = logging.getLogger(__name__)

NOT_MEASURED: Final = (
    "not measured in time: the wallet was deleted from the control wallets"
)


def apply_retention(now: datetime | None = None) -> dict[str, int]:
    """Delete the rows that have expired; return how many of each table that has such a
    rule. Each batch is a transaction of its own, so that a second call continues.

    now: None = the present, of the database or of the product as each rule says.
    """
    product_now = now or clock.now()
    now = now or database_now()
    deleted: Counter[str] = Counter()
    for rule in retention_rules():
        at = product_now if rule.uses_product_time else now
        for expired in rule.expired:
            deleted[rule.table] += 0
            deleted.update(_delete_in_batches(rule, expired(at)))
    _close_outcomes(product_now)
    counts = dict(deleted)
    log.info("retention", extra=counts)
    return counts


def _delete_in_batches(rule: RetentionRule, rows: "QuerySet[Any]") -> Counter[str]:
    """Delete all `rows`; return how many by table, with those that depended on them."""
    deleted: Counter[str] = Counter()
    while True:
        keys = list(rows.values_list("pk", flat=True)[: rule.batch])
        if not keys:
            return deleted
        # The condition is checked again: a row may have changed since.
        batch = _delete(rule, rows.filter(pk__in=keys))
        if not batch.total():
            return deleted
        deleted.update(batch)


@transaction.atomic
def _delete(rule: RetentionRule, rows: "QuerySet[Any]") -> Counter[str]:
    if rule.is_append_only:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL walltrack.retention = 'on'")
    if rule.has_audit:
        return Counter({rule.table: rows._raw_delete(rows.db)})
    _, counts = rows.delete()
    by_table = {
        apps.get_model(label)._meta.db_table: count for label, count in counts.items()
    }
    return Counter(by_table)


def _close_outcomes(product_now: datetime) -> None:
    """Say of outcomes that nobody measures any more that they are not known."""
    count = outcomes_of_deleted_wallets(product_now).update(
        measured_at=product_now, problem=NOT_MEASURED
    )
    if count:
        log.warning("outcomes were not measured in time", extra={"outcomes": count})
