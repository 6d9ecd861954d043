"""The HTTP service: starts the build, shows its progress, and reads what was published.

dbt does the work in its own process, and the database holds the run log; this package only asks and reports.
``python -m experiment_features.service`` starts it; `settings` lists the environment variables that it reads.
"""
