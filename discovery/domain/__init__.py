"""Domain: frozen records, exact units and known addresses. Imports no network, database
or framework code.
"""
