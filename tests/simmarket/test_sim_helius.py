"""getTransactionsForAddress against the plain node, keys, plans, credits."""

import json

import pytest

from simmarket.api.market import Options

HELIUS = "/helius/?api-key=key"
METHOD = "getTransactionsForAddress"


def _pool(world):
    token = next(token for token in world.tokens.values() if token.symbol == "TWINS")
    return token, world.accounts.address(token.pools[1].account)


def _pages(market, address, **config):
    rows, token = [], None
    while True:
        page = market.rpc(METHOD, address, {**config, **({"paginationToken": token} if token else {})}, path=HELIUS)
        rows += page["data"]
        token = page["paginationToken"]
        if token is None:
            return rows


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1000, 41])
def test_pages_equal_the_signature_list(market, small_world, order, limit):
    _, pool = _pool(small_world)
    newest_first = market.rpc("getSignaturesForAddress", pool)
    wanted = newest_first if order == "desc" else newest_first[::-1]
    rows = _pages(market, pool, sortOrder=order, limit=limit)
    assert [row["signature"] for row in rows] == [row["signature"] for row in wanted]
    places = [(row["slot"], row["transactionIndex"]) for row in rows]
    assert places == sorted(places, reverse=order == "desc")


def test_a_full_row_is_the_transaction_with_its_index(market, small_world):
    _, pool = _pool(small_world)
    config = {"transactionDetails": "full", "maxSupportedTransactionVersion": 1, "limit": 5}
    for row in market.rpc(METHOD, pool, config, path=HELIUS)["data"]:
        signature = row["transaction"]["signatures"][0]
        plain = market.rpc("getTransaction", signature, {"maxSupportedTransactionVersion": 1})
        assert row.pop("transactionIndex") == small_world.transactions[small_world.place_of(signature)].index
        assert row == plain


def test_time_and_status_filters_choose_the_window(market, small_world):
    token, _ = _pool(small_world)
    curve = small_world.accounts.address(token.pools[0].account)
    launch = token.launched_offset_seconds + market.stats()["shift_seconds"]
    window = {"blockTime": {"gte": launch, "lt": launch + 1800}, "status": "succeeded"}
    rows = _pages(market, curve, sortOrder="asc", filters=window)
    everything = market.rpc("getSignaturesForAddress", curve)[::-1]
    wanted = [r for r in everything if launch <= r["blockTime"] < launch + 1800 and r["err"] is None]
    assert [row["signature"] for row in rows] == [row["signature"] for row in wanted]
    assert rows


def test_slot_and_signature_filters_narrow(market, small_world):
    _, pool = _pool(small_world)
    rows = _pages(market, pool, sortOrder="asc")
    middle = rows[40]
    by_slot = _pages(market, pool, sortOrder="asc", filters={"slot": {"gt": middle["slot"]}})
    assert by_slot == [row for row in rows if row["slot"] > middle["slot"]]
    by_signature = _pages(market, pool, sortOrder="asc", filters={"signature": {"lte": middle["signature"]}})
    assert by_signature == rows[:41]


def test_token_accounts_widen_a_wallets_list(market, small_world):
    receiver = next(a for a, habits in small_world.habits.items() if "receiver" in habits)
    sizes = [
        len(_pages(market, receiver, filters={"tokenAccounts": mode})) for mode in ("none", "balanceChanged", "all")
    ]
    assert sizes[0] <= sizes[1] <= sizes[2]


def test_a_transfer_into_an_existing_account_is_missing_from_the_owners_list(market, small_world):
    place, owner = next(
        (m.transaction, m.wallet)
        for m in small_world.movements
        if m.kind == "in" and m.transaction not in small_world.naming(m.wallet)
    )
    wallet = small_world.accounts.address(owner)
    signature = small_world.transactions[place].signature
    none = {row["signature"] for row in _pages(market, wallet)}
    changed = {row["signature"] for row in _pages(market, wallet, filters={"tokenAccounts": "balanceChanged"})}
    assert signature not in none
    assert signature in changed


def test_credits_count_rows_in_hundreds(fresh, small_world):
    market = fresh(Options())
    _, pool = _pool(small_world)
    config = {"transactionDetails": "full", "maxSupportedTransactionVersion": 1, "limit": 250}
    market.rpc(METHOD, pool, config, path=HELIUS)
    market.rpc(METHOD, pool, {"limit": 250}, path=HELIUS)
    market.rpc("getSlot", path=HELIUS)
    assert market.stats()["credits"]["helius"] == 30 + 10 + 1


@pytest.mark.parametrize("path", ["/helius/", "/helius/?api-key=", "/helius/?api-key=bad-key"])
def test_a_wrong_key_is_refused(market, path):
    status, _, body = market.raw("POST", path, {"jsonrpc": "2.0", "id": 1, "method": "getSlot"})
    assert (status, json.loads(body)["error"]["code"]) == (401, -32401)


def test_a_plan_without_the_method_says_403(fresh, small_world):
    market = fresh(Options(helius="no-gtfa"))
    call = {"jsonrpc": "2.0", "id": 1, "method": METHOD, "params": [_pool(small_world)[1]]}
    status, _, body = market.raw("POST", HELIUS, call)
    assert (status, json.loads(body)["error"]["code"]) == (403, -32403)
    assert market.rpc("getSlot", path=HELIUS) > 0


def test_an_unknown_filter_is_refused_and_counted(market, small_world):
    before = market.stats()["unhandled_count"]
    error = market.envelope(METHOD, _pool(small_world)[1], {"filters": {"mint": "x"}}, path=HELIUS)["error"]
    assert error["code"] == -32602
    assert market.stats()["unhandled_count"] == before + 1
