"""A whole run, step by step, and its single steps as commands of their own."""
