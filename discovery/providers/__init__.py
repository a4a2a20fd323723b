"""HTTP in, typed records out. Each provider is one module; they never import each
other.
"""
