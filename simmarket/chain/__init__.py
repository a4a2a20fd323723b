"""A simulated Solana: accounts, an integer ledger that conserves lamports, the
programs, transactions and figures.
"""
