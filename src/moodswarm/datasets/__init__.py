"""Kedro datasets over stores and files: the only place that knows both."""
