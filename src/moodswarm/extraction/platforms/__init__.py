"""Articles of platforms whose pages carry their text as data: Medium and Substack.

A reader here returns None for any other page, which then goes the general way.
"""
