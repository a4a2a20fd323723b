"""The WallTrack project: settings, logging, URLs and the start-up from nothing."""
