"""Probes and health pages."""
