"""Articles on platforms whose pages carry their text as data: Medium and Substack.

A reader here returns None for any other page, which is then read in the general way.
"""
