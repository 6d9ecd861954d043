"""The HTTP service: starts the build, shows how far it is, and reads what was published.

dbt does the work in a process of its own, the run log in the database remembers, and this package only asks and tells.
``python -m experiment_features.service`` starts it; `settings` says which environment variables it obeys.
"""
