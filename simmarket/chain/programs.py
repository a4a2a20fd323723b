"""Program ids and well-known accounts of Solana mainnet (public lists, 19 May to 23 Nov
2026).
"""

from typing import NamedTuple

SYSTEM = "11111111111111111111111111111111"
TOKEN = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
TOKEN_2022 = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"
ASSOCIATED_TOKEN = "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"
COMPUTE_BUDGET = "ComputeBudget111111111111111111111111111111"
METADATA = "metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s"

WSOL = "So11111111111111111111111111111111111111112"
USDC = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"

PUMP = "6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P"
PUMP_GLOBAL = "4wTV1YmiEkRvAtNtsSGPtUrqRYQMe5SKy2uB4Jjaxnjf"
PUMP_MINT_AUTHORITY = "TSLvdd1pWpHVjahSpsvCXUbgwsL3JAcvokwaKt1eokM"
PUMP_EVENT_AUTHORITY = "Ce6TQqeHC9p8KetsN6JsjHK7UTZk7nasjjnr7XxXp9F1"
PUMP_MIGRATOR = "39azUYFWPz3VHgKCf3VChUwbpURdCHRxjWVowf5jUJjg"
PUMP_FEES = "pfeeUxB6jkeY1Hxd7CsFCAjcbHA9rWtchMGdZ6VojVZ"
PUMP_FEE_CONFIG = "8Wf5TiAheLUqBrKXeYg2JtAFFMWtKdG2BSFgqUcPVwTt"
PUMPSWAP = "pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA"
PUMPSWAP_GLOBAL = "ADyA8hdefvWN2dbGGWFotbzWxrAvLW83WG6QCVXvJKqw"
PUMPSWAP_EVENT_AUTHORITY = "GS4CU59F31iL7aR2Q8zVS8DRrcRnXX1yjQ66TqNVQnaR"

LAUNCHLAB = "LanMV9sAd7wArD4vJFi2qDdfnVhFxYSUg6eADduJ3uj"
LAUNCHLAB_AUTHORITY = "WLHv2UAZm6z4KyaaELi5pjdbJh6RESMva1Rnn8pJVVh"
JUPITER_TRIGGER = "j1o2qRpjcyUwEvwtcfhEQefh773ZgjxcVRry7LDqg5X"
KAMINO_LEND = "KLend2g3cP87fffoy8q1mQqGKjrxjC8boSyAYavgmjD"
METEORA_DLMM = "LBUZKhRxPF3XUpBCjp4YzTKgLccjZhTSDM9YuVaPwxo"
SPLIT_VAULTS = "SpLtVau1tPoo1111111111111111111111111111111"
"""A program of nobody: an unlisted market whose two vaults have two owners."""

FEE_RECIPIENTS = (
    "62qc2CNXwrYqQScmEdiZFFAnJR262PxWEuNQtxfafNgV",
    "7VtfL8fvgNfhz17qKRMjzQEXgbdpnHHHQRh54R9jP2RJ",
    "7hTckgnGnLQR6sdH7YkqFTAA7VwTfYFaZ6EhEsU3saCX",
    "9rPYyANsfQZw3DnDmKE3YCQF5E8oD89UXoHn9JFEhJUz",
    "AVmoTthdrX6tKt4nDjco2D775W2YK3sDhxPcMmzUAmTY",
    "CebN5WGQ4jvEPvsVU4EoHEpgzq1VV7AbicfhtW4xC9iM",
    "FWsW1xNtWscwNmKv6wVsU1iTzRN6wmmk3MjxRP5tT7hz",
    "G5UZAVbAf46s7cKWoyKu8kYTip9DGTpbLZ2qa9Aq69dP",
)

JITO_TIPS = (
    "96gYZGLnJYVFmbjzopPSU6QiEV5fGqZNyN9nmNhvrZU5",
    "HFqU5x63VTqvQss8hp11i4wVV8bD44PvwucfZ2bU7gRe",
    "Cw8CFyM9FkoMi7K7Crf6HNQqf4uEMzpKw6QNghXLvLkY",
    "ADaUMid9yfUytqMBgopwjb2DTLSokTSzL1zt6iGPaS49",
    "DfXygSm4jCyNCybVYYK6DwvWqjKee8pbDmJGcLWNDXjh",
    "ADuUkR4vqLUMWXxW9gh6D6L8pMSawimctcNZ5pGwDcEt",
    "DttWaMuVvTiduZRnguLF7jNxTgiMBZ1hyAumKUiL2KRL",
    "3AVi9Tg9Uo68tJfuvoKvqKNWKkC5wPdSSdeBnizKZ6jT",
)


class Bot(NamedTuple):
    """A trading bot. `program` is None if the bot composes plain instructions."""

    program: str | None
    fee_wallet: str
    fee_basis_points: int


BOTS = {
    "photon": Bot(
        program="BSfD6SHZigAfDWSjzD5Q41jw8LmKwtmjskPH9XW1mrRW",
        fee_wallet="AVUCZyuT35YSuj4RH7fwiyPu82Djn2Hfg7y2ND2XcnZH",
        fee_basis_points=100,
    ),
    "axiom": Bot(
        program="FLASHX8DrLbgeR8FcfNV1F5krxYcYMUdBkrP1EPBtxB9",
        fee_wallet="7LCZckF6XXGQ1hDY6HFXBKWAtiUgL9QY5vj1C4Bn1Qjj",
        fee_basis_points=75,
    ),
    "trojan": Bot(
        program=None,
        fee_wallet="9yMwSPk9mrXSN7yDHUuZurAh1sjbJsfpUqjZ7SvVtdco",
        fee_basis_points=90,
    ),
    "bloom": Bot(
        program="b1oomGGqPKGD6errbyfbVMBuzSC8WtAAYo8MwNafWW1",
        fee_wallet="7HeD6sLLqAnKVRuSfc1Ko3BSPMNKWgGTiWLKXJF31vKM",
        fee_basis_points=100,
    ),
    "bonkbot": Bot(
        program=None,
        fee_wallet="ZG98FUCjb8mJ824Gbs6RsgVmr1FhXb2oNiJHa2dwmPd",
        fee_basis_points=100,
    ),
}

# these accounts are on the curve (or may be), but they never trade: they are not
# wallets
INFRASTRUCTURE = frozenset(
    (
        *FEE_RECIPIENTS,
        *JITO_TIPS,
        *(bot.fee_wallet for bot in BOTS.values()),
        PUMP_MIGRATOR,
        PUMP_MINT_AUTHORITY,
    )
)

# the contents of the world's address lookup table; a top-level program is never loaded
# from a table
LOOKUP_TABLE = (
    TOKEN,
    TOKEN_2022,
    SYSTEM,
    ASSOCIATED_TOKEN,
    WSOL,
    USDC,
    PUMP_GLOBAL,
    PUMP_EVENT_AUTHORITY,
    PUMP_FEES,
    PUMP_FEE_CONFIG,
    PUMPSWAP_GLOBAL,
    PUMPSWAP_EVENT_AUTHORITY,
    PUMP,
    PUMPSWAP,
    *FEE_RECIPIENTS,
    *JITO_TIPS,
)

TOKEN_ACCOUNT_RENT_LAMPORTS = 2_039_280
TOKEN_2022_ACCOUNT_RENT_LAMPORTS = 2_074_080
LAMPORTS_PER_SIGNATURE = 5_000
LAMPORTS_PER_SOL = 10**9

EXECUTABLES = frozenset(
    (
        TOKEN,
        TOKEN_2022,
        ASSOCIATED_TOKEN,
        METADATA,
        PUMP,
        PUMP_FEES,
        PUMPSWAP,
        LAUNCHLAB,
        JUPITER_TRIGGER,
        KAMINO_LEND,
        METEORA_DLMM,
        SPLIT_VAULTS,
        *(bot.program for bot in BOTS.values() if bot.program),
    )
)
