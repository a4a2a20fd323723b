"""A simulated market: it speaks the protocols of the public Solana data providers over
a generated, fully known world.

Standard library only, and independent of the product that queries it.

- `worlds`: plans what happens (scenarios, actors, behaviours, trades files) and computes the expected results
- `chain`: how it happens on a simulated Solana (ledger, programs, transactions and their JSON forms, market figures)
- `api`: serves a world as the providers do (Solana RPC, Helius, DexScreener, GeckoTerminal, Jupiter, Binance klines)

Times in a world are offsets in seconds before its end (<= 0). A server adds its shift,
so that the world ended ten minutes (and up to 59 seconds: candles need whole minutes)
before it started.
"""
