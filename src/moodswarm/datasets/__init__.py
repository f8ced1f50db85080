"""Kedro datasets for stores and files, which connect Kedro with them.

Nothing here decides what is computed; a dataset only loads, saves and describes.
"""
