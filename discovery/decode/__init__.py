"""Records into trades: a trade is what the balances say, not what a parser labels. Pure functions."""
