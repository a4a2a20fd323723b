"""A simulated market: the wire of the public Solana data providers over a made-up, fully known world.

Standard library only; it knows nothing of the product that asks it.

- chain: `accounts`, `ledger` (integers, conserved), `instructions`, `slots`, `prices`, `building`
- venues: `pumpfun` (curve), `pumpswap` (pools), `swaps` (what a wallet does in one transaction)
- worlds: `small_world` (`cast`, `stage`, `habits`), `trades_file`, by name in `worlds`; `truth` has the right answers
- wire: `solana_rpc` and `helius` behind `rpc_door`; `dexscreener`, `geckoterminal`, `jupiter`, `klines` behind `rest`
- server: `connections` (HTTP), `limits`, `faults`, `stats`, `control` (`/__sim__`), `server`

Times in a world are offsets in seconds before its end (<= 0). A server adds its shift, so that the world ended ten
minutes (and up to 59 seconds: candles need whole minutes) before it started.
"""
