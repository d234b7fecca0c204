"""What leaves tierlens: lists, the report, documents, and runs in the tracking store."""
