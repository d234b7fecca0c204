"""How data come in: contracts of tables, a strict reader, and a report of what became of every row."""
