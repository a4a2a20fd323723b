"""Program ids and quote mints of Solana mainnet, with the names that WallTrack shows.

Source: public IDLs, documents of the projects and third-party parser lists, April to
September 2026. The five shared pool authorities and the pump PDAs were checked by
deriving them from their seeds.
"""

from typing import Final

SYSTEM: Final = "11111111111111111111111111111111"
TOKEN: Final = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
TOKEN_2022: Final = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"
ASSOCIATED_TOKEN: Final = "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"

WRAPPED_SOL: Final = "So11111111111111111111111111111111111111112"
USDC: Final = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
USDT: Final = "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB"
USD1: Final = "USD1ttGY1N17NEEHLmELoaybftRBUSErhqYiQzvEmuB"
# Dollars of other issuers: their own announcements and Jupiter's verified list, November
# 2026. Dollars that earn interest (USDY, sUSDe) are no quote: their price moves.
PYUSD: Final = "2b1kV6DkPAnxd5ixfnxCpjxmKwqjjaYmCZfHsFu24GXo"
USDS: Final = "USDSwr9ApdHk5bvJKMjzff41FfuX8bSxdKcR81vTwcA"
USDG: Final = "2u1tszSeqZ3qBWF3uNGPFc8TzMk2tdiwknnRMWGWjGWH"
CASH: Final = "CASHx9KJUStyftLFWGvEVf59SGeG9sh5FfcnZMVPCASH"
FDUSD: Final = "9zNQRsGLjNKwCUU5Gq5LR8beUCPzQMVMqKAi3SSZh54u"
STABLES: Final = frozenset({USDC, USDT, USD1, PYUSD, USDS, USDG, CASH, FDUSD})
"""Quote mints worth one USD, all with 6 decimals."""
STABLE_DECIMALS: Final = 6
QUOTES: Final = STABLES | {WRAPPED_SOL}

LIQUID_STAKING: Final = frozenset(
    {
        "J1toso1uCk3RLmjorhTtrVwY9HJ7X8V9yYac6Y7kGCPn",  # jitoSOL
        "mSoLzYCxHdYgdzU16g5QSh3i5K3z3KZK7ytfqcJm7So",  # mSOL
        "bSo13r4TkiE4KumL71LsHTPpL2euBYLFx6h9HP3piy1",  # bSOL
        "jupSoLaHXQiZZTSfEWMTRRgpnyFm8f6sZdosWBjx93v",  # jupSOL
        "5oVNBeEEQvYi1cX3ir8Dx5n1P7pdxydbGF2X4TxVusJm",  # INF
        "7dHbWXmci3dT8UFYWYZweBLXgycu7Y3iL6trKn1Y7ARj",  # stSOL
        "Dso1bDeDjCQxTrWHqUUi63oBvV7Mdm6WaobLbQ7gnPQ",  # dSOL
        "he1iusmfkpAdwvxLNGV8Y1iSbj4rUy6yMhEA3fotn9A",  # hSOL
        "Bybit2vBJGhPF52GBdNaQfUJ6ZpThSgHBobjWZpLPb4B",  # bbSOL
        "BNso1VUJnh4zcfpZa6986Ea66P6TCp59hvtNJ8b1X85",  # bnSOL
        "7Q2afV64in6N6SeZsAAB81TJzwDoD6zpqmHkzi9Dcavn",  # JSOL
        "LAinEtNLgpmCP9Rvsf5Hn8W6EhNiKLZQti1xfWMLy6X",  # laineSOL
        "vSoLxydx6akxyMD9XEcPvGYNGq6Nn66oqVb3UkGkei7",  # vSOL
    }
)
"""Mints of staked SOL. Exchanging SOL for one of them takes no position in a token."""

PUMPFUN: Final = "6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P"
PUMPSWAP: Final = "pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA"

VENUES: Final[dict[str, str]] = {
    PUMPFUN: "pumpfun",
    PUMPSWAP: "pumpswap",
    "675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8": "raydium_v4",
    "5quBtoiQqxF9Jv6KYKctB59NT3gtJD2Y65kdnB1Uev3h": "raydium_stable",
    "CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C": "raydium_cpmm",
    "CAMMCzo5YL8w4VFF8KVHrK22GGUsp5VTaW7grrKgrWqK": "raydium_clmm",
    "LanMV9sAd7wArD4vJFi2qDdfnVhFxYSUg6eADduJ3uj": "launchlab",
    "LBUZKhRxPF3XUpBCjp4YzTKgLccjZhTSDM9YuVaPwxo": "meteora_dlmm",
    "Eo7WjKq67rjJQSZxS6z3YkapzY3eMj6Xy8X5EQVn5UaB": "meteora_damm_v1",
    "cpamdpZCGKUy5JxQXB4dcpGPiikHawvSWAd6mEn1sGG": "meteora_damm_v2",
    "dbcij3LWUppWqq96dh6gJWwBifmcGfLSB5D4DuSMaqN": "meteora_dbc",
    "whirLbMiicVdio4qvUfM5KAg6Ct8VwpYzGff3uctyCc": "orca_whirlpool",
    "9W959DqEETiGZocYWCQPaJ6sBmUzgfxXfqGeTEdp3aQP": "orca_legacy",
    "DjVE6JNiYqPL2QXyCUUh8rNjHrbz9hXHNYt99MQ59qw1": "orca_legacy",
    "MoonCVVNZFSYkqNXP6bxHLPL6QQJiMagDL3qcqUQTrG": "moonit",
    "boop8hVGQGqehUK2iVEMEnMrL5RbjywRzHKBmBE7ry4": "boop",
    "HEAVENoP2qxoeuF8Dj2oT1GHEnu49U5mJYkdeC8BAX2o": "heaven",
    "deus4Bvftd5QKcEkE5muQaWGWDoma8GrySvPFrBPjhS": "sugar",
    "PhoeNiXZ8ByJGLkxNfZRnkUfjvmuYqLR89jjFHGqdXY": "phoenix",
    "opnb2LAfJYbRMAHHvqjCwQxanZn7ReEHp1k81EohpZb": "openbook_v2",
    "9xQeWvG816bUx9EPjHmaT23yvVM2ZWbrrpZb9PusVFin": "serum_v3",
    "2wT8Yq49kHgDzXuPxZSaeLaH1qbmGXtEyPy64bL7aD3c": "lifinity_v2",
    "swapNyd8XiQwJ6ianp9snpu4brUqFxadzvHebnAXjJZ": "stabble",
    "SSwpkEEcbUqx4vtoEByFjSkhKdCT862DNVb52nZg1UZ": "saber",
    "SSwapUtytfBdBn1b9NUGG6foMVPtcWgpRU32HToDUZr": "saros",
    "SoLFiHG9TfgtdUXUjWAxi3LtvYuFyDLVhBWxdMZxyCe": "solfi",
    "9H6tua7jkLhdm3w8BvgpTn5LZNU7g4ZynDmCiNN3q6Rp": "humidifi",
    "ZERor4xhbUycZ6gb9ntrhqscUcZmAbQDjEAtCf4hbZY": "zerofi",
    "goonERTdGsjnkZqWuVjs73BZ3Pb9qoCUdBUL17BnS5j": "goonfi",
    "obriQD1zbpyLz95G5n7nJe6a4DPjpFwa5XYPoNm113y": "obric_v2",
    "stkitrT1Uoy18Dk1fTrgPw8W6MVzoCfYoAFT4MLsmhq": "sanctum",
}
"""Program that holds the reserves of markets -> its name in `venues`."""

LAUNCHPADS: Final = frozenset(
    {"pumpfun", "launchlab", "meteora_dbc", "moonit", "boop", "heaven", "sugar"}
)
"""Venues that create a token together with its market: the creator buys its first units
there.
"""

LENDERS: Final[dict[str, str]] = {
    "jupr81YtYssSyPt8jbnGuiWon5f6x9TcDEFxYe3Bdzi": "jupiter_lend",  # vaults
    "jupeiUmn818Jg1ekPURTpr4mFo29p46vygyykFJ3wZC": "jupiter_lend",  # liquidity
    "jup3YeL8QhtSx1e253b2FDvsMNC87fDrgQZivbrndc9": "jupiter_lend",  # earn
    "KLend2g3cP87fffoy8q1mQqGKjrxjC8boSyAYavgmjD": "kamino",
    "MFv2hWf31Z9kbCa1snEPYctwafyhdvnV7FZnsebVacA": "marginfi",
    "So1endDq2YkqhipRh3WViPa8hdiSpxWy6z3Z6tMCpAo": "solend",
}
"""Program of loans and collateral -> its name. What a wallet moves through it is lent,
not traded. Source: captured transactions (Jupiter Lend) and the projects' public
documents.
"""

ORDER_BOOKS: Final[dict[str, str]] = {
    "jupoNjAxXgZ4rjzxzPMP4oxduvQsQtZzyknqvzYNrNu": "jupiter_limit",
    "j1o2qRpjcyUwEvwtcfhEQefh773ZgjxcVRry7LDqg5X": "jupiter_trigger",
    "DCA265Vj8a9CEuX1eb1LWRnDT7uK6q1xMipnNyatn23M": "jupiter_dca",
    "VALaaymxQh2mNy2trH9jUqHT1mTow76wpTcGmSWSwJe": "jupiter_value_average",
}
"""Program that holds a wallet's units until a keeper fills its order -> its name."""

QUOTE_REQUESTS: Final = frozenset({"61DFfeTKM7trxYcPQCM78bJ794ddZprZpAwAnLiwTpYH"})
"""Programs in which a market maker signs beside the wallet and trades from a wallet of
its own (Jupiter Z).
"""

ROUTERS: Final = frozenset(
    {
        "JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4",  # Jupiter
        "JUP4Fb2cqiRUcaTHdrPC8h2gNsA2ETXiPDD33WcGuJB",
        "JUP2jxvXaqu7NQY1GmNF4m1vodw12LVXYxbFL2uJvfo",
        "6m2CDdhRgxpH4WjvdzxAYbGxwdGUz5MziiL5jek2kBma",  # OKX
        "proVF4pMXVaYqmy4NjniPh4pqKNfMmsihgd4wdkCX3u",
        "DF1ow4tspfHX9JwWJsAb9epbkA8hmpSEAtxXy1V27QBH",  # DFlow
        "routeUGWgWzqBWFcrCfv8tritsqukccJPu3q5GPP3xS",  # Raydium
        "FLASHX8DrLbgeR8FcfNV1F5krxYcYMUdBkrP1EPBtxB9",  # Axiom
        "BSfD6SHZigAfDWSjzD5Q41jw8LmKwtmjskPH9XW1mrRW",  # Photon
        "GMgnVFR8Jb39LoXsEVzb3DvBy3ywCmdmJquHUy1Lrkqb",  # GMGN
        "troyXT7Ty3s2rjJe4bqWaroUrS4Fjd8rbHHNHxcACF4",  # Trojan
        "term9YPb9mzAsABaqN71A4xdbxHmpBNZavpBiQKZzN3",  # Padre
        "b1oomGGqPKGD6errbyfbVMBuzSC8WtAAYo8MwNafWW1",  # Bloom
        "BANANAjs7FJiPQqJTGFzkZJndT9o7UmKiYYGaJz6frGu",  # Banana Gun
        "MaestroAAe9ge5HTc64VbBQZ6fP77pwvrhM8i1XWSAx",  # Maestro
        "NoVA1TmDUqksaj2hB1nayFkPysjJbFiU76dT4qPw2wm",  # Nova
        "minTcHYRLVPubRK8nt6sqe2ZpWrGDLQoNLipDJCGocY",  # Mintech
        "JSW99DKmxNyREQM14SQLDykeBvEUG63TeohrvmofEiw",  # ApePro
    }
)
"""Programs that swap through markets and do nothing else for a wallet. Source:
third-party parser lists, April to September 2026.
"""

COMPUTE_BUDGET: Final = "ComputeBudget111111111111111111111111111111"
MEMO: Final = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"

PLAIN_PROGRAMS: Final = frozenset(
    {SYSTEM, TOKEN, TOKEN_2022, ASSOCIATED_TOKEN, COMPUTE_BUDGET, MEMO}
)
"""Programs that only move units and lamports from one account to another."""

KNOWN_PROGRAMS: Final[dict[str, str]] = {
    **dict.fromkeys((*ROUTERS, *QUOTE_REQUESTS, *PLAIN_PROGRAMS), ""),
    **VENUES,
    **LENDERS,
    **ORDER_BOOKS,
}
"""Every program of this module -> its name, or "" if it has none here."""
