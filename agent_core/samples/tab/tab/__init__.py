"""Splits a bill among friends."""
