"""Analysis of trades. Pure functions: time and thresholds are arguments; no clock, no
network, no database.
"""
