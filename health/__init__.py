"""Probes: answers for orchestrators and monitors."""
