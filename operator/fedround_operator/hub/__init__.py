"""The hub's operator: models, rounds and clinics.

watch -> queue -> reconcilers: gather (reads) -> decide (pure) -> act (writes) -> one status patch
"""
