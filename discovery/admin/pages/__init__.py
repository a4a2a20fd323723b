"""The operator's pages: Discovery, runs and wallets. They show what `reads` returns and
act through `actions`.
"""
