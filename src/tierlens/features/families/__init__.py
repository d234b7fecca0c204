"""The features of the catalog, a file a family."""
