"""Discovery: finds tokens that pumped, their early buyers, and keeps those who took
profit out.
"""
