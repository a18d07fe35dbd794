"""Disclosure control: rules, and the Release that everything leaves through."""
