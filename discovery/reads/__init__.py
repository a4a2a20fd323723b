"""Queries for pages, API and probes: frozen rows, each with a query budget."""
