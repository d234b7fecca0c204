"""Tables in: contracts, the strict reader, the quality report, examples."""
