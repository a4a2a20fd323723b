"""The engine of runs: lifecycle, step queue and runner, broker, scheduler, heartbeats,
maintenance, inline runner.
"""
