"""Provider clients wired to settings: rate limits, breakers, status reports, cache,
history and usage.
"""
