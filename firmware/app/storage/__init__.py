"""Non-volatile memory: the map of its regions, and records that power loss cannot tear."""
