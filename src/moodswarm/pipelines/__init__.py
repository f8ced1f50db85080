"""One package per stage; pipelines meet only in the catalog."""
