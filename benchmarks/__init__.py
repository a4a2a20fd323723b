"""Benchmarks. They report ratios of times of one run, because times of different
machines cannot be compared.
"""
