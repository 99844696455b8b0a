"""Work logs: the live logger, its spool, and importers of what agents and git record."""
