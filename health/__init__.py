"""Health endpoints for orchestrators and monitors."""
