"""Event logs and error registers: what has happened to the meter, and what is wrong with it."""
