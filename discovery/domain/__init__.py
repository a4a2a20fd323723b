"""The words of the field as frozen records and exact units. Knows no network, no database and no framework."""
