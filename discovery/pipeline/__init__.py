"""The work of each step: find tokens, analyse a token, profile a wallet, flag clusters, score; and saving its results."""
