"""A node and a token index over a few given transactions, served by real HTTP."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from typing import Any

from discovery.domain.addresses import associated_token_account, is_on_curve
from discovery.domain.programs import TOKEN

TOKEN_ACCOUNT_BYTES = 165
LAMPORTS = 2_039_280


class History:
    """Transactions of one token.

    An address has the transactions that name it or one of its token accounts. The
    associated account of a wallet stands for whichever account it used. pools: the
    markets that the index lists; without any, those that the transactions show.
    """

    def __init__(
        self,
        mint: str,
        transactions: list[dict[str, Any]],
        launched_at: int,
        pools: list[str],
    ) -> None:
        self.mint = mint
        self.launched_at = launched_at
        self.pools = pools or sorted(_programs_with(mint, transactions))
        self._by_signature = {
            row["transaction"]["signatures"][0]: row for row in transactions
        }
        self._newest_first = list(reversed(transactions))
        self._units: dict[str, int] = {}
        for row in transactions:
            for balance in row["meta"]["preTokenBalances"]:
                if balance["mint"] == mint:
                    self._units[associated_token_account(balance["owner"], mint)] = 0
            for balance in row["meta"]["postTokenBalances"]:
                units = int(balance["uiTokenAmount"]["amount"])
                if balance["mint"] == mint:
                    account = associated_token_account(balance["owner"], mint)
                    self._units[account] = units

    def rpc(self, method: str, params: list[Any]) -> Any:
        """Return the result of one JSON-RPC call."""
        match method:
            case "getSignaturesForAddress":
                options = params[1] if len(params) > 1 else {}
                return self._signatures(params[0], options.get("before"))
            case "getTransaction":
                return self._by_signature.get(params[0])
            case "getMultipleAccounts":
                return {
                    "context": {"slot": 1},
                    "value": [self._account(address) for address in params[0]],
                }
        raise ValueError(f"not served: {method}")

    def _signatures(self, address: str, before: str | None) -> list[dict[str, Any]]:
        rows = [
            {
                "signature": row["transaction"]["signatures"][0],
                "slot": row["slot"],
                "err": row["meta"]["err"],
                "memo": None,
                "blockTime": row["blockTime"],
                "confirmationStatus": "finalized",
            }
            for row in self._newest_first
            if address in _addresses(row)
        ]
        signatures = [row["signature"] for row in rows]
        start = 0 if before is None else signatures.index(before) + 1
        return rows[start : start + 1000]

    def _account(self, address: str) -> dict[str, Any] | None:
        units = self._units.get(address)
        if units is None:
            return None
        data = bytes(64) + units.to_bytes(8, "little")
        data += bytes(TOKEN_ACCOUNT_BYTES - len(data))
        return {
            "lamports": LAMPORTS,
            "owner": TOKEN,
            "data": [base64.b64encode(data).decode(), "base64"],
            "executable": False,
            "rentEpoch": 0,
        }

    def rest(self, path: str) -> Any:
        """Return the answer of the index of tokens or of pairs."""
        launched = datetime.fromtimestamp(self.launched_at, UTC).isoformat()
        if path.startswith("/jupiter"):
            first_pool = {"id": self.mint, "createdAt": launched}
            return [{"id": self.mint, "symbol": "CASE", "firstPool": first_pool}]
        if path.startswith("/dexscreener"):
            return [
                {
                    "chainId": "solana",
                    "dexId": "pumpswap",
                    "pairAddress": pool,
                    "baseToken": {"address": self.mint, "symbol": "CASE"},
                }
                for pool in self.pools
            ]
        return []


def _addresses(row: dict[str, Any]) -> set[str]:
    """Return the addresses whose signature lists have the transaction."""
    keys = row["transaction"]["message"]["accountKeys"]
    loaded = row["meta"].get("loadedAddresses") or {}
    plain = [key if isinstance(key, str) else key["pubkey"] for key in keys]
    addresses = {*plain, *loaded.get("writable", []), *loaded.get("readonly", [])}
    for balance in _balances(row):
        owner = balance["owner"]
        addresses |= {owner, associated_token_account(owner, balance["mint"])}
    return addresses


def _balances(row: dict[str, Any]) -> list[dict[str, Any]]:
    meta = row["meta"]
    return [*meta["preTokenBalances"], *meta["postTokenBalances"]]


def _programs_with(mint: str, transactions: list[dict[str, Any]]) -> set[str]:
    """Return the owners off the curve that hold the mint."""
    balances = chain.from_iterable(map(_balances, transactions))
    owners = {balance["owner"] for balance in balances if balance["mint"] == mint}
    return {owner for owner in owners if not is_on_curve(owner)}


class _Handler(BaseHTTPRequestHandler):
    history: History
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(self.history.rest(self.path))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if isinstance(body, list):
            self._answer([self._rpc(call) for call in body])
        else:
            self._answer(self._rpc(body))

    def _rpc(self, call: dict[str, Any]) -> dict[str, Any]:
        result = self.history.rpc(call["method"], call["params"])
        return {"jsonrpc": "2.0", "id": call["id"], "result": result}

    def _answer(self, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Write nothing: the tests' output is theirs."""


@contextmanager
def serve(history: History) -> Iterator[dict[str, str]]:
    """Serve the history. Yields the settings that point every provider at it."""
    handler = type("Handler", (_Handler,), {"history": history})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield {
            "DEXSCREENER_URL": f"{url}/dexscreener",
            "GECKOTERMINAL_URL": f"{url}/geckoterminal",
            "JUPITER_URL": f"{url}/jupiter",
            "SOLANA_RPC_URL": f"{url}/rpc",
            "HELIUS_URL": f"{url}/helius",
            "PRICES_URL": f"{url}/prices",
        }
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
