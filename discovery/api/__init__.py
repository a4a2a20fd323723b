"""The REST API under `/api`: asks `reads`, acts through `actions`, computes nothing."""
