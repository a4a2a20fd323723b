"""Formats of dates and numbers on pages."""
