"""Runs: fetch, decide, store and account. The only place where providers and analysis meet PostgreSQL."""
