"""Kedro pipelines, one package per stage: nodes, parameters and reports.

Pipelines never import each other; they exchange data only through the catalog.
"""
