"""The REST API under `/api`. It reads through `reads`, changes through `services`, and
computes nothing itself.
"""
