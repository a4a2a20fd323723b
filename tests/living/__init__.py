"""Days of a world that goes on, with real workers that die (LIVING_DAYS=30 make living)."""
