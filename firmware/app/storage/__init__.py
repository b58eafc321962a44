"""Non-volatile memory: where everything lies (map), and records that power loss cannot tear."""
