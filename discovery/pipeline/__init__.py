"""The work of each step: find, analyse, profile, flag, score; and saving the results."""
