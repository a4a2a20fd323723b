"""A simulated market: it speaks the protocols of the public Solana data providers over
a generated, fully known world.

Standard library only, and independent of the product that queries it.

- `worlds`: plans what happens (scenarios, actors, behaviours, trades files) and computes the expected results
- `chain`: how it happens on a simulated Solana (ledger, programs, transactions and their JSON forms, market figures)
- `api`: serves a world as the providers do (Solana RPC, Helius, DexScreener, GeckoTerminal, Jupiter, Binance klines)

Times in a world are offsets in seconds. A server adds its shift, in whole minutes (candles
need them). Most worlds end at offset 0, ten minutes before the server starts. The world
`living` continues: it is at offset 0 when its clock starts, and what happens later is
served when its time has come.
"""
