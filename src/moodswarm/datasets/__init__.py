"""Kedro datasets over stores and files: the only place that knows both.

Nothing here decides what is computed; a dataset only loads, saves and describes.
"""
