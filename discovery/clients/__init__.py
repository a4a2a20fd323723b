"""Provider clients wired to settings: shared rate limits and breakers, status reports, cache, history, usage and budget."""
