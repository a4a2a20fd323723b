"""Trades into findings. Pure: `now` and thresholds are arguments; no clock, no network, no database."""
