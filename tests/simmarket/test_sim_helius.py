"""getTransactionsForAddress compared to the plain node, keys, plans, credits."""

import json

import pytest

from simmarket.api.market import Options

HELIUS = "/helius/?api-key=key"
METHOD = "getTransactionsForAddress"


@pytest.fixture
def token(small_world):
    return next(
        token for token in small_world.tokens.values() if token.symbol == "TWINS"
    )


@pytest.fixture
def pool(small_world, token):
    """The address of a pool with many transactions."""
    return small_world.accounts.address(token.pools[1].account)


def all_pages(market, address, **config):
    rows = []
    page_token = None
    while True:
        paging = {"paginationToken": page_token} if page_token else {}
        page = market.rpc(METHOD, address, {**config, **paging}, path=HELIUS)
        rows += page["data"]
        page_token = page["paginationToken"]
        if page_token is None:
            return rows


def signatures_of(rows):
    return [row["signature"] for row in rows]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1000, 41])
def test_pages_equal_the_signature_list(market, pool, order, limit):
    newest_first = market.rpc("getSignaturesForAddress", pool)
    expected = newest_first if order == "desc" else newest_first[::-1]
    rows = all_pages(market, pool, sortOrder=order, limit=limit)
    assert signatures_of(rows) == signatures_of(expected)
    positions = [(row["slot"], row["transactionIndex"]) for row in rows]
    assert positions == sorted(positions, reverse=order == "desc")


def test_a_full_row_is_the_transaction_with_its_index(market, small_world, pool):
    config = {
        "transactionDetails": "full",
        "maxSupportedTransactionVersion": 1,
        "limit": 5,
    }
    for row in market.rpc(METHOD, pool, config, path=HELIUS)["data"]:
        signature = row["transaction"]["signatures"][0]
        plain = market.rpc(
            "getTransaction", signature, {"maxSupportedTransactionVersion": 1}
        )
        position = small_world.position_of(signature)
        assert row.pop("transactionIndex") == small_world.transactions[position].index
        assert row == plain


def test_time_and_status_filters_select_the_window(market, small_world, token):
    curve = small_world.accounts.address(token.pools[0].account)
    launch = token.launched_offset_seconds + market.stats()["shift_seconds"]
    window = {"blockTime": {"gte": launch, "lt": launch + 1800}, "status": "succeeded"}
    rows = all_pages(market, curve, sortOrder="asc", filters=window)
    oldest_first = market.rpc("getSignaturesForAddress", curve)[::-1]
    in_window = [
        row for row in oldest_first if launch <= row["blockTime"] < launch + 1800
    ]
    expected = [row for row in in_window if row["err"] is None]
    assert signatures_of(rows) == signatures_of(expected)
    assert rows


def test_a_slot_filter_narrows_the_list(market, pool):
    rows = all_pages(market, pool, sortOrder="asc")
    slot = rows[40]["slot"]
    after_slot = all_pages(
        market, pool, sortOrder="asc", filters={"slot": {"gt": slot}}
    )
    assert after_slot == [row for row in rows if row["slot"] > slot]


def test_a_signature_filter_narrows_the_list(market, pool):
    rows = all_pages(market, pool, sortOrder="asc")
    up_to_signature = {"signature": {"lte": rows[40]["signature"]}}
    assert (
        all_pages(market, pool, sortOrder="asc", filters=up_to_signature) == rows[:41]
    )


def test_token_accounts_extend_the_list_of_a_wallet(market, small_world):
    receiver = next(
        address
        for address, labels in small_world.behaviours.items()
        if "receiver" in labels
    )
    modes = ("none", "balanceChanged", "all")
    sizes = [
        len(all_pages(market, receiver, filters={"tokenAccounts": mode}))
        for mode in modes
    ]
    assert sizes[0] <= sizes[1] <= sizes[2]


def test_the_owners_list_misses_a_transfer_into_an_existing_account(
    market, small_world
):
    transfers = [
        movement for movement in small_world.movements if movement.kind == "in"
    ]
    missed = next(
        m for m in transfers if m.position not in small_world.positions_of(m.wallet)
    )
    wallet = small_world.accounts.address(missed.wallet)
    signature = small_world.transactions[missed.position].signature
    plain = all_pages(market, wallet)
    changed = all_pages(market, wallet, filters={"tokenAccounts": "balanceChanged"})
    assert signature not in signatures_of(plain)
    assert signature in signatures_of(changed)


def test_credits_count_full_rows_in_hundreds(start_market, pool):
    market = start_market(Options())
    config = {
        "transactionDetails": "full",
        "maxSupportedTransactionVersion": 1,
        "limit": 250,
    }
    market.rpc(METHOD, pool, config, path=HELIUS)
    market.rpc(METHOD, pool, {"limit": 250}, path=HELIUS)
    market.rpc("getSlot", path=HELIUS)
    assert market.stats()["credits"]["helius"] == 30 + 10 + 1


@pytest.mark.parametrize(
    "path", ["/helius/", "/helius/?api-key=", "/helius/?api-key=bad-key"]
)
def test_an_invalid_key_is_refused(market, path):
    status, _, body = market.raw(
        "POST", path, {"jsonrpc": "2.0", "id": 1, "method": "getSlot"}
    )
    assert (status, json.loads(body)["error"]["code"]) == (401, -32401)


def test_a_plan_without_the_method_responds_with_403(start_market, pool):
    market = start_market(Options(helius="no-gtfa"))
    call = {"jsonrpc": "2.0", "id": 1, "method": METHOD, "params": [pool]}
    status, _, body = market.raw("POST", HELIUS, call)
    assert (status, json.loads(body)["error"]["code"]) == (403, -32403)
    assert market.rpc("getSlot", path=HELIUS) > 0


def test_an_unknown_filter_is_refused_and_counted(market, pool):
    before = market.stats()["unhandled_count"]
    error = market.envelope(METHOD, pool, {"filters": {"mint": "x"}}, path=HELIUS)[
        "error"
    ]
    assert error["code"] == -32602
    assert market.stats()["unhandled_count"] == before + 1
