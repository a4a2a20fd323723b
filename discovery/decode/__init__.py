"""Decoding of transactions into trades. Trades are read from balance changes, not from
instructions. Pure functions.
"""
